"""A sentence encoder from the hub, run through transformers: texts in, unit vectors out.

Mean pooling over the last layer, as the sentence-transformers family of checkpoints is trained for. Nothing
is downloaded and no code of a checkpoint is run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safegen._util.hashing import sha256_of
from safegen._util.logs import logger, waiting
from safegen._util.model_loading import loading_alone
from safegen.detectors.prompt._identity import GROUP_WORD
from safegen.errors import CheckUnavailable

_log = logger(__name__)

MAX_TOKENS = 128
_TOGETHER = 64
_MISSING = "the policy asks for a sentence encoder, which needs transformers and torch"


class SentenceEncoder:
    """The encoder in *folder*. ``size``: length of its vectors; ``digest``: SHA-256, see ``digest_of``.

    Raises CheckUnavailable when it cannot be loaded.
    """

    @loading_alone
    @waiting(_log, "the sentence encoder to load")
    def __init__(self, folder: Path) -> None:
        try:
            import torch
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise CheckUnavailable(_MISSING, hint="pip install 'safegen[video]'") from error
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, **local)
            loaded = AutoModel.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, **local)
            self._model: Any = loaded.eval()
            self.size = int(loaded.config.hidden_size)
            self.digest = digest_of(folder, self._tokenizer)
        except CheckUnavailable:
            raise
        except Exception as error:
            raise CheckUnavailable(
                f"the sentence encoder cannot be loaded: {type(error).__name__}",
                hint="download the model again",
            ) from error

    def adapt(self, adapters: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]) -> None:
        """Add to each named linear layer's weight the product of its two *adapters*, once, in place.

        ``{layer: (down (rank, in), up (out, rank))}``, LoRA with its scale in ``up`` (Hu et al. 2021). Raises
        CheckUnavailable when the encoder has no such layer, or one of another shape.
        """
        import torch

        for name, (down, up) in adapters.items():
            try:
                weight = self._model.get_submodule(name).weight
                change = torch.from_numpy(up @ down)
                if change.shape != weight.shape:
                    raise AttributeError(name)
            except AttributeError as error:
                raise CheckUnavailable(
                    "the adapters do not match the sentence encoder",
                    hint="train them for this encoder: python -m training.guard encoder",
                ) from error
            with torch.no_grad():
                weight += change

    @property
    def vocabulary(self) -> list[str]:
        """Its word pieces, by id."""
        return [w for w, _ in sorted(self._tokenizer.get_vocab().items(), key=lambda kv: kv[1])]

    def vectors(self, texts: Sequence[str], *, longest: int = MAX_TOKENS) -> NDArray[np.float32]:
        """Unit vectors (texts, size) of *texts*, in order; of each, the first *longest* tokens are read."""
        import torch

        out = np.zeros((len(texts), self.size), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), _TOGETHER):
            part = order[start : start + _TOGETHER]
            batch = self._tokenizer(
                [texts[i] for i in part],
                padding=True,
                truncation=True,
                max_length=longest,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = self._model(**batch).last_hidden_state.float()
                mask = batch["attention_mask"][..., None]
                pooled = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
                out[part] = torch.nn.functional.normalize(pooled).numpy()
        return out


def encoder_text(words: Sequence[str]) -> str:
    """The text that the encoder reads, from the classifier's words: identity terms and style left out."""
    return " ".join(w for w in words if w != GROUP_WORD)


def digest_of(folder: Path, tokenizer: Any) -> str:
    """SHA-256 (hex) over the weights' files and the vocabulary, which two copies of one encoder share.

    Raises CheckUnavailable without weights as .safetensors.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise CheckUnavailable(
            "the encoder's folder has no weights as .safetensors", hint="download the model again"
        )
    whole = hashlib.sha256()
    for path in files:
        whole.update(_file_digest(path, path.stat().st_size, path.stat().st_mtime_ns).encode())
    words = sorted(tokenizer.get_vocab().items(), key=lambda kv: kv[1])
    whole.update("\n".join(f"{i} {w}" for w, i in words).encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


@lru_cache(maxsize=8)
def _file_digest(path: Path, size: int, stamp: int) -> str:
    return sha256_of(path)
