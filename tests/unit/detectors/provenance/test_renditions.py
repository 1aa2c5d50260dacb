"""Honest renditions in miniature match, other contents differ, and what cannot be told is neither."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.detectors.provenance.content import Descriptors, compare_content, compute_descriptors
from safegen.types import ContentMatch, FrameSample, Geometry

HIGH, WIDE, SECONDS = 144, 256, 4.0
PLAIN = Geometry((256 / HIGH, 0, 0, 256 / HIGH), (0, 0), 64)
Picture = Callable[[float], np.ndarray]


def film(ground: int = 0, *, x: float = 0.1, y: float = 0.5, speed: float = 0.18, size: int = 36) -> Picture:
    """A still camera and one textured thing that moves: from a moment (seconds) to uint8 (HIGH, WIDE, 3).

    *x*, *y*, *speed* are shares of the picture (a second); the thing turns back at the edges.
    """
    rng = np.random.default_rng(ground)
    back = np.full((HIGH, WIDE, 3), 120, np.float32)
    for cells, depth in ((4, 40), (16, 25)):
        coarse = rng.normal(0, depth, (cells, 2 * cells, 3)).astype(np.float32)
        back += cv2.resize(coarse, (WIDE, HIGH), interpolation=cv2.INTER_CUBIC)
    thing = cv2.resize(rng.integers(0, 256, (3, 4, 3)).astype(np.float32), (size * 4 // 3, size))

    def at(time: float) -> np.ndarray:
        way = (x + speed * time) % 2
        left = round((way if way < 1 else 2 - way) * (WIDE - thing.shape[1]))
        top = round(y * (HIGH - size))
        picture = back.copy()
        picture[top : top + size, left : left + thing.shape[1]] = thing
        return np.clip(picture, 0, 255).astype(np.uint8)

    return at


def shot(show: Picture, fps: float = 12.5, seconds: float = SECONDS, start: float = 0.0) -> np.ndarray:
    """Every frame of a film: uint8 (n, HIGH, WIDE, 3)."""
    return np.stack([show(start + n / fps) for n in range(round(fps * seconds))])


def seen(frames: np.ndarray, fps: float, times: np.ndarray | None = None) -> FrameSample:
    """What ``verify`` looks at: 64 evenly spread frames, compressed."""
    at = np.arange(len(frames)) / fps if times is None else times
    kept = np.unique(np.linspace(0, len(frames) - 1, min(64, len(frames))).round().astype(int))
    packed = [cv2.imencode(".jpg", frames[i], [cv2.IMWRITE_JPEG_QUALITY, 40])[1] for i in kept]
    pictures = np.stack([np.asarray(cv2.imdecode(p, cv2.IMREAD_COLOR)) for p in packed])
    flags = tuple(i == 0 for i in kept)
    height, width = frames.shape[1:3]
    return FrameSample(
        pictures, tuple(float(at[i]) for i in kept), flags, width, height, fps, float(at[-1] + 1 / fps)
    )


def played(frames: np.ndarray, was: float, fps: float, speed: float = 1.0) -> FrameSample:
    """*frames* of *was* a second at another frame rate and speed: each moment shows the nearest frame."""
    moments = np.arange(round(len(frames) / was / speed * fps)) / fps * speed
    index = np.minimum((moments * was).round().astype(int), len(frames) - 1)
    return seen(frames[index], fps)


def blended(frames: np.ndarray, was: float, fps: float) -> FrameSample:
    """Another frame rate by mixing neighbours."""
    places = np.arange(round((len(frames) - 1) / was * fps)) / fps * was
    low = places.astype(int)
    part = (places - low)[:, None, None, None]
    mixed = frames[low] * (1 - part) + frames[low + 1] * part
    return seen(mixed.round().astype(np.uint8), fps)


def overlaid(frames: np.ndarray) -> np.ndarray:
    """With a logo, a caption and a frame."""
    out = frames.copy()
    cover = np.zeros((HIGH, WIDE), np.uint8)
    cv2.rectangle(cover, (0, 0), (WIDE - 1, HIGH - 1), 1, 5)
    cv2.rectangle(cover, (14, 10), (50, 24), 2, -1)
    cv2.putText(cover, "CAPTION", (90, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 2, 2)
    out[:, cover == 1], out[:, cover == 2] = 0, 255
    return out


def without_tag(frames: np.ndarray) -> np.ndarray:
    """Pictures of a file whose BT.709 tag was lost: read by the matrix of BT.601."""

    def matrix(red: float, blue: float) -> np.ndarray:
        luma = np.array([red, 1 - red - blue, blue])
        return np.stack([luma, (np.eye(3)[2] - luma) / (1 - blue), (np.eye(3)[0] - luma) / (1 - red)])

    change = np.linalg.inv(matrix(0.299, 0.114)) @ matrix(0.2126, 0.0722)
    return np.asarray(np.clip(frames @ change.T, 0, 255).round(), dtype=np.uint8)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return shot(film())


@pytest.fixture(scope="module")
def record(frames: np.ndarray) -> Descriptors:
    return compute_descriptors(seen(frames, 12.5))


UNEVEN = np.array([n for n in range(50) if n % 7 != 3 and n % 11 != 5])
HONEST: dict[str, Callable[[np.ndarray], FrameSample]] = {
    **{f"fps_{r}": lambda f, r=r: played(f, 12.5, r) for r in (24, 25, 30, 60)},  # type: ignore[misc]
    **{f"speed_{s}": lambda f, s=s: played(f, 12.5, 25, s) for s in (0.6, 0.9, 1.1, 1.25, 1.8)},  # type: ignore[misc]
    "blended": lambda f: blended(f, 12.5, 30),
    "start_cut": lambda f: played(f[7:], 12.5, 30),
    "both_cut": lambda f: played(f[9:-14], 12.5, 24),
    "cut_and_faster": lambda f: played(f[11:], 12.5, 30, 1.1),
    "uneven": lambda f: seen(f[UNEVEN], 12.5, UNEVEN / 12.5),
    "doubled": lambda f: seen(np.repeat(f, 2, axis=0), 25),
    "overlaid": lambda f: played(overlaid(f), 12.5, 30),
    "tag_lost": lambda f: seen(without_tag(f), 12.5),
    "darker": lambda f: played((f * 0.7 + 10).astype(np.uint8), 12.5, 30, 1.1),
}


@pytest.mark.parametrize("kind", HONEST)
def test_honest_renditions_match(record: Descriptors, frames: np.ndarray, kind: str) -> None:
    got = compare_content(record, HONEST[kind](frames), PLAIN)
    assert got.matches and not got.differs, got


@pytest.mark.parametrize(
    ("was", "fps", "speed"), [(12.5, 30, 1.0), (24, 30, 1.0), (24, 25, 1.1), (30, 12.5, 1.0)]
)
def test_a_fast_thing_is_no_other_content(was: float, fps: float, speed: float) -> None:
    fast = shot(film(3, speed=1.9), was)
    got = compare_content(compute_descriptors(seen(fast, was)), played(fast, was, fps, speed), PLAIN)
    assert not got.differs and got.score > 0.7, got


@pytest.mark.parametrize("fps", [12.5, 30])
@pytest.mark.parametrize(("ground", "lane"), [(5, 0.3), (6, 0.5), (0, 0.0), (0, 1.0)])
def test_pasted_marks_differ(record: Descriptors, ground: int, lane: float, fps: float) -> None:
    """Another film; and the same ground with the thing in another lane."""
    got = compare_content(record, seen(shot(film(ground, y=lane), fps), fps), PLAIN)
    assert got.differs and not got.matches, got


def test_where_too_little_can_be_told_it_is_neither(record: Descriptors, frames: np.ndarray) -> None:
    grey = np.full_like(frames, 128)
    other = shot(film(5))
    cases = {
        "blank": seen(grey, 12.5),
        "one picture between two recorded ones": seen(other[:1], 12.5),
        "three pictures": seen(other[:3], 12.5),
        "every picture of another scene": seen(np.stack([film(40 + n)(0) for n in range(50)]), 12.5),
        "backwards": seen(frames[::-1], 12.5),
        "halves exchanged": seen(np.concatenate([frames[25:], frames[:25]]), 12.5),
        "another clip after it": seen(np.concatenate([frames, other]), 12.5),
    }
    for name, sample in cases.items():
        got = compare_content(record, sample, PLAIN)
        assert not got.matches and not got.differs, (name, got)
    blank = compute_descriptors(seen(grey, 12.5))
    assert not compare_content(blank, seen(frames, 12.5), PLAIN).differs


def test_without_a_mark_that_says_where_it_lies_nothing_differs(record: Descriptors) -> None:
    other = seen(shot(film(5)), 12.5)
    assert not compare_content(record, other, None).differs
    assert not compare_content(record, other, PLAIN, only_matches=True).differs
    assert compare_content(record, other, PLAIN).differs


@settings(max_examples=12, deadline=None)
@given(speed=st.floats(0.55, 1.9), start=st.floats(0, 1.2), fps=st.sampled_from([12.5, 24.0, 25.0, 30.0]))
def test_at_any_speed_from_any_moment_it_is_the_same(speed: float, start: float, fps: float) -> None:
    show = film(2, speed=0.15)
    recorded = compute_descriptors(seen(shot(show, 24), 24))
    count = round((SECONDS - 0.1 - start) / speed * fps)
    frames = np.stack([show(start + speed * n / fps) for n in range(count)])
    got = compare_content(recorded, seen(frames, fps), PLAIN)
    assert got.matches and not got.differs, got


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(100, 10_000), speed=st.floats(0.0, 2.0), y=st.floats(0, 1))
def test_unrelated_content_is_never_the_same(seed: int, speed: float, y: float) -> None:
    recorded = compute_descriptors(seen(shot(film(0)), 12.5))
    got = compare_content(recorded, seen(shot(film(seed, y=y, speed=speed)), 12.5), PLAIN)
    assert not got.matches and got.score < 0.6


def test_odd_times_are_no_evidence(record: Descriptors, frames: np.ndarray) -> None:
    """Equal times, times that go backwards, no length, a length of years."""
    sample = seen(frames, 12.5)
    n = len(sample.times)
    for times, seconds in (
        ((0.0,) * n, 4.0),
        (tuple(reversed(sample.times)), 4.0),
        (sample.times, 0.0),
        (sample.times, 1e12),
        (tuple(1e9 * t for t in sample.times), 4e9),
    ):
        assert not compare_content(record, replace(sample, times=times, seconds=seconds), PLAIN).differs


def test_a_result_cannot_be_both() -> None:
    with pytest.raises(ValueError, match="both"):
        ContentMatch(True, 0.9, 1.0, 0.86, differs=True)
