"""Error rates of the content comparison: ``python -m benchmarks.watermark.content --out OUT``.

Honest: a release re-encoded, scaled, cropped, turned, trimmed, with the geometry a detector would report
(tile-modulo translation, slightly wrong matrix). Pasted: the same geometry on another clip - mostly the
same scene drawn with another seed, as when somebody moves a mark between two clips of one prompt. The
threshold was set on other scenes. Every comparison is a row of OUT/content.jsonl, and a second run goes on
where the first one ended.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.watermark import attacks as a
from benchmarks.watermark import edits as e
from benchmarks.watermark.attacks import Attack, Codec
from benchmarks.watermark.clips import load
from benchmarks.watermark.edits import Frames
from benchmarks.watermark.nulls import read_rows
from safegen.detectors.provenance import content
from safegen.types import FrameSample, Geometry
from training.world import render, stages

FPS = 24.0
Make = Callable[[], tuple[Frames, Frames, float]]


def released(scene: Any, seed: int, side: int = 256, count: int = 48) -> Frames:
    """A scene as the embedded model's pipeline would release it: scaled up, blended to *count* frames."""
    raw = render.render(scene, seed)[0].astype(np.float32)
    out = np.empty((count, side, side, 3), np.uint8)
    for n in range(count):
        position = n * (len(raw) - 1) / (count - 1)
        i = min(int(position), len(raw) - 2)
        mixed = raw[i] * (i + 1 - position) + raw[i + 1] * (position - i)
        out[n] = np.clip(cv2.resize(mixed, (side, side), interpolation=cv2.INTER_CUBIC), 0, 255)
    return out


def _crop(frames: Frames, keep: float, rng: np.random.Generator) -> tuple[Frames, Geometry]:
    height, width = frames.shape[1:3]
    h, w = round(height * keep), round(width * keep)
    y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    unit = 256 / min(height, width)
    return frames[:, y : y + h, x : x + w], Geometry((unit, 0, 0, unit), (x * unit % 64, y * unit % 64), 64)


def _turn(frames: Frames, degrees: float) -> tuple[Frames, Geometry]:
    height, width = frames.shape[1:3]
    unit = 256 / min(height, width)
    forward = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
    back = cv2.invertAffineTransform(forward)
    t = unit * (back[:, 2] - back[:, :2] @ [0.5, 0.5] + 0.5) % 64
    (a11, a12), (a21, a22) = (unit * back[:, :2]).tolist()
    return e.rotate(degrees)(frames), Geometry((a11, a12, a21, a22), (float(t[0]), float(t[1])), 64)


