"""What can be in the world: things, places, motions and the scene that combines them.

Everything the renderer draws and the grammar says is named here; `stages` chooses subsets of it.
Colours are 8-bit RGB. Lengths are in units of half the picture's side (so the picture spans -1..1, y down).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safegen.detectors.frames import _motion, world

SIDE = 64
"""Native side of a clip, in pixels."""
FRAMES = 17
"""Native number of frames of a clip (4k + 1, as the video autoencoder wants)."""

COLOURS = {name: rgb for name, rgb in world.COLOURS.items() if name != "grey"}
"""Colours of things: those that the judge knows, without the grey that is a place."""

KINDS = ("ball", "box", "triangle", "star", "car", "boat", "tree", "house", "bird", "sun", "cloud")

RADII: dict[int, dict[str, float]] = {
    1: {"small": 0.40, "medium": 0.52, "large": 0.64},
    2: {"small": 0.38, "medium": 0.42, "large": 0.46},
    3: {"small": 0.27, "medium": 0.29, "large": 0.31},
}
"""Circumscribed radius of a thing by the number of things in the picture and the size word."""

SIZES = tuple(RADII[1])

NATURAL: dict[str, tuple[str, ...]] = {
    "sun": ("yellow", "orange"),
    "cloud": ("white",),
    "tree": ("green",),
    "boat": ("brown", "white"),
}
"""Colours that need not be said: "the sun" is yellow. Sampled more often for these kinds."""

FACING = frozenset({"car", "boat", "bird"})
"""Kinds with a front, drawn facing right and mirrored when they move left."""

MOTIONS = _motion.MOTIONS

SPEEDS: dict[str, float] = {"slow": 0.45, "normal": 0.85, "fast": 1.25}
"""Factor on how far a thing travels in one clip (clipped so that it stays inside the picture)."""

BACKGROUNDS = ("grey", "grass", "sea", "desert", "night", "snow")
CAMERAS = ("static", "pan_left", "pan_right", "zoom_in", "zoom_out")
DAYTIMES = ("day", "dusk")
RELATIONS = ("and", "left_of", "right_of", "above", "below")
GROUP_MOTIONS = tuple(m for m in MOTIONS if m not in ("orbit", "zigzag"))
"""Motions of several things at once: they keep formation, for which wide curves leave no room."""
SIDE_BY_SIDE, STACKED = ("left_of", "right_of"), ("above", "below")
NO_ROOM: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SIDE_BY_SIDE, ("left", "right")),
    **dict.fromkeys(STACKED, ("up", "down", "bounce")),
}
"""Motions along the line on which two things stand: they fill it, so there is nowhere to go."""

INVISIBLE = frozenset({("white", "snow"), ("black", "night")})
"""Pairs of colour and background nobody could see; never sampled."""

UNSEEN_MOTION = frozenset({("ball", "spin")})
"""Pairs of kind and motion nobody could see; never sampled."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object: its kind, its colour's name and its size word."""

    kind: str
    colour: str
    size: str


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a caption may talk about. `count` copies of `things[0]` are drawn when there is one thing.

    With two things `relation` says where the first is as seen from the second ("and": on the left or on top).
    All things of a scene move alike and keep their formation.
    """

    things: tuple[Thing, ...]
    motion: str
    background: str
    speed: str = "normal"
    count: int = 1
    relation: str | None = None
    daytime: str = "day"
    camera: str = "static"

    @property
    def number(self) -> int:
        """How many things there are."""
        return max(self.count, len(self.things))

    @property
    def swapped(self) -> bool:
        """Whether the thing named second is the left or upper one."""
        return self.relation in ("right_of", "below")

    @property
    def in_order(self) -> tuple[Thing, ...]:
        """The things, the left or upper one first."""
        return self.things[::-1] if self.swapped else self.things

    @property
    def stacked(self) -> bool:
        """Whether several stand one above the other; where nobody says, it is across the way they move."""
        if len(self.things) == 1 or self.relation == "and":
            return self.motion in ("left", "right")
        return self.relation in STACKED

    @property
    def key(self) -> str:
        """Colour, kind, motion and background of the main thing: the combination that is held out or not."""
        main = self.things[0]
        return f"{main.colour}|{main.kind}|{self.motion}|{self.background}"


def scene_from(data: Mapping[str, Any]) -> Scene:
    """A scene from its `dataclasses.asdict` form. Raises TypeError for missing or unknown fields."""
    return Scene(**{**data, "things": tuple(Thing(**t) for t in data["things"])})
