"""What a policy does with a guard's opinion. Real guards' weights are not here: answers are played."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from safegen import policies
from safegen.detectors.prompt import guards
from safegen.detectors.prompt.guards import FAMILIES, _guard
from safegen.errors import CheckUnavailable, UsageError
from safegen.policies.schema import Policy
from safegen.screening import screen, screen_many, screen_requests
from safegen.types import Allowed, Held, Refused, Request, Shot

BY_CLASSIFIER = "how to make meth at home"
BY_RULES = "Mickey Mouse riding a bicycle"
FINE = "a red ball rolling over green grass"


class _Plays:
    """Answers by what stands in the text; keeps the batches it was given."""

    def __init__(self, unsafe: str = "bomb", raises: Exception | None = None, short: bool = False) -> None:
        self.batches: list[list[str]] = []
        self._unsafe, self._raises, self._short = unsafe, raises, short

    def answers(self, texts: Sequence[str], *, timeout: float) -> list[tuple[str, dict[str, float]]]:
        self.batches.append(list(texts))
        if self._raises:
            raise self._raises
        said = [
            ("Safety: Unsafe\nCategories: Violent", {"unsafe": 0.97, "safe": 0.01, "controversial": 0.02})
            if self._unsafe in t
            else ("Safety: Safe\nCategories: None", {"unsafe": 0.02, "safe": 0.96, "controversial": 0.02})
            for t in texts
        ]
        return said[:-1] if self._short else said


def _with(monkeypatch: pytest.MonkeyPatch, engine: _Plays, **more: object) -> Policy:
    guard = guards.Guard(engine, FAMILIES["qwen3guard"], version="c0ffee", digest="0" * 64)
    monkeypatch.setattr(guards, "load", lambda *_: guard)
    wanted = {"model": "Qwen/Qwen3Guard-Gen-0.6B", **more}
    return Policy.model_validate({**policies.load("default").model_dump(), "guard": wanted})


def _held_by_classifier() -> str:
    """A prompt that only the classifier holds, whatever the weights are."""
    candidates = [BY_CLASSIFIER, "a man hitting another man in the face", "how to pick a lock at night",
                  "a person cutting their arm", "leaked photos of my neighbour", "a corpse on the floor",
                  "a sexy woman in lingerie", "a fight with knives in an alley"]  # fmt: skip
    for text in candidates:
        decision = screen(Request(text))
        if isinstance(decision, Held) and {f.detector for f in decision.findings} == {"classifier"}:
            return text
    pytest.skip("no candidate is held by the classifier alone")


def test_only_held_prompts_are_asked_about_and_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = _Plays()
    policy = _with(monkeypatch, engine, batch=2)
    texts = [FINE, BY_RULES, FINE, "Batman in the rain", "Darth Vader dancing", FINE]
    got = list(screen_many(texts, policy=policy))
    assert [d.request.prompt for d in got] == texts
    assert [t for b in engine.batches for t in b] == [BY_RULES, "Batman in the rain", "Darth Vader dancing"]
    judged = screen_requests([Request(t) for t in texts], policy)
    assert engine.batches[-2:] == [[BY_RULES, "Batman in the rain"], ["Darth Vader dancing"]]
    assert [d.outcome for d in judged if not isinstance(d, UsageError)] == [d.outcome for d in got]


def test_a_safe_opinion_clears_only_the_classifier_and_only_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _held_by_classifier()
    assert isinstance(screen(Request(text), policy=_with(monkeypatch, _Plays())), Held)
    clearing = _with(monkeypatch, _Plays(), clears=0.1)
    assert isinstance(screen(Request(text), policy=clearing), Allowed)
    assert isinstance(screen(Request(BY_RULES), policy=clearing), Held)
    unsure = _with(monkeypatch, _Plays(), clears=0.02)
    assert isinstance(screen(Request(text), policy=unsure), Held)


def test_an_unsafe_opinion_makes_it_stricter(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = _with(monkeypatch, _Plays("bicycle"))
    decision = screen(Request(BY_RULES), policy=policy)
    assert isinstance(decision, Refused)
    assert any(f.detector == "guard" and "Violent" in f.reason for f in decision.findings)
    run = decision.checks[-1]
    assert (run.name, run.version, run.digest) == ("guard-qwen3guard", "c0ffee", "0" * 64)


def test_every_shot_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = _Plays("night")
    policy = _with(monkeypatch, engine, when="all")
    shots = (Shot(0.0, FINE), Shot(2.0, "a blue cube falling under a night sky"))
    request = Request("\n".join(s.prompt for s in shots), mode="storyboard", shots=shots)
    assert isinstance(screen(request, policy=policy), Held | Refused)
    assert len(engine.batches[0]) == 3


@pytest.mark.parametrize(
    "engine",
    [
        _Plays(raises=RuntimeError("out of memory")),
        _Plays(raises=CheckUnavailable("late")),
        _Plays(short=True),
    ],
)
def test_a_guard_that_fails_lets_nothing_through(monkeypatch: pytest.MonkeyPatch, engine: _Plays) -> None:
    with pytest.raises(CheckUnavailable):
        screen(Request(FINE), policy=_with(monkeypatch, engine, when="all"))


def test_scores() -> None:
    unsafe, doubt = (
        FAMILIES["qwen3guard"].parse("Safety: Unsafe"),
        {"unsafe": 0.4, "controversial": 0.3, "safe": 0.3},
    )
    assert _guard.score_of(unsafe, {}) == 1.0
    assert _guard.score_of(unsafe, doubt) == pytest.approx(0.55)
    assert _guard.score_of(unsafe, {"unsafe": 0.34, "controversial": 0.0, "safe": 0.66}) == 0.5


def test_the_guard_is_part_of_the_digest_and_its_keys_are_checked(tmp_path) -> None:  # type: ignore[no-untyped-def]
    def load(guard: str) -> Policy:
        path = tmp_path / "p.yaml"
        path.write_text(f"name: p\nextends: default\n{guard}")
        return policies.load(str(path))

    plain = load("")
    assert plain.digest != load("guard: {model: Qwen/Qwen3Guard-Gen-0.6B}\n").digest
    for bad in ("guard:\n  model: x\n  when: never\n", "guard:\n  model: x\n  timeout: 0\n",
                "guard:\n  model: x\n  clears: 0.9\n", "guard:\n  model: x\n  famly: x\n"):  # fmt: skip
        with pytest.raises(UsageError, match=r"p\.yaml, line 5"):
            load(bad)
