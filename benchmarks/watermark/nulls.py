"""False alarms: full searches of unmarked pictures under random keys. Can be stopped and run again.

python -m benchmarks.watermark.nulls --clips DIR [DIR ...] --searches 10000 --out OUT

Every search is a row of OUT/nulls.jsonl; a second run goes on where the first one ended. OUT/nulls.json and
OUT/nulls.svg sum up: how often the statistics reached a value, against the bound that is claimed for it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np

from benchmarks.watermark import attacks as a
from benchmarks.watermark.edits import Frames
from benchmarks.watermark.plot import Point, chart
from benchmarks.watermark.unmarked import Make, contents
from safegen.watermarks.tile import detect, residual, search
from safegen.watermarks.tile.spectrum import Spectrum, spectrum
from safegen.watermarks.tile.statistic import log10_bound

KNOWN = 1000
"""Ids a search is also given."""
VISIT = 15
"""Keys tried on one content before the next one's turn."""


def schedule(names: Sequence[str], searches: int) -> Iterator[tuple[str, range]]:
    """(content, numbers of its keys), over and over until *searches* keys were given out."""
    done, turn = 0, 0
    while done < searches and names:
        for name in names:
            count = min(VISIT, searches - done)
            if count <= 0:
                return
            yield name, range(turn * VISIT, turn * VISIT + count)
            done += count
        turn += 1


def _spectra(frames: Frames) -> list[Spectrum]:
    found = residual.streams(a.sample(frames, None, 24.0))
    return [] if found is None else [spectrum(m) for m in found.means]


def visit(name: str, frames: Frames, keys: Sequence[int], known: Sequence[int]) -> list[dict[str, Any]]:
    """A full search of *frames* under each key; the lattices, which know no key, are worked out once."""
    spectra = _spectra(frames)
    plain = search.lattices
    table = cache(lambda n, top: plain(spectra[n], top))
    rows = []
    with mock.patch.object(search, "lattices", lambda one, top: table(_place(spectra, one), top)):
        for number in keys:
            state = detect.look(spectra, f"{name} {number}".encode(), known)
            rows.append(
                {
                    "content": name,
                    "key": number,
                    "accepted": len(state.found),
                    "pilot_z": round(state.pilot_z, 4),
                    "trials": state.pilot_trials,
                    "log10_p": round(state.pilot_log10_p(), 4),
                    "known_z": round(state.known_z, 4),
                    "free_z": round(state.free_z, 4),
                }
            )
    return rows


def _place(spectra: Sequence[Spectrum], one: Spectrum) -> int:
    return next(n for n, other in enumerate(spectra) if other is one)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows written so far; a last line cut off by a stop is left out of the file too."""
    if not file.exists():
        return []
    text = file.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole)
    return [json.loads(line) for line in whole.splitlines()]


def run(makes: Mapping[str, Make], searches: int, out: Path) -> list[dict[str, Any]]:
    """Search until *searches* rows are in OUT/nulls.jsonl; all rows."""
    file = out / "nulls.jsonl"
    rows = read_rows(file)
    done = {(r["content"], r["key"]) for r in rows}
    known = [int(v) for v in np.random.default_rng(1).integers(0, 1 << 63, KNOWN)]
    with file.open("a") as sink:
        for name, keys in schedule(list(makes), searches):
            left = [k for k in keys if (name, k) not in done]
            if not left:
                continue
            new = visit(name, makes[name](), left, known)
            sink.writelines(json.dumps(row) + "\n" for row in new)
            sink.flush()
            rows += new
    return rows


def reached(z: np.ndarray) -> list[Point]:
    """(x, log10 of the share of *z* that is at least x), at every value."""
    ordered = np.sort(z)[::-1]
    return [(float(v), math.log10((n + 1) / len(z))) for n, v in enumerate(ordered)][::-1]


def bound(z: np.ndarray, trials: float) -> list[Point]:
    """(x, log10 of the proven bound) over the same range and up to where it reaches the acceptance."""
    x = np.linspace(float(z.min()), max(float(z.max()), 8.5), 60)
    return [(float(v), log10_bound(float(v), math.log10(trials))) for v in x]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts, extremes, and how far above the claim the worst statistic lies."""
    p = np.array([r["log10_p"] for r in rows])
    kinds = sorted({r["content"].rsplit("/", 1)[0] for r in rows})
    return {
        "date": dt.date.today().isoformat(),
        "searches": len(rows),
        "contents": len({r["content"] for r in rows}),
        "keys_known_ids": KNOWN,
        "payloads_accepted": sum(r["accepted"] for r in rows),
        "smallest_log10_p": float(p.min()),
        "largest_pilot_z": max(r["pilot_z"] for r in rows),
        "largest_known_id_z": max(r["known_z"] for r in rows),
        "largest_free_z": max(r["free_z"] for r in rows),
        "by_kind": {k: sum(r["content"].rsplit("/", 1)[0] == k for r in rows) for k in kinds},
    }


def picture(rows: Sequence[dict[str, Any]]) -> str:
    """How often each statistic reached a value, beside its bound."""
    pilot, known = (np.array([r[f] for r in rows]) for f in ("pilot_z", "known_z"))
    trials = float(np.median([r["trials"] for r in rows]))
    lines = {
        "pilots, seen": reached(pilot),
        "pilots, bound": bound(pilot, trials),
        "known ids, seen": reached(known),
        "known ids, bound": bound(known, KNOWN * 64),
    }
    title = f"{len(rows):,} searches of unmarked pictures"
    return chart(title, "z reached", "log10 of the share of searches", lines)


def main() -> None:
    """Search, and say how near the bound anything ever came."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark.nulls", description=__doc__)
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="folders of unmarked .mp4 files")
    parser.add_argument("--out", type=Path, required=True, help="folder for nulls.jsonl, .json and .svg")
    parser.add_argument("--searches", type=int, default=10_000)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        run(contents(args.clips), args.searches, args.out)
    except KeyboardInterrupt:
        print("stopped; run it again to go on")
    rows = read_rows(args.out / "nulls.jsonl")
    if not rows:
        return
    (args.out / "nulls.svg").write_text(picture(rows))
    text = json.dumps(summary(rows), indent=1)
    (args.out / "nulls.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
