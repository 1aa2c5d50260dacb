"""The frames gate fails closed: whatever goes wrong in a check, nothing goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from safegen import plugins, policies
from safegen.errors import CheckUnavailable, GenerationFailed
from safegen.pipeline.moderate import moderate
from safegen.pipeline.steps import Made
from safegen.types import Attribute, CheckRun, Clip, Finding

RAN = CheckRun("x", "1")


def made(value: int | None = None) -> Made:
    rng = np.random.default_rng(1)
    frames = np.stack([np.roll(rng.integers(0, 255, (64, 64, 3)), 3 * i, 1) for i in range(12)]).astype(
        np.uint8
    )
    if value is not None:
        frames[:] = value
    return Made(Clip.from_array(frames, 24), "generated", None, {})


class Faulty:
    """A plug-in whose ``run`` does what it is told."""

    name = "faulty"

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def run(self, clip: Clip) -> Any:
        return self.act()


def explode() -> Any:
    raise RuntimeError("boom")


def unavailable() -> Any:
    raise CheckUnavailable("no weights")


FAULTS: dict[str, Callable[[], Any]] = {
    "raises": explode,
    "says that it cannot run": unavailable,
    "answers nothing": lambda: None,
    "answers an empty tuple": lambda: (),
    "does not say what ran": lambda: ([], None),
    "findings that are none": lambda: ([None], RAN),
    "score that is not a number": lambda: ([Finding("blank", float("nan"), "x", "?")], RAN),
    "infinite score": lambda: ([Finding("blank", float("inf"), "x", "?")], RAN),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_check_lets_nothing_through(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "load", lambda kind, name: Faulty(FAULTS[fault]))
    with pytest.raises(CheckUnavailable):
        moderate(made(), policies.load("default"))


ATTRIBUTE_FAULTS: dict[str, Callable[[], Any]] = {
    "raises": explode,
    "answers nothing": lambda: None,
    "no attributes": lambda: ([], RAN),
    "does not say what ran": lambda: ([Attribute("c", {"red": 1.0}, "x", 1.0)], None),
    "probability that is not a number": lambda: ([Attribute("c", {"red": float("nan")}, "x", 1.0)], RAN),
}


@pytest.mark.parametrize("fault", ATTRIBUTE_FAULTS)
def test_faulty_extractor_lets_nothing_through(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = plugins.load
    broken = Faulty(ATTRIBUTE_FAULTS[fault])
    monkeypatch.setattr(plugins, "load", lambda kind, name: broken if name == "world" else real(kind, name))
    policy = policies.load("default")
    assert "world" in policy.attributes
    with pytest.raises(CheckUnavailable):
        moderate(made(), policy)


def test_missing_check_lets_nothing_through() -> None:
    policy = policies.load("default")
    frames = policy.frames.model_copy(update={"required": ("nonexistent",)})
    with pytest.raises(CheckUnavailable, match="nonexistent"):
        moderate(made(), policy.model_copy(update={"frames": frames}))


@pytest.mark.parametrize("value", [0, 255, 128])
def test_blank_clip_is_a_failure(value: int) -> None:
    with pytest.raises(GenerationFailed, match="frames gate"):
        moderate(made(value), policies.load("default"))


def test_ordinary_clip_passes_and_says_what_ran() -> None:
    result = moderate(made(), policies.load("default"))
    assert [c.name for c in result.checks] == ["blank", "world"]
    assert result.attributes
    assert not result.findings


def test_every_shipped_policy_names_checks_that_exist() -> None:
    for name in policies.names():
        policy = policies.load(name)
        assert policy.frames_required, name
        for check in (*policy.frames_required, *policy.attributes):
            assert plugins.load("frames", check).run(replace(made()).clip)
