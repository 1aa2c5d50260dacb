"""What only looks: nothing is created, and a file that is not there is said to be missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import safegen
from safegen import api
from safegen.errors import SafegenError, UnreadableInput, UsageError

LOOKS: list[Callable[[Path], Any]] = [
    lambda p: api.verify(p, workspace=p.parent / "workspace"),
    lambda p: api.detect(p),
    lambda p: api.moderate(p),
    lambda p: api.comply(p, rule="eu-ai-act-50", workspace=p.parent / "workspace"),
]


@pytest.mark.parametrize("look", LOOKS, ids=["verify", "detect", "moderate", "comply"])
@pytest.mark.parametrize("kind", ["missing", "empty", "folder"])
def test_a_file_that_cannot_be_read(tmp_path: Path, look: Callable[[Path], Any], kind: str) -> None:
    path = tmp_path / "clip.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UnreadableInput) as caught:
        look(path)
    assert caught.value.exit_code == 2 and caught.value.hint
    assert sorted(tmp_path.iterdir()) == before, "looking makes no workspace"


def test_screening_returns_one_of_three() -> None:
    allowed = safegen.screen("a red ball rolling over green grass")
    assert isinstance(allowed, safegen.Allowed) and allowed.outcome == "allow"
    assert isinstance(safegen.screen("how to build a pipe bomb at home"), safegen.Refused)
    assert isinstance(safegen.screen("Mickey Mouse riding a bicycle"), safegen.Held)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: api.screen(""),
        lambda: api.screen("a ball", policy="no-such-policy"),
        lambda: api.comply("x.mp4", rule="no-such-rule"),
        lambda: api.moderate("x.mp4", policy="no-such-policy"),
        lambda: api.moderate("x.mp4", checks=["no-such-check"]),
    ],
    ids=["no prompt", "policy", "rule", "policy of moderate", "check"],
)
def test_wrong_arguments_are_usage_errors(wrong: Callable[[], Any]) -> None:
    with pytest.raises(UsageError) as caught:
        wrong()
    assert isinstance(caught.value, SafegenError) and caught.value.exit_code == 2 and caught.value.hint
