"""How exactly does ``safegen detect`` find where a mark begins and ends?

``python -m benchmarks.splices --clips FOLDER --out OUT`` marks each clip, puts an unmarked piece of another
clip (of the same one; nothing) into it at several places, encodes that at CRF 23, 28 and 33, and compares the
borders found with the true ones. Every case is a row of ``splices.jsonl``, and a second run goes on where the
first one ended; ``splices.md`` sums up.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.watermark.nulls import read_rows
from safegen import detect
from safegen.media.encode import Encoding, encode_mp4
from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import TileWatermark

RATE = 24
SHORT = 480
PLACES = ((0.15, 0.30), (0.35, 0.65), (0.70, 0.80))
"""Where the unmarked piece lies, as shares of the clip."""
RATES = (23, 28, 33)
KINDS = ("none", "other clip", "same clip")
PAYLOAD = 0x5AFE_0000_0000_0042


def read(clip: Path, count: int) -> np.ndarray:
    """The first *count* frames, short side SHORT at most: uint8 (n, height, width, 3) RGB, even sides."""
    frames = []
    with av.open(str(clip)) as box:
        for frame, _ in zip(box.decode(video=0), range(count), strict=False):
            rgb = frame.to_ndarray(format="rgb24")
            scale = min(1.0, SHORT / min(rgb.shape[:2]))
            size = [round(s * scale) // 2 * 2 for s in (rgb.shape[1], rgb.shape[0])]
            frames.append(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    return np.stack(frames)


def fit(frames: np.ndarray, like: np.ndarray) -> np.ndarray:
    """*frames* scaled to the size of *like* and repeated to its length."""
    height, width = like.shape[1:3]
    scaled = [cv2.resize(f, (width, height), interpolation=cv2.INTER_AREA) for f in frames]
    return np.stack([scaled[i % len(scaled)] for i in range(len(like))])


def one(
    clip: np.ndarray, other: np.ndarray | None, place: tuple[float, float], crf: int, file: Path
) -> dict[str, object]:
    """One splice: true borders and runs in seconds. Without *other* nothing is put in."""
    first, last = (round(p * len(clip)) if other is not None else 0 for p in place)
    marked = np.stack(list(TileWatermark().embed(iter(clip), payload=PAYLOAD, key=PUBLIC_KEY)))
    spliced = marked if other is None else np.concatenate([marked[:first], other[first:last], marked[last:]])
    encode_mp4(iter(spliced), file, fps=Fraction(RATE), encoding=Encoding(crf=crf, preset="veryfast"))
    found = detect(file)
    file.unlink()
    runs = found.marks[0].runs if found.marks else ()
    true = (first / RATE, last / RATE)
    return {"true": true, **judged([(r.start, r.end, r.present) for r in runs], true)}


def judged(runs: Sequence[tuple[float, float, bool]], true: tuple[float, float]) -> dict[str, object]:
    """Whether *runs* (start, end, marked) are those of a clip without a mark from *true*[0] to *true*[1].

    ``errors``: of the borders, where there are three runs; ``lost``: seconds with the mark called unmarked.
    """
    pattern = [present for *_, present in runs]
    lost = sum(
        end - start - max(0.0, min(end, true[1]) - max(start, true[0]))
        for start, end, present in runs
        if not present
    )
    if true[0] == true[1]:
        return {"runs": runs, "right": pattern == [True], "errors": [], "lost": lost}
    right = pattern == [True, False, True]
    errors = [abs(a[1] - b) for a, b in zip(runs, true, strict=False)] if right else []
    return {"runs": runs, "right": right, "errors": errors, "lost": lost}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows by kind and rate, in Markdown."""
    out = ["| unmarked piece | CRF | runs right | border error, median / largest | marked, called unmarked |"]
    out.append("|---|---|---|---|---|")
    for kind, crf in product(KINDS, RATES):
        part = [r for r in rows if r["kind"] == kind and r["crf"] == crf]
        if not part:
            continue
        errors = sorted(e for r in part for e in r["errors"])
        said = f"{statistics.median(errors):.2f} s / {errors[-1]:.2f} s" if errors else ""
        right, lost = sum(bool(r["right"]) for r in part), sum(r["lost"] for r in part)
        out.append(f"| {kind} | {crf} | {right}/{len(part)} | {said} | {lost:.1f} s |")
    return "\n".join(out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of MP4 files")
    parser.add_argument("--frames", type=int, default=120, help="frames of each clip")
    parser.add_argument("--most", type=int, default=100, help="clips at most")
    parser.add_argument("--minutes", type=float, default=1000.0, help="stop after that long")
    parser.add_argument("--out", type=Path, required=True, help="folder for splices.jsonl and splices.md")
    args = parser.parse_args()
    until = time.monotonic() + 60 * args.minutes
    args.out.mkdir(parents=True, exist_ok=True)
    sink = args.out / "splices.jsonl"
    rows = read_rows(sink)
    done = {(r["clip"], r["kind"], r["crf"], r["place"]) for r in rows}
    files = sorted(args.clips.glob("*.mp4"))[: args.most]
    clips = [read(f, args.frames) for f in files]
    with tempfile.TemporaryDirectory() as folder, sink.open("a") as lines:
        for place, crf, kind, n in product(range(len(PLACES)), RATES, KINDS, range(len(clips))):
            here = {"clip": files[n].stem, "kind": kind, "crf": crf, "place": place}
            if time.monotonic() > until:
                break
            if tuple(here.values()) in done or (kind == "none" and place):
                continue
            clip = clips[n]
            other = {"none": None, "same clip": clip}.get(kind, fit(clips[(n + 1) % len(clips)], clip))
            row = {**here, **one(clip, other, PLACES[place], crf, Path(folder) / "spliced.mp4")}
            rows.append(row)
            lines.write(json.dumps(row) + "\n")
            lines.flush()
    (args.out / "splices.md").write_text(table(rows) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
