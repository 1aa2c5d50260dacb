"""Runs a guard's checkpoint: transformers, greedy, in batches, with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from safegen._util.logs import logger, waiting
from safegen._util.model_loading import loading_alone
from safegen.detectors.prompt.guards._families import Family
from safegen.detectors.prompt.guards._files import _not_installed
from safegen.errors import CheckUnavailable, SafegenError

_log = logger(__name__)

MAX_NEW_TOKENS = 64
T = TypeVar("T")


class Engine:
    """A loaded checkpoint of *family* from *folder* (local files only, no code from the checkpoint)."""

    @loading_alone
    @waiting(_log, "the guard model to load")
    def __init__(self, folder: Path, family: Family) -> None:
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise _not_installed() from error
        self._family = family
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        kind: Any = torch.bfloat16 if self._device == "cuda" else torch.float32
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left", **local)
            loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=kind, use_safetensors=True, **local)
            self._model: Any = loaded.to(self._device).eval()
        except Exception as error:
            raise CheckUnavailable(
                f"the guard's checkpoint cannot be loaded: {type(error).__name__}",
                hint="download the model again",
            ) from error
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._own = _own_template(self._tokenizer, family)

    def build_prompt(self, text: str) -> str:
        """The whole question about *text*: by the checkpoint's own chat template if it has one."""
        text = neutralise_markup(text)
        if not self._own:
            return self._family.prompt(text)
        message = [{"role": "user", "content": text}]
        return str(self._tokenizer.apply_chat_template(message, tokenize=False))

    def answers(self, texts: Sequence[str], *, timeout: float) -> list[tuple[str, dict[str, float]]]:
        """(the answer, probability of each label where it was decided) for every text, in order.

        Greedy, so the same texts give the same answers. Raises CheckUnavailable after *timeout* seconds for
        the whole batch, for a text longer than the model reads, and for whatever goes wrong.
        """
        deadline = time.monotonic() + timeout
        return _run_with_deadline(timeout, lambda: self._generate(texts, deadline))

    def _generate(self, texts: Sequence[str], deadline: float) -> list[tuple[str, dict[str, float]]]:
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList

        class Deadline(StoppingCriteria):  # type: ignore[misc,unused-ignore]
            """Stops the batch when its time is up; the caller has raised by then."""

            def __call__(self, ids: Any, scores: Any, **_: Any) -> Any:
                late = time.monotonic() > deadline
                return torch.full((ids.shape[0],), late, dtype=torch.bool, device=ids.device)

        questions = [self.build_prompt(t) for t in texts]
        batch = self._tokenizer(questions, return_tensors="pt", padding=True, add_special_tokens=False)
        length = int(batch["input_ids"].shape[1])
        if length + MAX_NEW_TOKENS > int(getattr(self._model.config, "max_position_embeddings", 1 << 30)):
            raise CheckUnavailable("the prompt is longer than the guard can read", hint="shorten it")
        with torch.inference_mode():
            made = self._model.generate(
                **batch.to(self._device), max_new_tokens=MAX_NEW_TOKENS, do_sample=False, num_beams=1,
                temperature=None, top_p=None, top_k=None,
                pad_token_id=self._tokenizer.pad_token_id, output_logits=True, return_dict_in_generate=True,
                stopping_criteria=StoppingCriteriaList([Deadline()]),
            )  # fmt: skip
        new = made.sequences[:, length:].tolist()
        said = self._tokenizer.batch_decode(new, skip_special_tokens=True)
        return [
            (text, self._labels(ids, made.logits, i))
            for i, (text, ids) in enumerate(zip(said, new, strict=True))
        ]

    def _labels(self, ids: list[int], logits: Sequence[Any], row: int) -> dict[str, float]:
        """Probability of each label, from the step at which one of them was chosen; empty if none was."""
        import torch

        first = {self._first(word): label for word, label in self._family.labels.items()}
        if -1 in first or len(first) < len(self._family.labels):
            return {}
        for step, token in enumerate(ids):
            if token in first:
                scores = logits[step][row].float()[list(first)]
                return dict(zip(first.values(), torch.softmax(scores, 0).tolist(), strict=True))
        return {}

    def _first(self, word: str) -> int:
        """The first token of *word* as it stands in an answer: after a space where the family puts one."""
        spaced = f"Safety: {word}" if self._family.name == "qwen3guard" else word
        ids: list[int] = self._tokenizer.encode(spaced, add_special_tokens=False)
        head: list[int] = self._tokenizer.encode(spaced[: -len(word)].rstrip(), add_special_tokens=False)
        return ids[len(head)] if ids[: len(head)] == head and len(ids) > len(head) else -1


def neutralise_markup(text: str) -> str:
    """*text* without what could end the question: control tokens and the marks around a conversation.

    A space is put inside them, so the words stay readable for the guard. Lone surrogates, which no tokeniser
    takes, become U+FFFD.
    """
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for sign in ("<|", "|>", "<BEGIN", "<END", "<think", "</think"):
        text = text.replace(sign, f"{sign[0]} {sign[1:]}")
    return text


def _own_template(tokenizer: Any, family: Family) -> bool:
    """Whether the checkpoint brings its chat template. One of another family is refused."""
    own = tokenizer.chat_template
    if not own:
        return False
    if not isinstance(own, str) or not all(m in own.replace("\\'", "'") for m in family.markers):
        raise CheckUnavailable(
            f"the checkpoint's chat template does not match a {family.name} guard",
            hint="name a guard under `guard: model:`, or its family under `guard: family:`",
        )
    return True


def _run_with_deadline(seconds: float, work: Callable[[], T]) -> T:
    """The result of *work*, done in a thread. Raises CheckUnavailable when it fails or takes too long."""
    done: list[T] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True, name="safegen-guard")
    started = time.monotonic()
    thread.start()
    thread.join(seconds)
    if thread.is_alive() or time.monotonic() - started > seconds:
        raise CheckUnavailable(
            f"the guard did not answer within {seconds:g} seconds",
            hint="raise `guard: timeout:` in the policy",
        )
    if failed:
        if isinstance(failed[0], SafegenError):
            raise failed[0]
        raise CheckUnavailable(
            f"the guard failed: {type(failed[0]).__name__}", hint="nothing was let through"
        ) from failed[0]
    return done[0]
