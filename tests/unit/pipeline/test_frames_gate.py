"""The frames gate fails closed: whatever goes wrong in a check, nothing goes on. The fault table is here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from safegen import plugins, policies
from safegen.errors import CheckAbsent, CheckUnavailable, GenerationFailed, HeldForReview, RefusedByPolicy
from safegen.moderation import checks as gate_checks
from safegen.pipeline.frames_gate import moderate
from safegen.pipeline.stages import UnmarkedClip
from safegen.policies.frames import FrameRule, Frames
from safegen.policies.schema import Policy
from safegen.types import Attribute, CheckRun, Clip, Finding
from tests.support.stand_ins import stand_in

RAN = CheckRun("x", "1")
CHECKS = ("blank", "flash", "frozen", "freepik", "falconsai", "shieldgemma", "faces", "known", "text")
"""Every frames check there is."""


def made(value: int | None = None) -> UnmarkedClip:
    """A structured picture that moves on, or one flat level."""
    noise = np.random.default_rng(1).integers(60, 190, (8, 24, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    frames = np.stack([noise[:, i : i + 64] for i in range(12)])
    if value is not None:
        frames[:] = value
    return UnmarkedClip(Clip.from_array(np.ascontiguousarray(frames), 24), "generated", None, {})


def asking(required: tuple[str, ...] = (), optional: tuple[str, ...] = (), **rules: Any) -> Policy:
    """The default policy with these frames checks, nothing optional, no extractors."""
    frames = Frames(required=required, optional=optional, rules={k: FrameRule(**v) for k, v in rules.items()})
    return policies.load("default").model_copy(update={"frames": frames, "attributes": ()})


class Faulty:
    """A plug-in whose ``run`` does what it is told."""

    name = "faulty"

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def run(self, clip: Clip) -> Any:
        next(iter(clip))
        return self.act()


def explode() -> Any:
    raise RuntimeError("boom")


def unavailable() -> Any:
    raise CheckUnavailable("no weights")


def absent() -> Any:
    raise CheckAbsent("not installed")


OVER = threading.Event()
"""The test that has a check hang is over: no time-out depends on who is faster."""


def hang() -> Any:
    OVER.wait(300)
    return [], RAN


@pytest.fixture(autouse=True)
def _over() -> Iterator[None]:
    OVER.clear()
    yield
    OVER.set()


FAULTS: dict[str, Callable[[], Any]] = {
    "raises": explode,
    "runs out of memory": lambda: (_ for _ in ()).throw(MemoryError()),
    "says that it cannot run": unavailable,
    "is missing": absent,
    "times out": hang,
    "answers nothing": lambda: None,
    "answers an empty tuple": lambda: (),
    "does not say what ran": lambda: ([], None),
    "findings that are none": lambda: ([None], RAN),
    "score that is not a number": lambda: ([Finding("blank", float("nan"), "x", "?")], RAN),
    "infinite score": lambda: ([Finding("blank", float("inf"), "x", "?")], RAN),
    "score out of range": lambda: ([Finding("blank", -0.5, "x", "?")], RAN),
    "its own score is not a number": lambda: ([], replace(RAN, score=float("nan"))),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("check", CHECKS)
def test_faulty_check_lets_nothing_through(check: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = stand_in(monkeypatch, plugins.load_frame_detector, check, Faulty(FAULTS[fault]))
    monkeypatch.setattr(gate_checks, "PATIENCE", 0.05)
    with pytest.raises(CheckUnavailable, match=check):
        moderate(made(), asking((check,)))
    assert loaded == [check]


@pytest.mark.parametrize("fault", [f for f in FAULTS if f != "is missing"])
def test_an_optional_check_that_is_there_and_fails_lets_nothing_through(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = stand_in(monkeypatch, plugins.load_frame_detector, "faces", Faulty(FAULTS[fault]))
    monkeypatch.setattr(gate_checks, "PATIENCE", 0.05)
    with pytest.raises(CheckUnavailable, match="faces"):
        moderate(made(), asking(("blank",), ("faces",)))
    assert loaded == ["faces"]


@pytest.mark.parametrize("check", ["freepik", "falconsai", "shieldgemma", "faces", "known", "text"])
def test_a_check_that_is_not_installed(check: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Required: nothing passes, and the hint says how to get it. Optional: the record says so."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in (check.upper(), "KNOWN"):
        monkeypatch.delenv(f"SAFEGEN_{name}", raising=False)
    with pytest.raises(CheckUnavailable, match=check) as stopped:
        moderate(made(), asking((check,)))
    assert stopped.value.exit_code == 4
    assert stopped.value.hint
    passed = moderate(made(), asking(("blank",), (check,)))
    assert passed.requested == ("blank", check)
    assert passed.absent == (check,)
    assert [c.name for c in passed.checks] == ["blank"]


def test_waiting_for_frames_is_not_thinking(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of our own, on which only the making of frames takes time: longer than patience lasts."""
    clip, passed, looked = made().clip, [0.0], threading.Event()
    thinking = gate_checks._WatchedClip.idle_seconds

    def look(watch: gate_checks._WatchedClip) -> float:
        seen = thinking.fget(watch)
        looked.set()
        return float(seen)

    def slowly() -> Any:
        for frame in clip:
            passed[0] += 2 * gate_checks.PATIENCE
            looked.clear()
            assert looked.wait(300)
            yield frame

    monkeypatch.setattr(gate_checks, "time", SimpleNamespace(monotonic=lambda: passed[0]))
    monkeypatch.setattr(gate_checks._WatchedClip, "idle_seconds", property(look))
    monkeypatch.setattr(gate_checks, "_POLL_SECONDS", 0.001)
    found, ran = gate_checks.run_check("blank", replace(clip, open=slowly))
    assert (found, ran.name) == ([], "blank")