def _variants(
    frames: Frames, rng: np.random.Generator
) -> Iterator[tuple[str, Frames, Geometry, Codec, slice]]:
    height, width = frames.shape[1:3]
    unit = 256 / min(height, width)
    plain, all_of = Geometry((unit, 0, 0, unit), (0, 0), 64), slice(None)
    for crf in (23, 33, 40):
        yield f"crf{crf}", frames, plain, Codec(crf=crf), all_of
    half = e.resize(0.5)(frames)
    yield "resize_50", half, Geometry((2 * unit, 0, 0, 2 * unit), (0, 0), 64), Codec(), all_of
    yield "brighter_gamma", e.gain(1.1, 10, 1.3)(frames), plain, Codec(), all_of
    for keep in (0.75, 0.5):
        cut, geometry = _crop(frames, keep, rng)
        yield f"crop_{keep:.0%}", cut, geometry, Codec(crf=28), all_of
    boxed = e.letterbox(0.75 * width / height)(frames)
    drop = unit * ((boxed.shape[1] - height) // 2)
    yield "letterbox", boxed, replace(plain, t=(0.0, -drop % 64)), Codec(), all_of
    mirror = Geometry((-unit, 0, 0, unit), (unit * width % 64, 0), 64)
    yield "flip", np.ascontiguousarray(frames[:, :, ::-1]), mirror, Codec(), all_of
    yield "rotate_10", *_turn(frames, 10), Codec(crf=28), all_of
    third = len(frames) // 3
    yield "trim", frames, plain, Codec(), slice(third, 2 * third + third // 2)
    yield "fps_50", frames, plain, Codec(), slice(None, None, 2)
    cut, geometry = _crop(frames, 0.75, rng)
    yield "crop_75_trim", cut, geometry, Codec(crf=33), slice(third, None)


def _seen(frames: Frames, codec: Codec, part: slice, fps: float) -> FrameSample:
    rate = fps / (part.step or 1)
    return a.apply(Attack(e.same, replace(codec, preset="veryfast")), frames[part], rate)[0]


def _shaken(geometry: Geometry, rng: np.random.Generator) -> Geometry:
    """A detector's geometry is right to a fraction of a canonical pixel across the frame."""
    a11, a12, a21, a22 = (np.array(geometry.a) * (1 + rng.normal(0, 0.0015, 4))).tolist()
    t = (np.array(geometry.t) + rng.normal(0, 0.3, 2)) % 64
    return Geometry((a11, a12, a21, a22), (float(t[0]), float(t[1])), geometry.period)


def drawn(number: int) -> tuple[Frames, Frames, float]:
    """A scene of the embedded model's world, drawn with two seeds; scenes that tuned nothing."""
    rng = np.random.default_rng(50_000 + number)
    scene = stages.sample(stages.STAGES[("one", "two", "three", "full")[number % 4]], rng, None)
    return released(scene, 2 * number, count=24), released(scene, 2 * number + 1, count=24), FPS


def generated(number: int) -> tuple[Frames, Frames, float]:
    """A prompt and two seeds of the embedded model itself."""
    from benchmarks.embedded import PROMPTS
    from safegen.generators.registry import find_generator
    from safegen.protocols import NoProgress
    from safegen.types import Request

    made = []
    for seed in (2 * number, 2 * number + 1):
        request = Request(PROMPTS[number % len(PROMPTS)], seed=seed)
        clip = find_generator("tiny").generate(request, progress=NoProgress()).clip
        frames = np.stack(list(clip)[::2])
        made.append(e.resize(256 / min(frames.shape[1:3]))(frames))
    return made[0], made[1], float(clip.fps / 2)


def halves(file: Path) -> tuple[Frames, Frames, float]:
    """The first and the second half of a real clip."""
    clip, fps = load(file, 240)
    small = e.resize(256 / min(clip.shape[1:3]))(clip)
    half = len(small) // 2
    return small[:half][:48], small[half:][:48], fps


def pairs(scenes: int, prompts: int, folder: Path | None) -> dict[str, Make]:
    """Name -> what makes (released clip, another clip of the same prompt or kind, frame rate)."""
    out: dict[str, Make] = {}
    for file in sorted(folder.glob("*.mp4")) if folder else []:
        out[f"real/{file.stem}"] = lambda f=file: halves(f)  # type: ignore[misc]
    for n in range(prompts):
        out[f"model/{n}"] = lambda n=n: generated(n)  # type: ignore[misc]
    for n in range(scenes):
        out[f"scene/{n}"] = lambda n=n: drawn(n)  # type: ignore[misc]
    return out


def judge(name: str, make: Make, changes: int) -> list[dict[str, Any]]:
    """Rows of one pair: *changes* kinds of change (in turn), on the release and on the other clip."""
    clip, other, fps = make()
    reference = content.compute_descriptors(a.sample(clip, None, fps))
    rows = []
    number = zlib.crc32(name.encode())
    for kind, frames in (("honest", clip), ("pasted", other)):
        rng = np.random.default_rng(number)
        every = list(_variants(frames, rng))
        for k in range(changes):
            variant, changed, geometry, codec, part = every[(number + 5 * k) % len(every)]
            seen = _seen(changed, codec, part, fps)
            got = content.compare_content(reference, seen, _shaken(geometry, rng))
            rows.append({"pair": name, "variant": variant, "kind": kind, "score": round(got.score, 4),
                         "overlap": round(got.overlap, 3), "matches": got.matches})  # fmt: skip
    return rows


def wilson(wrong: int, total: int) -> tuple[float, float]:
    """The 95% interval of a rate (Wilson 1927)."""
    if total == 0:
        return 0.0, 1.0
    z, p = 1.959964, wrong / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Honest ones rejected and pasted ones accepted at the threshold in use, with 95% intervals."""
    out: dict[str, Any] = {"threshold": content.THRESHOLD, "pairs": len({r["pair"] for r in rows})}
    groups = [(kind, source) for kind in ("honest", "pasted") for source in ("", "real/", "model/", "scene/")]
    for kind, source in groups:
        mine = [r for r in rows if r["kind"] == kind and r["pair"].startswith(source)]
        wrong = [r for r in mine if r["matches"] != (kind == "honest")]
        low, high = wilson(len(wrong), len(mine))
        out[f"{kind} {source or 'all'}"] = {
            "wrong": len(wrong),
            "of": len(mine),
            "pairs": len({r["pair"] for r in mine}),
            "interval_95": [round(low, 4), round(high, 4)],
            "variants": sorted(r["variant"] for r in wrong),
        }
    return out


def main() -> None:
    """Judge the pairs that are not in OUT/content.jsonl yet, and write OUT/content.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark.content", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=Path, help="folder of .mp4 files to add as pairs")
    parser.add_argument("--scenes", type=int, default=500, help="drawn scenes, two seeds each")
    parser.add_argument("--prompts", type=int, default=12, help="prompts of the model, two seeds each")
    parser.add_argument("--changes", type=int, default=2, help="kinds of change per pair, in turn")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "content.jsonl"
    rows = read_rows(file)
    done = {r["pair"] for r in rows}
    try:
        for name, make in pairs(args.scenes, args.prompts, args.clips).items():
            if name in done:
                continue
            new = judge(name, make, args.changes)
            rows += new
            with file.open("a") as sink:
                sink.writelines(json.dumps(row) + "\n" for row in new)
    except KeyboardInterrupt:
        print("stopped; run it again to go on")
    text = json.dumps({"date": dt.date.today().isoformat(), **summary(rows)}, indent=1)
    (args.out / "content.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
