"""Attacks on marked clips: every installed scheme side by side. Can be stopped and run again.

python -m benchmarks.watermark --clips DIR --out OUT [--schemes tile dwtdct] [--frames 60] [--attacks a b]

Clips are every .mp4 of DIR, flat synthetic ones, and with --embedded N some of the embedded model. Every
measurement is a row of OUT/watermark.jsonl, and a second run goes on where the first one ended;
watermark.json, watermark.md, quality.svg and h264.svg sum up.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av.filter
import cv2

from benchmarks.watermark.attacks import available
from benchmarks.watermark.clips import ball, generated, load
from benchmarks.watermark.edits import Frames
from benchmarks.watermark.measure import baseline, mark, outcome
from benchmarks.watermark.report import charts, markdown
from benchmarks.watermark.table import ATTACKS, PEERS
from safegen import plugins
from safegen.errors import SafegenError
from safegen.protocols import Watermark
from safegen.watermarks import PUBLIC_KEY

PAYLOAD = 0x5AFE_0123_89AB_CDEF
SCHEMES = ("tile", "dwtdct", "dwtdctsvd", "rivagan")
Read = Callable[[int], tuple[Frames, float]]


class Rows:
    """The rows of a run, each written as soon as it is known."""

    def __init__(self, file: Path) -> None:
        """Those of *file* so far; a last line cut off by a stop does not count."""
        text = file.read_text() if file.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        file.write_text(whole)
        self.file = file
        self.all: list[dict[str, Any]] = [json.loads(line) for line in whole.splitlines()]

    def has(self, **where: str) -> bool:
        """Whether a row with these fields is there."""
        return any(all(r.get(k) == v for k, v in where.items()) for r in self.all)

    def add(self, **row: Any) -> None:
        """Keep a row."""
        self.all.append(row)
        with self.file.open("a") as sink:
            sink.write(json.dumps(row) + "\n")


def _clips(folder: Path | None, flat: int, short: int, embedded: int, later: int) -> dict[str, Read]:
    found: dict[str, Read] = {}
    for file in sorted(folder.glob("*.mp4")) if folder else []:
        skip = later + (60 if "bbb" in file.stem else 0)
        name = f"{file.stem}+{later}" if later else file.stem
        found[name] = lambda count, f=file, s=skip: load(f, count, s, short)  # type: ignore[misc]
    for seed in range(flat):
        found[f"flat_{seed}"] = lambda count, s=seed: (ball(s)[:count], 24.0)  # type: ignore[misc]
    for number in range(embedded):
        found[f"embedded_{number}"] = lambda count, n=number: generated(n, count)  # type: ignore[misc]
    return found


def measure(
    rows: Rows, name: str, scheme: Watermark, clip: str, read: Read, args: argparse.Namespace
) -> None:
    """What is not yet in *rows* of one scheme on one clip."""
    slow = name != "tile"
    wanted = args.attacks or (PEERS if slow else tuple(ATTACKS))
    wanted = [w for w in wanted if not rows.has(kind="attack", scheme=name, clip=clip, attack=w)]
    codecs = {w: ATTACKS[w].codec for w in wanted}
    wanted = [w for w, codec in codecs.items() if codec is None or available(codec)]
    if not wanted:
        return
    count = 1 if name == "rivagan" else args.peer_frames if slow else args.frames
    frames, fps = read(count)
    marked, cost = mark(scheme, frames, fps, PAYLOAD, PUBLIC_KEY, baseline(frames, fps))
    here = {"scheme": name, "clip": clip, "frames": len(frames)}
    if not rows.has(kind="cost", scheme=name, clip=clip):
        rows.add(kind="cost", **here, **asdict(cost), share_of_x264=cost.share_of_x264)
    for attack in wanted:
        seen = outcome(scheme, ATTACKS[attack], marked, fps, PAYLOAD, PUBLIC_KEY)
        rows.add(kind="attack", **here, attack=attack, **asdict(seen))
    print(f"{name} {clip}: {cost.psnr_y:.1f} dB, bitrate {cost.bitrate_delta:+.0%}", file=sys.stderr)


def run(rows: Rows, args: argparse.Namespace) -> None:
    """Every scheme that is installed, on every clip."""
    clips = _clips(args.clips, args.flat, args.short, args.embedded, args.skip)
    for name in args.schemes:
        try:
            scheme = plugins.load_watermark(name)
        except SafegenError as error:
            print(f"{name}: {error} ({error.hint})", file=sys.stderr)
            continue
        for clip, read in clips.items():
            try:
                measure(rows, name, scheme, clip, read, args)
            except SafegenError as error:
                print(f"{name} {clip}: {error} ({error.hint})", file=sys.stderr)


def write(rows: Rows, out: Path) -> str:
    """Sum up what is there."""
    today = dt.date.today().isoformat()
    vmaf = "libvmaf" in av.filter.filters_available
    head = {"date": today, "vmaf": None if not vmaf else "not measured", "vmaf_filter_here": vmaf}
    (out / "watermark.json").write_text(json.dumps({**head, "rows": rows.all}, indent=1) + "\n")
    text = markdown(rows.all, today)
    (out / "watermark.md").write_text(text)
    for name, picture in charts(rows.all).items():
        (out / name).write_text(picture)
    return text


def main() -> None:
    """Run what is missing, write the files, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark", description=__doc__)
    parser.add_argument("--clips", type=Path, help="folder of .mp4 files")
    parser.add_argument("--out", type=Path, required=True, help="folder for rows, tables and charts")
    parser.add_argument("--schemes", nargs="+", default=list(SCHEMES))
    parser.add_argument("--attacks", nargs="+", choices=sorted(ATTACKS), help="only these")
    parser.add_argument("--frames", type=int, default=60, help="frames per clip")
    parser.add_argument("--peer-frames", type=int, default=4, help="frames per clip for the slow schemes")
    parser.add_argument("--short", type=int, default=480, help="scale larger clips down to this short side")
    parser.add_argument("--flat", type=int, default=4, help="how many flat synthetic clips to add")
    parser.add_argument("--skip", type=int, default=0, help="begin so many frames later in every file")
    parser.add_argument("--embedded", type=int, default=0, help="how many clips of the embedded model to add")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = Rows(args.out / "watermark.jsonl")
    try:
        run(rows, args)
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
    print(write(rows, args.out))


if __name__ == "__main__":
    main()