ATTRIBUTE_FAULTS: dict[str, Callable[[], Any]] = {
    "raises": explode,
    "answers nothing": lambda: None,
    "no attributes": lambda: ([], RAN),
    "does not say what ran": lambda: ([Attribute("c", {"red": 1.0}, "x", 1.0)], None),
    "probability that is not a number": lambda: ([Attribute("c", {"red": float("nan")}, "x", 1.0)], RAN),
}


@pytest.mark.parametrize("fault", ATTRIBUTE_FAULTS)
def test_a_faulty_extractor_is_noted_and_stops_nothing(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It describes: nothing is let through that the checks would have stopped."""
    loaded = stand_in(monkeypatch, plugins.load_attribute_extractor, "world", Faulty(ATTRIBUTE_FAULTS[fault]))
    policy = policies.load("default")
    assert "world" in policy.attributes
    moderated = moderate(made(), policy)
    (warning,) = moderated.unmarked.warnings
    assert "attributes are missing: the extractor 'world' failed" in warning
    assert loaded == ["world"] and moderated.attributes == ()
    assert "world" not in {r.name for r in moderated.checks} and moderated.checks


def test_an_extractor_is_no_check_and_a_check_no_extractor() -> None:
    """A policy that names one for the other lets nothing through, and the message says what it is."""
    with pytest.raises(CheckUnavailable, match="'world' is an attribute extractor, not a frame detector"):
        moderate(made(), asking(("world",)))
    with pytest.raises(CheckUnavailable, match="'world' is an attribute extractor, not a frame detector"):
        moderate(made(), asking(("blank",), ("world",)))
    policy = asking(("blank",)).model_copy(update={"attributes": ("blank",)})
    with pytest.raises(CheckUnavailable, match="'blank' is a frame detector, not an attribute extractor"):
        moderate(made(), policy)


def test_missing_check_lets_nothing_through() -> None:
    with pytest.raises(CheckUnavailable, match="nonexistent"):
        moderate(made(), asking(("nonexistent",)))


@pytest.mark.parametrize("value", [0, 255, 128])
def test_blank_clip_is_a_failure(value: int) -> None:
    with pytest.raises(GenerationFailed, match="frames gate"):
        moderate(made(value), policies.load("default"))


def test_ordinary_clip_passes_and_says_what_ran() -> None:
    result = moderate(made(), policies.load("default"))
    assert [c.name for c in result.checks][:2] == ["blank", "flash"]
    assert result.checks[-1].name == "world"
    assert result.attributes
    assert not result.findings


def test_every_shipped_policy_names_checks_that_exist() -> None:
    for name in policies.names():
        policy = policies.load(name)
        assert policy.frames_required, name
        for check in policy.frames_required:
            assert plugins.load_frame_detector(check).run(replace(made()).clip)
        for attribute in policy.attributes:
            assert plugins.load_attribute_extractor(attribute).run(replace(made()).clip)
        for check in policy.frames.optional:
            assert plugins.load_frame_detector(check)


def finds(monkeypatch: pytest.MonkeyPatch, category: str, score: float) -> None:
    """The check ``faces`` finds *category*."""
    answer = Faulty(lambda: ([Finding(category, score, "faces", "seen", time=0.1)], RAN))
    stand_in(monkeypatch, plugins.load_frame_detector, "faces", answer)


@pytest.mark.parametrize(
    ("category", "score", "error"),
    [
        ("nudity", 0.49, None),
        ("nudity", 0.5, HeldForReview),
        ("nudity", 0.9, RefusedByPolicy),
        ("face", 0.99, None),
        ("known_content", 0.9, RefusedByPolicy),
        ("flash_general", 1.0, GenerationFailed),
        ("frozen_output", 0.7, GenerationFailed),
        ("weapons", 0.7, HeldForReview),
        ("nobody knows this category", 0.1, RefusedByPolicy),
    ],
)
def test_what_findings_lead_to(
    category: str, score: float, error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, category, score)
    if error is None:
        assert moderate(made(), asking(("faces",))).findings
        return
    with pytest.raises(error, match="seen"):
        moderate(made(), asking(("faces",)))


def test_the_policy_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, "nudity", 0.6)
    with pytest.raises(RefusedByPolicy):
        moderate(made(), asking(("faces",), nudity={"block": 0.4}))
    assert moderate(made(), asking(("faces",), nudity={"review": 0.9}))


@pytest.mark.parametrize(
    ("score", "approved", "error"),
    [
        (0.6, ("nudity", "faces"), None),
        (0.6, ("nudity", "another detector"), HeldForReview),
        (0.6, ("weapons", "faces"), HeldForReview),
        (0.9, ("nudity", "faces"), RefusedByPolicy),
    ],
)
def test_an_approval_excuses_what_a_person_saw_and_no_refusal(
    score: float, approved: tuple[str, str], error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, "nudity", score)
    if error is None:
        assert moderate(made(), asking(("faces",)), approved=frozenset({approved})).findings
        return
    with pytest.raises(error, match="seen"):
        moderate(made(), asking(("faces",)), approved=frozenset({approved}))


def test_flashes_of_somebody_elses_video_are_said_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, "flash_general", 1.0)
    result = moderate(replace(made(), origin="protected"), asking(("faces",)))
    assert any("seen" in note for note in result.unmarked.warnings)


def test_rules_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="milder"):
        FrameRule(review=0.9, block=0.5)
    with pytest.raises(ValueError, match="only faces"):
        Frames(rules={"nudity": FrameRule(blur=0.5)})
