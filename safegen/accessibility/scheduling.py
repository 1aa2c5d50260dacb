"""Where each description goes: into a pause in its own scene, in the longest wording that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from safegen.accessibility.cues import Cue, Interval, cue
from safegen.accessibility.scenes import Scene

PACE = 19.0
"""Characters a second of brisk, clear speech (about 220 words a minute)."""
LEAST = 0.6
"""Seconds of pause below which nothing is said."""

Length: TypeAlias = Callable[[str], float]
"""How many seconds a text takes to say."""


@dataclass(frozen=True)
class Placed:
    """Descriptions with their times, and the scenes for which no pause was long enough."""

    cues: tuple[Cue, ...]
    left_out: tuple[Scene, ...] = ()


def estimate(text: str) -> float:
    """Seconds that saying *text* takes."""
    return len(text) / PACE


def place(scenes: Sequence[Scene], pauses: Sequence[Interval], length: Length = estimate) -> Placed:
    """A cue for each of *scenes* that has room within *pauses*; it lasts as long as there is room.

    A scene that is all pause always gets its shortest wording: it is shown as text at least that long.
    """
    cues, left_out = [], []
    for scene in scenes:
        rooms = [(max(a, scene.span[0]), min(b, scene.span[1])) for a, b in pauses]
        rooms = [r for r in rooms if r[1] - r[0] >= LEAST]
        placed = _placed(scene, rooms, length)
        if placed is None:
            left_out.append(scene)
        else:
            cues.append(placed)
    return Placed(tuple(cues), tuple(left_out))


def _placed(scene: Scene, rooms: Sequence[Interval], length: Length) -> Cue | None:
    for text in scene.said.forms:
        for start, end in rooms:
            if length(text) <= end - start:
                return cue(start, end, text)
    silent = len(rooms) == 1 and rooms[0] == scene.span
    return cue(*scene.span, scene.said.forms[-1]) if silent else None
