"""Compares what the judge reads in a clip with what was asked for, and counts: shares with their 95 %
intervals and what was taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.frames._analysis import track_bodies
from safegen.detectors.frames.world import attributes
from training.world.spec import Scene

Frames = NDArray[np.uint8]
Verdict = dict[str, tuple[str, str, bool]]
"""By aspect: what was asked, what was read, and whether that is right."""

ASPECTS = ("colour", "shape", "size", "count", "motion", "background", "relation", "pair")


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (E. B. Wilson, JASA 22, 1927); (0, 1) of nothing."""
    if of == 0:
        return 0.0, 1.0
    p = right / of
    middle = p + z * z / (2 * of)
    half = z * float(np.sqrt(p * (1 - p) / of + z * z / (4 * of * of)))
    scale = 1 + z * z / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def read(frames: Frames) -> dict[str, str]:
    """What the judge says of native frames (n, h, w, 3), by attribute."""
    return {a.name: a.value for a in attributes(track_bodies(frames.astype(np.float32)))}


def _label(colour: str, kind: str) -> str:
    return f"{colour} {kind}"


def _pair(scene: Scene, said: Mapping[str, str]) -> Verdict:
    wanted = [_label(t.colour, t.kind) for t in scene.in_order]
    found = [_label(said["colour"], said["shape"]), _label(said["second_colour"], said["second_shape"])]
    out = {"pair": (" + ".join(sorted(wanted)), " + ".join(sorted(found)), sorted(wanted) == sorted(found))}
    if scene.relation != "and":
        axis = "above" if scene.relation in ("above", "below") else "left_of"
        straight = _alike(wanted[0], found[0]) + _alike(wanted[1], found[1])
        crossed = _alike(wanted[0], found[1]) + _alike(wanted[1], found[0])
        order = said["relation"] if straight > crossed else f"swapped {said['relation']}"
        out["relation"] = (axis, order, order == axis)
    return out


def _alike(a: str, b: str) -> int:
    """In how many of colour and kind two labels agree."""
    return sum(x == y for x, y in zip(a.split(), b.split(), strict=True))


def verdict(scene: Scene, said: Mapping[str, str]) -> Verdict:
    """Judge one reading by its scene. Two-thing scenes are judged by `pair` and `relation` in place of
    colour, shape and size; several alike not by size, in which they differ by less than a pixel."""
    wanted = {"count": str(scene.number), "motion": scene.motion, "background": scene.background}
    if len(scene.things) == 1:
        thing = scene.things[0]
        wanted |= {"colour": thing.colour, "shape": thing.kind}
        if scene.count == 1:
            wanted["size"] = thing.size
    out = {k: (v, said[k], said[k] == v) for k, v in wanted.items()}
    if len(scene.things) > 1:
        out |= _pair(scene, said)
    return out


def tally(verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """Counts of one set: by aspect `right`, `of`, `share`, `low`, `high` (95 %) and the commonest mistakes;
    `all` is every aspect at once."""
    rows = list(verdicts)
    out: dict[str, Any] = {"clips": len(rows)}
    for aspect in (*ASPECTS, "all"):
        if aspect == "all":
            here = [("", "", all(ok for *_, ok in row.values())) for row in rows]
        else:
            here = [row[aspect] for row in rows if aspect in row]
        if not here:
            continue
        right = sum(ok for *_, ok in here)
        low, high = wilson(right, len(here))
        out[aspect] = {
            "right": right,
            "of": len(here),
            "share": round(right / len(here), 3),
            "low": round(low, 3),
            "high": round(high, 3),
        }
        wrong = Counter(f"{want} -> {said}" for want, said, ok in here if not ok)
        if aspect != "all" and wrong:
            out[aspect]["mistakes"] = dict(wrong.most_common(8))
    return out


def table(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The figures, by source and set, as aligned text."""
    head = f"{'':32s}" + "".join(f"{a:>11s}" for a in (*ASPECTS, "all"))
    lines = [head]
    for source, sets in figures.items():
        for name, counts in sets.items():
            cells = "".join(
                f"{counts[a]['share']:11.3f}" if a in counts else f"{'-':>11s}" for a in (*ASPECTS, "all")
            )
            label = f"{source} / {name} ({counts['clips']})"
            lines.append(f"{label:32s}" + cells)
    return "\n".join(lines)
