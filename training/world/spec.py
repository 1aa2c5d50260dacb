"""What can be in the world: things, places, motions and the scene that combines them.

Everything the renderer draws and the grammar says is named here; `stages` chooses subsets of it.
Colours are 8-bit RGB. Lengths are in units of half the picture's side (so the picture spans -1..1, y down).
"""

from __future__ import annotations

from dataclasses import dataclass

from safegen.detectors.frames import _motion, world

SIDE = 64
"""Native side of a clip, in pixels."""
FRAMES = 17
"""Native number of frames of a clip (4k + 1, as the video autoencoder wants)."""

COLOURS = {name: rgb for name, rgb in world.COLOURS.items() if name != "grey"}
"""Colours of things: those that the judge knows, without the grey that is a place."""

KINDS = ("ball", "box", "triangle", "star", "car", "boat", "tree", "house", "bird", "sun", "cloud")

SIZES: dict[str, float] = {"small": 0.24, "medium": 0.34, "large": 0.46}
"""Circumscribed radius of a thing by size word."""

MOTIONS = _motion.MOTIONS

SPEEDS: dict[str, float] = {"slow": 0.45, "normal": 0.85, "fast": 1.25}
"""Factor on how far a thing travels in one clip (clipped so that it stays inside the picture)."""

BACKGROUNDS = ("grey", "grass", "sea", "desert", "night", "snow")
CAMERAS = ("static", "pan_left", "pan_right", "zoom_in", "zoom_out")
DAYTIMES = ("day", "dusk")
RELATIONS = ("left_of", "right_of", "above", "below")

INVISIBLE = frozenset({("white", "snow"), ("black", "night")})
"""Pairs of colour and background nobody could see; never sampled."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object: its kind, its colour's name and its size word."""

    kind: str
    colour: str
    size: str


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a caption may talk about. `count` copies of `things[0]` are drawn when there is one thing.

    With two things `relation` says where the first is as seen from the second; only the first one moves.
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
    def key(self) -> str:
        """Colour, kind, motion and background of the main thing: the combination that is held out or not."""
        main = self.things[0]
        return f"{main.colour}|{main.kind}|{self.motion}|{self.background}"
