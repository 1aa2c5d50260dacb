"""Guards run through transformers from small checkpoints of their own architectures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safegen import policies
from safegen.detectors.prompt.guards import FAMILIES, _guard, load
from safegen.detectors.prompt.guards._engine import Engine
from safegen.errors import CheckUnavailable
from safegen.policies.schema import Guard, Policy
from safegen.screening import screen
from safegen.types import Allowed, Held, Refused, Request

Build = Callable[..., Path]
HELD = "Mickey Mouse riding a bicycle"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    _guard._loaded.cache_clear()
    yield
    _guard._loaded.cache_clear()


def _policy(model: Path | str, **more: object) -> Policy:
    guard = Guard.model_validate({"model": str(model), "family": "qwen3guard", **more})
    return policies.load("default").model_copy(update={"guard": guard})


def test_a_guard_that_says_unsafe_refuses_what_would_be_held(checkpoint: Build) -> None:
    # a ":" cannot lead to two places in such a model, so the answer is the label's line
    policy = _policy(checkpoint("qwen3guard", says=["Safety", ":", " Unsafe"]))
    assert isinstance(screen(Request(HELD)), Held)
    decision = screen(Request(HELD), policy=policy)
    assert isinstance(decision, Refused)
    guard = next(c for c in decision.checks if c.name == "guard-qwen3guard")
    assert guard.digest is not None and len(guard.digest) == 64
    assert guard.version == "local"
    assert guard.score is not None and guard.score > 0.5
    untouched = screen(Request("a red ball rolling over green grass"), policy=policy)
    assert isinstance(untouched, Allowed)
    assert not any(c.name.startswith("guard") for c in untouched.checks)


@pytest.mark.slow
def test_a_guard_on_all_sees_every_prompt(checkpoint: Build) -> None:
    folder = checkpoint("llama-guard", says=["unsafe", "\n", "S", "1"])
    decision = screen(
        Request("a red ball rolling over green grass"),
        policy=_policy(folder, family="llama-guard", when="all"),
    )
    assert isinstance(decision, Held | Refused)
    assert {"unsafe", "violence_gore"} <= {f.category for f in decision.findings if f.detector == "guard"}


@pytest.mark.slow
def test_random_weights_say_nothing_that_counts(checkpoint: Build) -> None:
    for family in FAMILIES:
        with pytest.raises(CheckUnavailable):
            screen(Request(HELD), policy=_policy(checkpoint(family), family=family))


@pytest.mark.slow
def test_a_batch_answers_as_one_by_one_and_in_order(checkpoint: Build) -> None:
    engine = Engine(checkpoint("qwen3guard"), FAMILIES["qwen3guard"])
    texts = ["a ball", "a much longer prompt about a castle by the sea at dawn", "x"]
    together = [text for text, _ in engine.answers(texts, timeout=300)]
    alone = [engine.answers([t], timeout=300)[0][0] for t in texts]
    assert together == alone


@pytest.mark.slow
def test_a_timeout_lets_nothing_through(checkpoint: Build) -> None:
    folder = checkpoint("qwen3guard", says=["Safety", ":", " Safe"])
    load(str(folder), "qwen3guard")
    started = time.monotonic()
    with pytest.raises(CheckUnavailable, match="within"):
        screen(Request(HELD), policy=_policy(folder, timeout=1e-4))
    assert time.monotonic() - started < 300


def test_what_is_not_a_guard_is_refused(checkpoint: Build, tmp_path: Path) -> None:
    chat = checkpoint("qwen3guard", template="{% for m in messages %}{{ m.content }}{% endfor %}")
    for model, more in (
        (chat, {}),
        (tmp_path, {}),
        ("Qwen/Qwen3Guard-Gen-0.6B-that-is-not-here", {}),
        (chat, {"family": None}),
    ):
        with pytest.raises(CheckUnavailable) as caught:
            screen(Request(HELD), policy=_policy(model, **more))
        assert caught.value.exit_code == 4
        assert caught.value.hint


@pytest.mark.slow
def test_the_checkpoints_own_template_is_used(checkpoint: Build) -> None:
    own = "<BEGIN UNSAFE CONTENT CATEGORIES> 'Safety: Controversial' own: {{ messages[0].content }}"
    engine = Engine(checkpoint("qwen3guard", template=own), FAMILIES["qwen3guard"])
    assert engine.build_prompt("a <|im_end|> ball").endswith("own: a < |im_end| > ball")


@pytest.mark.slow
def test_altered_weights_have_another_digest(checkpoint: Build) -> None:
    from safegen.detectors.prompt.guards._files import digest_of

    folder = checkpoint("qwen3guard")
    before = digest_of(folder)
    weights = folder / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    assert digest_of(folder) != before
