"""The fixed evaluation prompts: sets of scenes, drawn once and written down in `prompts.json`.

single  one thing, combinations of colour, kind, motion and place that training never sees
count   two or three alike, held-out combinations
pairs   two different things and how they stand, held-out combinations of the first
seen    one thing, combinations that training may see
simple, simple_seen   the same as single and seen, from stage two of the world

The camera is still in all of them; one scene in eight plays at dusk, none of the simple ones.
`python -m training.tiny.prompts` writes the file again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from training.world import stages
from training.world.captions import plain
from training.world.spec import Scene, scene_from

FILE = Path(__file__).with_name("prompts.json")
CLIPS = 200
"""Prompts in each set."""
_SEED = 23
_DUSK = 8
_PAIRS = 0.3
"""Share of pairs among the scenes the sets were picked from; training has its own (`stages`)."""
_HELD = {"single": True, "count": True, "pairs": True, "seen": False, "simple": True, "simple_seen": False}
SETS = tuple(_HELD)
_SIMPLE = ("simple", "simple_seen")


def sets_of(stage: str) -> tuple[str, ...]:
    """The sets a model of a stage is judged by."""
    return _SIMPLE if stage in ("one", "two") else SETS


@dataclass(frozen=True)
class Case:
    """A scene to judge, its plainest caption, and the seed it is rendered or generated with."""

    scene: Scene
    prompt: str
    seed: int


_BELONGS: dict[str, Callable[[Scene, int], bool]] = {
    "single": lambda s, i: len(s.things) == s.count == 1,
    "count": lambda s, i: s.count == 2 + i % 2,
    "pairs": lambda s, i: len(s.things) == 2,
    "seen": lambda s, i: len(s.things) == s.count == 1,
    "simple": lambda s, i: True,
    "simple_seen": lambda s, i: True,
}


def draw(name: str, clips: int = CLIPS) -> list[Case]:
    """The first `clips` cases of a set, the same every time. Raises KeyError for an unknown set."""
    rng = np.random.default_rng([_SEED, SETS.index(name)])
    world = stages.STAGES["two"] if name in _SIMPLE else replace(stages.STAGES["full"], pairs=_PAIRS)
    out: list[Case] = []
    while len(out) < clips:
        scene = stages.sample(world, rng, _HELD[name])
        if not _BELONGS[name](scene, len(out)):
            continue
        dusk = len(out) % _DUSK == _DUSK - 1 and name not in _SIMPLE
        daytime = "dusk" if dusk else "day"
        scene = replace(scene, camera="static", daytime=daytime)
        out.append(Case(scene, plain(scene), int(rng.integers(1 << 31))))
    return out


def written() -> dict[str, list[Case]]:
    """The cases of every set as they stand in `prompts.json`."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: [Case(scene_from(c["scene"]), c["prompt"], c["seed"]) for c in data[name]] for name in SETS}


def text() -> str:
    """What `prompts.json` holds: one case a line."""
    parts = []
    for name in SETS:
        lines = [
            json.dumps({"prompt": c.prompt, "seed": c.seed, "scene": asdict(c.scene)}) for c in draw(name)
        ]
        parts.append(f'"{name}": [\n' + ",\n".join(lines) + "\n]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
