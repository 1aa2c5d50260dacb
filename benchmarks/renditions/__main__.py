"""Honest renditions and pasted marks: ``python -m benchmarks.renditions --films FOLDER --out OUT``.

Pieces of the clips in FOLDER, painted and drawn scenes and clips of the embedded model are marked, encoded
and described as a release is. Every recipe makes a rendition of each, in which the mark is looked for and
whose pictures are compared with what was recorded. A pasted mark is the geometry of a rendition's own mark
with the record of another release: another passage of the same film, another seed of the same scene, or
another film. *Same*, *unclear* and *different* are counted for both, on the half of the pieces on which no
threshold was set (``--half tuning``: the other one).

OUT keeps releases, renditions and rows, and a second run goes on where the first one ended; delete
OUT/renditions_HALF.jsonl after the comparison has changed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2

from benchmarks.renditions.clips import Piece, pieces
from benchmarks.renditions.measure import Rendition, release, renditions
from benchmarks.renditions.recipes import RECIPES
from benchmarks.watermark.content import wilson
from benchmarks.watermark.nulls import read_rows
from safegen.detectors.provenance.content import compare_content
from safegen.types import FrameSample

PARTNERS = 4
OUTCOMES = ("same", "unclear", "different")


def partners(piece: Piece, every: Sequence[Piece]) -> list[Piece]:
    """Releases whose mark is pasted onto *piece*: at most three that show its scene, and others."""
    number = every.index(piece)
    kin = [p for p in every if p.family == piece.family and p.differs_from(piece)][: PARTNERS - 1]
    far = [p for p in every if p.family != piece.family]
    return kin + [far[(7 * number + 5 * k) % len(far)] for k in range(PARTNERS - len(kin)) if far]


def compare(rendition: Rendition, recorded: Piece, sample: FrameSample, folder: Path) -> dict[str, Any]:
    """One row: a rendition against the record of a release, its own or another's."""
    reference = release(recorded, folder)[1]
    begun = time.process_time()
    got = compare_content(reference, sample, rendition.geometry)
    spent = time.process_time() - begun
    own = recorded.name == rendition.piece.name
    kin = "pasted, same scene" if recorded.family == rendition.piece.family else "pasted, other film"
    return {
        "piece": rendition.piece.name,
        "recipe": rendition.recipe,
        "release": recorded.name,
        "kind": "honest" if own else kin,
        "mark": rendition.geometry is not None,
        "outcome": "same" if got.matches else "different" if got.differs else "unclear",
        "score": round(got.score, 4),
        "overlap": round(got.overlap, 3),
        "ms": round(1000 * spent),
    }


def judged(
    every: Sequence[Piece], step: int, folder: Path, done: set[tuple[str, str]]
) -> Iterator[list[dict[str, Any]]]:
    """The rows of renditions that are not *done*: every *step*-th recipe, beginning with another one for each
    piece, and pasted marks under every second of these."""
    names = list(RECIPES)
    for number, piece in enumerate(every):
        todo = [r for n, r in enumerate(names) if (n + number) % step == 0 and (piece.name, r) not in done]
        for rendition in renditions(piece, todo, folder):
            pasted = (number + names.index(rendition.recipe)) % (2 * step) == 0
            sample = rendition.sample()
            releases = [piece, *(partners(piece, every) if pasted else [])]
            yield [compare(rendition, recorded, sample, folder) for recorded in releases]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Outcomes of honest renditions and of pasted marks; shares of what must not be, with 95% intervals."""
    out: dict[str, Any] = {"pieces": len({r["piece"] for r in rows})}
    for kind in sorted({r["kind"] for r in rows}):
        mine = [r for r in rows if r["kind"] == kind]
        counts = {o: sum(r["outcome"] == o for r in mine) for o in OUTCOMES}
        wrong = counts["different" if kind == "honest" else "same"]
        low, high = wilson(wrong, len(mine))
        out[kind] = {"of": len(mine), **counts, "wrong_95": [round(low, 4), round(high, 4)]}
    honest = [r for r in rows if r["kind"] == "honest"]
    out["mark read"] = sum(r["mark"] for r in honest)
    for key in ("recipe", "piece"):
        names = list(dict.fromkeys(r[key] for r in honest))
        out[f"honest, same, by {key}"] = {
            n: f"{sum(r['outcome'] == 'same' for r in honest if r[key] == n)}"
            f"/{sum(r[key] == n for r in honest)}"
            for n in names
        }
    spent = sorted(r["ms"] for r in rows)
    out["ms, median and longest"] = [spent[len(spent) // 2], spent[-1]] if spent else []
    return out


def main() -> None:
    """Make, read and compare what is not in OUT yet, and write OUT/renditions_HALF.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.renditions", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    default = Path(os.environ.get("SAFEGEN_SHARED", "../shared")) / "data/clips"
    parser.add_argument("--films", type=Path, default=default, help="folder of the filmed clips")
    parser.add_argument("--half", choices=("report", "tuning"), default="report")
    parser.add_argument("--clips", type=int, help="only so many pieces, evenly spread")
    parser.add_argument("--recipes", type=int, help="only so many recipes for each piece, in turn")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    every = _spread([p for p in pieces(args.films) if p.half == args.half], args.clips)
    step = math.ceil(len(RECIPES) / min(len(RECIPES), max(1, args.recipes or len(RECIPES))))
    file = args.out / f"renditions_{args.half}.jsonl"
    rows = read_rows(file)
    done = {(r["piece"], r["recipe"]) for r in rows}
    try:
        with file.open("a") as sink:
            for new in judged(every, step, args.out, done):
                rows += new
                sink.write("".join(json.dumps(row) + "\n" for row in new))
                sink.flush()
    except KeyboardInterrupt:
        print("stopped; run it again to go on")
    text = json.dumps({"date": dt.date.today().isoformat(), **summary(rows)}, indent=1)
    (args.out / f"renditions_{args.half}.json").write_text(text + "\n")
    print(text)


def _spread(items: list[Any], count: int | None) -> list[Any]:
    """*count* of *items*, evenly spread; all of them without a count."""
    if count is None or count >= len(items):
        return items
    return [items[round(k * (len(items) - 1) / max(1, count - 1))] for k in range(count)]


if __name__ == "__main__":
    main()
