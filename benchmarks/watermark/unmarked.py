"""Pictures that carry no mark, of every kind a search may meet: windows of clips, and drawn ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.watermark.clips import ball, load
from benchmarks.watermark.edits import Frames, resize_one

__all__ = ["WINDOW", "contents"]

WINDOW = 12
"""Frames in a window of a clip."""
_PER_CLIP, _PER_KIND = 8, 24
_SIZE = (360, 640)
Make = Callable[[], Frames]


def contents(folders: Sequence[Path]) -> dict[str, Make]:
    """Name -> what makes the frames (uint8 RGB): windows of every .mp4 of *folders*, and drawn kinds."""
    out: dict[str, Make] = {}
    for file in sorted(f for folder in folders for f in folder.glob("*.mp4")):
        for n in range(_PER_CLIP):
            out[f"clip/{file.stem}/{n}"] = lambda f=file, n=n: _window(f, n)  # type: ignore[misc]
    for kind, draw in _KINDS.items():
        for seed in range(_PER_KIND):
            out[f"{kind}/{seed}"] = lambda d=draw, s=seed: d(np.random.default_rng(s), s)  # type: ignore[misc]
    return out


_held: dict[Path, list[Frames]] = {}


def _window(file: Path, number: int) -> Frames:
    """The *number*-th of eight evenly spaced windows of one clip; the last clip read is kept."""
    if file not in _held:
        _held.clear()
        frames = load(file, 8 * WINDOW * 3, short=360)[0]
        starts = np.linspace(0, max(0, len(frames) - WINDOW), _PER_CLIP).round().astype(int)
        _held[file] = [frames[s : s + WINDOW].copy() for s in starts]
    return _held[file][number]


def _grey(plane: np.ndarray) -> Frames:
    return np.repeat(np.clip(plane, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def _ball(rng: np.random.Generator, seed: int) -> Frames:
    return ball(1000 + seed, 384, WINDOW)


def _noise(rng: np.random.Generator, seed: int) -> Frames:
    return _grey(rng.normal(128, 10 + 2 * seed, (4, *_SIZE)))


def _cloud(rng: np.random.Generator, seed: int) -> Frames:
    """Noise whose power falls with frequency, as that of natural pictures."""
    fy, fx = np.fft.fftfreq(_SIZE[0])[:, None], np.fft.rfftfreq(_SIZE[1])[None]
    shape = np.maximum(np.hypot(fx, fy), 1 / _SIZE[1]) ** -(0.5 + seed / 16)
    planes = [np.fft.irfft2(np.fft.rfft2(rng.normal(size=_SIZE)) * shape, s=_SIZE) for _ in range(2)]
    return _grey(np.stack([128 + 45 * p / p.std() for p in planes]))


def _text(rng: np.random.Generator, seed: int) -> Frames:
    """A page of letters, standing still."""
    page = np.full((*_SIZE, 3), 245, np.uint8)
    scale = float(rng.uniform(0.35, 0.9))
    line = max(10, round(28 * scale))
    for y in range(line, _SIZE[0], line + int(rng.integers(2, 9))):
        words = "".join(chr(int(c)) for c in rng.integers(97, 123, 90))
        cv2.putText(page, words, (8, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 30), 1, cv2.LINE_AA)
    return page[None]


def _flat(rng: np.random.Generator, seed: int) -> Frames:
    """One colour, or a gradient, with dither."""
    ramp = np.linspace(0, seed * 6, _SIZE[1])[None] + rng.uniform(30, 90)
    return _grey(np.broadcast_to(ramp, _SIZE) + rng.uniform(-0.5, 0.5, (3, *_SIZE)))


def _wallpaper(rng: np.random.Generator, seed: int) -> Frames:
    """A picture that repeats, with the mark's own period or one near it: the worst case for a lattice."""
    period = (64, 90, 45, 61, 67, 128)[seed % 6]
    tile = cv2.GaussianBlur(rng.normal(0, 1, (period, period)), (0, 0), 0.6 + seed / 12)
    times = (-(-_SIZE[0] // period), -(-_SIZE[1] // period))
    return _grey(128 + 30 * np.tile(tile / tile.std(), times)[None, : _SIZE[0], : _SIZE[1]])


def _drawn(rng: np.random.Generator, seed: int) -> Frames:
    """A scene of the embedded model's world, scaled up as its clips are."""
    from training.world import render, stages

    scene = stages.sample(stages.STAGES[("one", "two", "three", "full")[seed % 4]], rng, None)
    raw = render.render(scene, seed)[0]
    return np.stack([resize_one(f, 384 / f.shape[0], 384 / f.shape[0]) for f in raw[:WINDOW]])


_KINDS: dict[str, Callable[[np.random.Generator, int], Frames]] = {
    "ball": _ball,
    "noise": _noise,
    "cloud": _cloud,
    "text": _text,
    "flat": _flat,
    "wallpaper": _wallpaper,
    "world": _drawn,
}
