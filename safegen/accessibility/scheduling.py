"""Where each description goes: into a pause in its own scene, in the longest wording that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from safegen.accessibility.cues import Cue, Interval, rounded_cue
from safegen.accessibility.scenes import Scene

CHARACTERS_PER_SECOND = 19.0
"""Characters a second of brisk, clear speech (about 220 words a minute)."""
MIN_PAUSE_SECONDS = 0.6
"""Seconds of pause below which nothing is said."""

Length: TypeAlias = Callable[[str], float]
"""How many seconds a text takes to say."""


@dataclass(frozen=True)
class Schedule:
    """Descriptions with their times, and the scenes for which no pause was long enough."""

    cues: tuple[Cue, ...]
    omitted: tuple[Scene, ...] = ()


def estimate_duration(text: str) -> float:
    """Seconds that saying *text* takes."""
    return len(text) / CHARACTERS_PER_SECOND


def schedule_cues(
    scenes: Sequence[Scene], pauses: Sequence[Interval], length: Length = estimate_duration
) -> Schedule:
    """A cue for each of *scenes* that has room within *pauses*; it lasts as long as there is room.

    A scene that is all pause always gets its shortest wording: it is shown as text at least that long.
    """
    cues, left_out = [], []
    for scene in scenes:
        rooms = [(max(a, scene.span[0]), min(b, scene.span[1])) for a, b in pauses]
        rooms = [r for r in rooms if r[1] - r[0] >= MIN_PAUSE_SECONDS]
        placed = _schedule_cue(scene, rooms, length)
        if placed is None:
            left_out.append(scene)
        else:
            cues.append(placed)
    return Schedule(tuple(cues), tuple(left_out))


def _schedule_cue(scene: Scene, rooms: Sequence[Interval], length: Length) -> Cue | None:
    for text in scene.phrase.wordings:
        for start, end in rooms:
            if length(text) <= end - start:
                return rounded_cue(start, end, text)
    silent = len(rooms) == 1 and rooms[0] == scene.span
    return rounded_cue(*scene.span, scene.phrase.wordings[-1]) if silent else None
