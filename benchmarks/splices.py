"""How exactly does ``safegen detect`` find where a mark begins and ends?

``python -m benchmarks.splices --clips FOLDER --out OUT`` marks each clip, puts an unmarked piece of another
clip (and of the same one) into it at several places, encodes that at CRF 23 and 28, and compares the borders
found with the true ones. Writes ``splices.json`` and prints a table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import av
import cv2
import numpy as np

from safegen import detect
from safegen.media.encode import Encoding, encode_mp4
from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import TileWatermark

RATE = 24
SHORT = 480
PLACES = ((0.15, 0.30), (0.35, 0.65), (0.70, 0.80))
"""Where the unmarked piece lies, as shares of the clip."""
RATES = (23, 28)
KINDS = ("same clip", "other clip")
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
    clip: np.ndarray, other: np.ndarray, place: tuple[float, float], crf: int, file: Path
) -> dict[str, object]:
    """One splice: borders in seconds, those found, and how many runs there were."""
    first, last = (round(p * len(clip)) for p in place)
    marked = np.stack(list(TileWatermark().embed(iter(clip), payload=PAYLOAD, key=PUBLIC_KEY)))
    spliced = np.concatenate([marked[:first], other[first:last], marked[last:]])
    encode_mp4(iter(spliced), file, fps=Fraction(RATE), encoding=Encoding(crf=crf, preset="veryfast"))
    found = detect(file)
    file.unlink()
    runs = found.marks[0].runs if found.marks else ()
    borders = [a.end for a, _ in pairwise(runs)]
    true = [first / RATE, last / RATE]
    right = [r.present for r in runs] == [True, False, True]
    errors = [abs(a - b) for a, b in zip(borders, true, strict=True)] if right else []
    return {"true": true, "found": borders, "right": right, "errors": errors}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of MP4 files")
    parser.add_argument("--frames", type=int, default=120, help="frames of each clip")
    parser.add_argument("--most", type=int, default=100, help="clips at most")
    parser.add_argument("--minutes", type=float, default=1000.0, help="stop after that long")
    parser.add_argument("--out", type=Path, required=True, help="folder for splices.json")
    args = parser.parse_args()
    until = time.monotonic() + 60 * args.minutes
    files = sorted(args.clips.glob("*.mp4"))[: args.most]
    clips = [read(f, args.frames) for f in files]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for place, crf, kind, n in product(PLACES, RATES, KINDS, range(len(clips))):
            if time.monotonic() > until:
                break
            clip = clips[n]
            other = clip if kind == "same clip" else fit(clips[(n + 1) % len(clips)], clip)
            row = one(clip, other, place, crf, Path(folder) / "spliced.mp4")
            rows.append({"clip": files[n].stem, "kind": kind, "crf": crf, **row})
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "splices.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print("| unmarked piece | CRF | three runs found | border error, median | 90% | largest |")
    print("|---|---|---|---|---|---|")
    for kind in KINDS:
        for crf in RATES:
            part = [r for r in rows if r["kind"] == kind and r["crf"] == crf]
            errors = sorted(e for r in part for e in r["errors"])
            right = sum(bool(r["right"]) for r in part)
            if errors:
                tail = errors[min(len(errors) - 1, int(0.9 * len(errors)))]
                figures = f"{statistics.median(errors):.2f} s | {tail:.2f} s | {errors[-1]:.2f} s"
                print(f"| {kind} | {crf} | {right}/{len(part)} | {figures} |")
            else:
                print(f"| {kind} | {crf} | {right}/{len(part)} | | | |")


if __name__ == "__main__":
    main()
