"""From scores of single frames to findings about a clip.

Within a scene neighbours are averaged, so that one frame that a model misjudges does not decide; across a
cut nothing is averaged, so that a picture shown for a single frame is judged by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safegen.errors import CheckUnavailable
from safegen.types import Finding

FLOOR = 0.25
"""Smoothed score below which a second is not mentioned."""


@dataclass(frozen=True)
class FrameScores:
    """What a model says about one frame: probability in [0, 1] by category; its time and scene."""

    time: float
    scene: int
    scores: Mapping[str, float]


def validate_scores(scores: Mapping[str, float], name: str) -> Mapping[str, float]:
    """*scores* as they are. Raises CheckUnavailable unless there are any, all of them in [0, 1]."""
    if not scores:
        raise CheckUnavailable(f"{name} returned no scores", hint="nothing was let through")
    for category, value in scores.items():
        if not math.isfinite(value) or not -1e-6 <= value <= 1 + 1e-6:
            raise CheckUnavailable(
                f"{name} returned the score {value} for {category}", hint="nothing was let through"
            )
    return scores


def smoothed(frames: Sequence[FrameScores], category: str) -> list[float]:
    """Scores of *category*, each the mean of itself and its neighbours in the same scene."""
    out = []
    for i, frame in enumerate(frames):
        near = [f for f in frames[max(0, i - 1) : i + 2] if f.scene == frame.scene]
        out.append(sum(min(1.0, max(0.0, f.scores.get(category, 0.0))) for f in near) / len(near))
    return out


def findings_over_time(
    frames: Sequence[FrameScores], name: str, reasons: Mapping[str, str], *, floor: float = FLOOR
) -> tuple[list[Finding], float]:
    """One finding per category and second from *floor* on (its highest score), and the highest score of all.

    *reasons* says in words what a category is.
    """
    found: list[Finding] = []
    highest = 0.0
    for category in sorted({c for f in frames for c in f.scores}):
        seconds: dict[int, tuple[float, float]] = {}
        for frame, score in zip(frames, smoothed(frames, category), strict=True):
            highest = max(highest, score)
            second = int(frame.time)
            if score >= floor and score > seconds.get(second, (0.0, 0.0))[0]:
                seconds[second] = (score, frame.time)
        what = reasons.get(category, category)
        found += [
            Finding(category, score, name, f"{what} at {time:.1f} s", time=time)
            for score, time in seconds.values()
        ]
    return found, highest
