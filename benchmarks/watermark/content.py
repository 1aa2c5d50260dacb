"""Error rates of the content comparison: ``python -m benchmarks.watermark.content --out OUT``.

Honest: a release re-encoded, scaled, cropped, turned, trimmed, with the geometry a detector would report
(tile-modulo translation, slightly wrong matrix). Pasted: the same geometry on another clip - mostly the
same scene drawn with another seed, as when somebody moves a mark between two clips of one prompt. The
even-numbered scenes choose the threshold, the odd-numbered ones are reported.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.watermark import attacks as a
from benchmarks.watermark import edits as e
from benchmarks.watermark.attacks import Attack, Codec, Frames
from benchmarks.watermark.clips import load
from safegen.detectors.provenance import content
from safegen.types import FrameSample, Geometry
from training.world import render, stages

FPS = 24.0


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
    m = unit * back[:, :2].ravel()
    return e.rotate(degrees)(frames), Geometry(tuple(float(v) for v in m), (float(t[0]), float(t[1])), 64)


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
    m = np.array(geometry.a) * (1 + rng.normal(0, 0.0015, 4))
    t = (np.array(geometry.t) + rng.normal(0, 0.3, 2)) % 64
    return Geometry(tuple(float(v) for v in m), (float(t[0]), float(t[1])), geometry.period)


def pairs(count: int, folder: Path | None) -> Iterator[tuple[Frames, Frames, float]]:
    """(released clip, another clip of the same prompt or kind, frame rate)."""
    for n in range(count):
        rng = np.random.default_rng(1000 + n)
        scene = stages.sample(stages.STAGES[("one", "two", "three", "full")[n % 4]], rng, None)
        yield released(scene, 2 * n), released(scene, 2 * n + 1), FPS
    for file in sorted(folder.glob("*.mp4")) if folder else []:
        clip, fps = load(file, 240)
        small = e.resize(256 / min(clip.shape[1:3]))(clip)
        half = len(small) // 2
        yield small[:half][:48], small[half:][:48], fps


def measure(count: int, folder: Path | None) -> list[dict[str, Any]]:
    """One row per comparison: scene, variant, honest or pasted, score, overlap."""
    rows = []
    for n, (clip, other, fps) in enumerate(pairs(count, folder)):
        reference = content.describe(a.sample(clip, None, fps))
        stored = len(reference.to_bytes())
        for kind, frames in (("honest", clip), ("pasted", other)):
            rng = np.random.default_rng(n)
            for name, changed, geometry, codec, part in _variants(frames, rng):
                if kind == "pasted" and name not in (
                    "crf23",
                    "crf40",
                    "crop_50%",
                    "flip",
                    "trim",
                    "crop_75_trim",
                ):
                    continue
                seen = _seen(changed, codec, part, fps)
                got = content.compare(reference, seen, _shaken(geometry, rng))
                rows.append({"scene": n, "variant": name, "kind": kind, "score": got.score,
                             "overlap": got.overlap, "bytes": stored})  # fmt: skip
    return rows


def summary(rows: list[dict[str, Any]], threshold: float) -> dict[str, Any]:
    """Error rates at *threshold* on the odd scenes, and the best threshold on the even ones."""
    choose = [r for r in rows if r["scene"] % 2 == 0]
    grid = np.linspace(-0.2, 0.99, 120)
    honest = np.array([r["score"] for r in choose if r["kind"] == "honest"])
    pasted = np.array([r["score"] for r in choose if r["kind"] == "pasted"])
    balanced = [(float(np.mean(honest < g) + np.mean(pasted >= g)), float(g)) for g in grid]
    report = [r for r in rows if r["scene"] % 2]
    out: dict[str, Any] = {"threshold": threshold, "best_on_even": min(balanced), "variants": {}}
    for kind in ("honest", "pasted"):
        for name in dict.fromkeys(r["variant"] for r in report if r["kind"] == kind):
            scores = np.array([r["score"] for r in report if r["kind"] == kind and r["variant"] == name])
            wrong = (scores < threshold) if kind == "honest" else (scores >= threshold)
            quantiles = [round(float(v), 3) for v in np.quantile(scores, [0, 0.05, 0.5, 0.95, 1])]
            out["variants"][f"{kind} {name}"] = [int(wrong.sum()), len(scores), quantiles]
    return out


def main() -> None:
    """Measure and write OUT/content.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark.content", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=Path, help="folder of .mp4 files to add as pairs")
    parser.add_argument("--scenes", type=int, default=100)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rows = measure(args.scenes, args.clips)
    result = {"date": dt.date.today().isoformat(), **summary(rows, content.THRESHOLD), "rows": rows}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "content.json").write_text(json.dumps(result, indent=1) + "\n")
    for name, (wrong, total, quantiles) in result["variants"].items():
        print(f"{name:24s} wrong {wrong:3d}/{total:3d}   min/5%/50%/95%/max {quantiles}")
    print(
        "threshold",
        result["threshold"],
        "best on the even scenes (error sum, threshold)",
        result["best_on_even"],
    )


if __name__ == "__main__":
    main()
