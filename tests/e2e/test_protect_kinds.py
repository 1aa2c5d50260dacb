"""Videos of odd kinds from the file to the verdict: what comes out is VERIFIED, and its mark is found."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

import safegen
from tests.e2e.test_protect import scene
from tests.unit.media.conftest import film

ONE = 1 << 16
DEEP = {"codec": "libx265", "pixels": "yuv420p10le", "options": {"x265-params": "log-level=none"}}
KINDS: dict[str, dict[str, Any]] = {
    "turned": {"matrix": (0, ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30)},
    "odd sides": {"codec": "ffv1", "size": (383, 511)},
    "full range": {"pixels": "yuvj420p", "context": {"color_range": 2}},
    "10 bit": DEEP,
    "PQ": {**DEEP, "context": {"color_primaries": 9, "color_trc": 16, "colorspace": 9}},
    "uneven times": {
        "times": [0, 33, 66, 200, 233, 700, 716, 733, 1500, 1520, 1540, 1901],
        "base": Fraction(1, 1000),
    },
    "two video tracks": {"tracks": 2},
    "three hours": {"times": [1_080_000 * n for n in range(12)], "base": Fraction(1, 1000)},
}


def checked(source: Path, home: Path) -> safegen.Release:
    made = safegen.protect(source, source.with_name("made.mp4"), workspace=home / "ws")
    assert safegen.verify(made.path, workspace=home / "ws").verdict is safegen.Verdict.VERIFIED
    (mark,) = safegen.detect(made.path).marks
    assert mark.reading.payload == made.content_id and not mark.spliced
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@pytest.mark.parametrize("kind", KINDS)
def test_odd_videos_are_protected_and_read_back(home: Path, tmp_path: Path, kind: str) -> None:
    given = dict(KINDS[kind])
    size = given.pop("size", (384, 512))
    frames = [cv2.resize(f, size[::-1]) for f in scene(12)]
    made = checked(film(tmp_path / "source.mkv", frames=frames, **given), home)
    with av.open(str(made.path)) as box:
        video = box.streams.video[0]
        assert len(box.streams.video) == 1 and video.frames == 12
        if kind == "three hours":
            assert float(video.duration * video.time_base) > 3 * 3600
        if kind == "turned":
            assert next(box.decode(video)).rotation == -90


@pytest.mark.slow
def test_an_8k_video(home: Path, tmp_path: Path) -> None:
    large = cv2.resize(scene(1)[0], (7680, 4320), interpolation=cv2.INTER_CUBIC)
    frames = [np.roll(large, 16 * n, axis=1) for n in range(3)]
    source = film(tmp_path / "source.mp4", frames=frames, options={"preset": "ultrafast"})
    made = checked(source, home)
    with av.open(str(made.path)) as box:
        assert (box.streams.video[0].width, box.streams.video[0].height) == (7680, 4320)
