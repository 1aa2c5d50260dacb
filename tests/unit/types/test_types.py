"""The values that are passed between the parts: what they work out for themselves."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from safegen import types
from safegen.types import (
    Allowed,
    Attribute,
    Clip,
    Decision,
    DetectedMark,
    Detection,
    Held,
    PolicyRef,
    Refused,
    Request,
    Verdict,
    WatermarkReading,
    WatermarkSegment,
)

CODES = {
    "VERIFIED": 0,
    "VERIFIED_REPACKED": 10,
    "SIGNED_UNTRUSTED": 11,
    "SIGNED_UNLOGGED": 12,
    "EXPIRED_BUT_LOGGED": 13,
    "WITHDRAWN": 14,
    "RECOVERED": 20,
    "MARKED_UNRESOLVED": 21,
    "CREDENTIALS_UNREADABLE": 22,
    "TAMPERED": 30,
    "CONFLICT": 31,
    "NO_PROVENANCE": 40,
}
ALG = "org.safegen.watermark.tile.1"


def test_exit_codes_of_verdicts_stay() -> None:
    assert {verdict.name: verdict.exit_code for verdict in Verdict} == CODES


def test_they_import_nothing_but_the_standard_library() -> None:
    code = "import sys, safegen.types; print(*{m.split('.')[0] for m in sys.modules})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(out.stdout.split())
    assert "safegen" in loaded
    assert not loaded & {"numpy", "torch", "av", "cv2", "c2pa", "pydantic", "sqlmodel"}


@pytest.mark.parametrize(("kind", "outcome"), [(Allowed, "allow"), (Held, "review"), (Refused, "block")])
def test_a_decision_has_one_outcome(kind: type[Decision], outcome: str) -> None:
    assert kind(Request("a ball"), PolicyRef("default", "0" * 64), ()).outcome == outcome


def test_a_bare_decision_stands_for_nothing() -> None:
    with pytest.raises(TypeError):
        _ = Decision(Request("a ball"), PolicyRef("default", "0" * 64), ()).outcome


def test_a_clip_can_be_looked_at_again() -> None:
    frames = np.arange(5 * 4 * 6 * 3, dtype=np.uint8).reshape(5, 4, 6, 3)
    clip = Clip.from_array(frames, Fraction(30_000, 1001))
    assert (clip.width, clip.height, clip.count) == (6, 4, 5)
    assert clip.seconds == pytest.approx(5 * 1001 / 30_000)
    for _ in range(2):
        assert np.array_equal(np.stack(list(clip)), frames)


def test_an_attribute_is_its_likeliest_class() -> None:
    seen = Attribute("colour", {"red": 0.2, "unknown": 0.5, "blue": 0.3}, "world", 0.5)
    assert seen.value == "unknown"


@pytest.mark.parametrize(("runs", "spliced"), [((), False), ((True,), False), ((True, False), True)])
def test_a_file_is_spliced_where_a_run_has_no_mark(runs: tuple[bool, ...], spliced: bool) -> None:
    parts = tuple(WatermarkSegment(n, n + 1.0, present, -9.0) for n, present in enumerate(runs))
    mark = DetectedMark(WatermarkReading(ALG, True, 7, -30.0), parts)
    assert mark.spliced is spliced
    found = Detection(Path("a.mp4"), "video", ALG, 64, 64, 2.0, 48, 0.1, (mark,), -30.0)
    assert (found.present, found.exit_code) == (True, 0)


def test_a_file_without_a_mark_exits_with_40() -> None:
    nothing = Detection(Path("a.png"), "picture", ALG, 64, 64, 0.0, 1, 0.0, (), -0.3)
    assert (nothing.present, nothing.exit_code) == (False, 40)


@pytest.mark.parametrize("name", [n for n in types.__all__ if is_dataclass(getattr(types, n))])
def test_no_value_can_be_changed(name: str) -> None:
    """Evidence and decisions travel far: nobody on the way may alter them."""
    kind = getattr(types, name)
    value = object.__new__(kind)
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(kind)[0].name, None)
