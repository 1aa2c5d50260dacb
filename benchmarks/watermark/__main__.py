"""Attack table of the watermark schemes.

python -m benchmarks.watermark --clips DIR --out OUT [--schemes tile dwtdct] [--frames 60] [--attacks a b]
writes OUT/watermark.json and OUT/watermark.md. Clips are every .mp4 of DIR and flat synthetic ones.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2

from benchmarks.watermark.clips import ball, load
from benchmarks.watermark.measure import attack_all, baseline, mark
from benchmarks.watermark.table import ATTACKS
from safegen import plugins
from safegen.errors import SafegenError
from safegen.watermarks import PUBLIC_KEY

PAYLOAD = 0x5AFE_0123_89AB_CDEF


def _clips(folder: Path | None, frames: int, flat: int, short: int) -> dict[str, Any]:
    found = {}
    if folder is not None:
        for file in sorted(folder.glob("*.mp4")):
            found[file.stem] = lambda f=file: load(f, frames, skip=60 if "bbb" in f.stem else 0, short=short)
    for seed in range(flat):
        found[f"flat_{seed}"] = lambda s=seed: (ball(s), 24.0)
    return found


def _run(args: argparse.Namespace) -> dict[str, Any]:
    table = {n: ATTACKS[n] for n in (args.attacks or ATTACKS)}
    result: dict[str, Any] = {"date": dt.date.today().isoformat(), "frames": args.frames, "schemes": {}}
    for name in args.schemes:
        try:
            scheme = plugins.load("watermarks", name)
        except SafegenError as error:
            print(f"{name}: {error} ({error.hint})", file=sys.stderr)
            continue
        rows = result["schemes"][name] = {"alg": scheme.alg, "clips": {}}
        for clip, read in _clips(args.clips, args.frames, args.flat, args.short).items():
            frames, fps = read()
            marked, cost = mark(scheme, frames, fps, PAYLOAD, PUBLIC_KEY, baseline(frames, fps))
            outcomes = attack_all(scheme, table, marked, fps, PAYLOAD, PUBLIC_KEY)
            entry = {**asdict(cost), "share_of_x264": cost.share_of_x264, "attacks": outcomes}
            rows["clips"][clip] = entry
            read_back = sum(bool(o["payload"]) for o in outcomes.values())
            print(
                f"{name} {clip}: {cost.psnr_y:.1f} dB, bitrate {cost.bitrate_delta:+.0%}, embed "
                f"{cost.embed_fps:.0f} fps ({cost.share_of_x264:.1%} of x264), {read_back}/{len(outcomes)}",
                file=sys.stderr,
            )
    return result


def markdown(result: dict[str, Any]) -> str:
    """The tables of a result."""
    out = [f"Measured {result['date']}, at most {result['frames']} frames a clip, one thread.", ""]
    for name, rows in result["schemes"].items():
        clips = rows["clips"]
        out += [
            f"### {name}",
            "",
            "| clip | PSNR-Y | bitrate | embed fps | of x264 |",
            "|---|---|---|---|---|",
        ]
        for clip, c in clips.items():
            out.append(
                f"| {clip} | {c['psnr_y']:.1f} | {c['bitrate_delta']:+.0%} | {c['embed_fps']:.0f} "
                f"| {c['share_of_x264']:.1%} |"
            )
        out += [
            "",
            "| attack | payload | known id | wrong | detect CPU s, median / max |",
            "|---|---|---|---|---|",
        ]
        for attack in dict.fromkeys(a for c in clips.values() for a in c["attacks"]):
            seen = [c["attacks"][attack] for c in clips.values() if attack in c["attacks"]]
            times = [s["seconds"] for s in seen]
            right, known, wrong = (sum(s[field] for s in seen) for field in ("payload", "known", "wrong"))
            out.append(
                f"| {attack} | {right}/{len(seen)} | {known} | {wrong} "
                f"| {statistics.median(times):.2f} / {max(times):.2f} |"
            )
        out.append("")
    return "\n".join(out)


def main() -> None:
    """Run, print the tables, write both files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark", description=__doc__)
    parser.add_argument("--clips", type=Path, help="folder of .mp4 files")
    parser.add_argument("--out", type=Path, required=True, help="folder for watermark.json and watermark.md")
    parser.add_argument("--schemes", nargs="+", default=["tile"])
    parser.add_argument("--attacks", nargs="+", choices=sorted(ATTACKS), help="only these")
    parser.add_argument("--frames", type=int, default=60, help="frames per clip")
    parser.add_argument("--short", type=int, default=480, help="scale larger clips down to this short side")
    parser.add_argument("--flat", type=int, default=4, help="how many flat synthetic clips to add")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    result = _run(args)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "watermark.json").write_text(json.dumps(result, indent=1) + "\n")
    (args.out / "watermark.md").write_text(markdown(result) + "\n")
    print(markdown(result))


if __name__ == "__main__":
    main()
