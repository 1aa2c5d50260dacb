"""Have we made this? Error rates of the search by pictures, and how long the index takes.

``python -m benchmarks.fingerprint pairs --clips FOLDER --out OUT`` generates clips of a few prompts with
several seeds each, takes windows of the clips in FOLDER, and looks every one up under every edit: once with
its release in the ledger (found?), once without (anything else found?). Each is a row of
``fingerprint_pairs.jsonl``, and a second run goes on where the first one ended; ``fingerprint_pairs.json``
sums up.

``python -m benchmarks.fingerprint index --releases 1000000 --out OUT`` measures lookups among synthetic
releases of two rows each, near-duplicates among them. Writes ``fingerprint_index.json``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.watermark.nulls import read_rows
from safegen.detectors.provenance._register import place
from safegen.detectors.provenance.content import Descriptors, compare, describe
from safegen.detectors.provenance.fingerprint import Query
from safegen.detectors.provenance.index import Index, Table
from safegen.detectors.provenance.search import search
from safegen.generators import find
from safegen.media.sandbox import sample
from safegen.protocols import NoProgress
from safegen.types import FrameSample, Request

PROMPTS = (
    "a red ball rolling left to right over green grass",
    "a blue box moving up over snow",
    "a small yellow star drifting down over the sea",
    "a large green triangle moving left in the desert",
    "an orange box sliding right over grey ground",
)
FRAMES, SHORT = 24, 180
Edit = Callable[[FrameSample], FrameSample]


def _each(shown: FrameSample, change: Callable[[np.ndarray], np.ndarray]) -> FrameSample:
    return replace(shown, frames=np.stack([change(f) for f in shown.frames]))


def _jpeg(shown: FrameSample) -> FrameSample:
    def one(frame: np.ndarray) -> np.ndarray:
        packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))

    return _each(shown, one)


def _mirror(shown: FrameSample) -> FrameSample:
    return _each(shown, lambda f: np.ascontiguousarray(f[:, ::-1]))


def _crop(share: float, x: float, y: float) -> Edit:
    def cut(shown: FrameSample) -> FrameSample:
        height, width = shown.frames.shape[1:3]
        high, wide = round(height * share), round(width * share)
        top, left = round((height - high) * y), round((width - wide) * x)
        part = _each(shown, lambda f: np.ascontiguousarray(f[top : top + high, left : left + wide]))
        return replace(part, width=round(shown.width * share), height=round(shown.height * share))

    return cut


def _boxed(shown: FrameSample) -> FrameSample:
    bar = shown.frames.shape[1] // 6
    boxed = _each(shown, lambda f: cv2.copyMakeBorder(f, bar, bar, 0, 0, cv2.BORDER_CONSTANT))
    return replace(boxed, height=round(shown.height * boxed.frames.shape[1] / shown.frames.shape[1]))


def _squeezed(shown: FrameSample) -> FrameSample:
    narrow = _each(shown, lambda f: cv2.resize(f, (f.shape[1] * 4 // 5, f.shape[0])))
    return replace(narrow, width=round(shown.width * 0.8))


def _part(shown: FrameSample) -> FrameSample:
    first, last = len(shown.frames) // 4, len(shown.frames) * 3 // 4
    times = tuple(t - shown.times[first] for t in shown.times[first:last])
    seconds = shown.seconds * (last - first) / len(shown.frames)
    kept = shown.keyframe[first:last]
    return replace(shown, frames=shown.frames[first:last], times=times, keyframe=kept, seconds=seconds)


def _one(shown: FrameSample) -> FrameSample:
    at = len(shown.frames) // 3
    return replace(shown, frames=shown.frames[at : at + 1], times=(0.0,), keyframe=(True,), seconds=0.04)


EDITS: dict[str, Edit] = {
    "JPEG 25": _jpeg,
    "brighter, less contrast": lambda s: _each(s, lambda f: (f * 0.7 + 40).astype(np.uint8)),
    "half size": lambda s: _each(
        s, lambda f: cv2.resize(f, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    ),
    "mirrored, JPEG 25": lambda s: _mirror(_jpeg(s)),
    "letterbox": _boxed,
    "width 80%": _squeezed,
    "middle half of the time": _part,
    "one picture": _one,
    "crop 95%": _crop(0.95, 0.5, 0.5),
    "crop 90%": _crop(0.9, 0.3, 0.8),
    "crop 80%": _crop(0.8, 0.5, 0.4),
    "crop 80%, corner": _crop(0.8, 0.0, 1.0),
    "crop 70%": _crop(0.7, 0.4, 0.5),
    "crop 75%, mirrored, JPEG 25": lambda s: _mirror(_jpeg(_crop(0.75, 0.6, 0.5)(s))),
}


def _generated(seeds: int) -> list[tuple[str, FrameSample]]:
    """Clips of the embedded model: every prompt with several seeds."""
    generator, found = find("tiny"), []
    for number, (prompt, seed) in enumerate(itertools.product(PROMPTS, range(seeds))):
        clip = generator.generate(Request(prompt, seed=1000 + number), progress=NoProgress()).clip
        frames = np.stack(list(clip))
        chosen = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
        times = tuple(float(i / clip.fps) for i in chosen)
        seconds = float(len(frames) / clip.fps)
        shown = FrameSample(
            frames[chosen], times, (True,) * FRAMES, clip.width, clip.height, float(clip.fps), seconds
        )
        found.append((f"{prompt} #{seed}", shown))
    return found


def _filmed(folder: Path, windows: int) -> list[tuple[str, FrameSample]]:
    """Windows of the clips in *folder*."""
    found = []
    for file in sorted(folder.glob("*.mp4")):
        whole = sample(file, frames=windows * FRAMES, short_side=SHORT)
        for window in range(len(whole.frames) // FRAMES):
            at = slice(window * FRAMES, (window + 1) * FRAMES)
            times = tuple(t - whole.times[at.start] for t in whole.times[at])
            cut = replace(
                whole,
                frames=whole.frames[at],
                times=times,
                keyframe=whole.keyframe[at],
                seconds=times[-1] + 0.04,
            )
            found.append((f"{file.stem} {window}", cut))
    return found


def pairs(folder: Path, seeds: int, windows: int, file: Path) -> dict[str, object]:
    """Look every clip up under every edit, with and without its own release; a row of *file* for each."""
    clips = _generated(seeds) + _filmed(folder, windows)
    packed = [describe(shown).to_bytes() for _, shown in clips]
    index = Index()
    for number, data in enumerate(packed):
        index.add(number, data)
    rows = read_rows(file)
    done = {(r["clip"], r["edit"]) for r in rows}
    with file.open("a") as sink:
        for (number, (name, shown)), (edit, change) in itertools.product(enumerate(clips), EDITS.items()):
            if (name, edit) in done:
                continue
            edited = change(shown)
            found = number in [m.index for m in search(index, packed.__getitem__, edited)]
            others = search(index, partial(_but, packed, number), edited)
            wrong = [f"{clips[m.index][0]} | {m.content.score:.3f}" for m in others]
            rows.append({"clip": name, "edit": edit, "found": found, "wrong": wrong})
            sink.write(json.dumps(rows[-1]) + "\n")
            sink.flush()
    return {
        **summary(rows),
        "same prompt, other seed": _seeds(clips[: len(PROMPTS) * seeds], packed, seeds) if seeds else None,
    }


def _but(packed: Sequence[bytes], own: int, number: int) -> bytes:
    """What the ledger holds of release *number*: nothing of the clip's *own*."""
    return b"" if number == own else packed[number]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, object]:
    """How often a clip was found under each edit, and what else was named."""
    edits = [e for e in EDITS if any(r["edit"] == e for r in rows)]
    return {
        "clips": len({r["clip"] for r in rows}),
        "searches": 2 * len(rows),
        "found": {
            e: [sum(r["found"] for r in rows if r["edit"] == e), sum(r["edit"] == e for r in rows)]
            for e in edits
        },
        "wrong": [f"{r['clip']} | {r['edit']} | {w}" for r in rows for w in r["wrong"]],
    }


def _seeds(clips: list[tuple[str, FrameSample]], packed: list[bytes], seeds: int) -> dict[str, object]:
    """Every ordered pair of clips of one prompt compared in full, as whole copies and as crops."""
    scores: list[float] = []
    for i, j in itertools.permutations(range(len(clips)), 2):
        if i // seeds != j // seeds:
            continue
        reference, shown = Descriptors.from_bytes(packed[i]), clips[j][1]
        scores.append(compare(reference, shown, None).score)
        geometry = place(reference, _crop(0.8, 0.5, 0.5)(shown))
        if geometry is not None:
            scores.append(compare(reference, _crop(0.8, 0.5, 0.5)(shown), geometry).score)
    return {"pairs": len(scores), "largest score": max(scores), "over 0.86": sum(s >= 0.86 for s in scores)}


def lookups(releases: int, queries: int) -> dict[str, object]:
    """Time and recall of the table among *releases* synthetic releases of two rows each."""
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 2**64, (4, 2 * releases), dtype=np.uint64)
    # One in ten is a near-duplicate of its neighbour: 20 to 60 of 256 bits differ.
    for row in range(0, 2 * releases, 10):
        codes[:, row + 1] = codes[:, row] ^ _noise(rng, int(rng.integers(20, 61)))
    table = Table()
    table.fill(codes, np.arange(2 * releases, dtype=np.int64) // 2)
    answer: dict[str, object] = {"releases": releases, "rows": 2 * releases, "queries": queries}
    for bits in (20, 40, 60, 80):
        found, spent, busy = 0, [], []
        for row in rng.choice(2 * releases, queries, replace=False):
            query = Query(codes[:, row] ^ _noise(rng, bits), False)
            # A file is looked up by two pictures, upright and mirrored: four queries.
            others = [Query(rng.integers(0, 2**64, 4, dtype=np.uint64), True) for _ in range(3)]
            started, worked = time.perf_counter(), time.process_time()
            near = [n for q in (query, *others) for n in table.near(q)]
            spent.append((time.perf_counter() - started) * 1000)
            busy.append((time.process_time() - worked) * 1000)
            found += int(row) // 2 in [n.index for n in near]
        answer[f"{bits} bits differ"] = {
            "recall": found / queries,
            "wall ms p50": round(float(np.percentile(spent, 50)), 1),
            "wall ms p95": round(float(np.percentile(spent, 95)), 1),
            "cpu ms p50": round(float(np.percentile(busy, 50)), 1),
            "cpu ms p95": round(float(np.percentile(busy, 95)), 1),
        }
    return answer


def _noise(rng: np.random.Generator, bits: int) -> np.ndarray:
    """A code with *bits* of 256 set: uint64 (4,)."""
    flags = np.zeros(256, np.uint8)
    flags[rng.choice(256, bits, replace=False)] = 1
    return np.packbits(flags).view(np.uint64)


def main() -> None:
    """Run one of the two and write its JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("pairs", "index"))
    parser.add_argument("--clips", type=Path, default=Path("clips"), help="folder with .mp4 files")
    parser.add_argument("--seeds", type=int, default=4, help="seeds a prompt; 0: no generated clips")
    parser.add_argument("--windows", type=int, default=3, help="windows of every filmed clip")
    parser.add_argument("--releases", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.what == "pairs":
        rows = given.out / "fingerprint_pairs.jsonl"
        made = pairs(given.clips, given.seeds, given.windows, rows)
    else:
        made = lookups(given.releases, given.queries)
    text = json.dumps(made, indent=2)
    (given.out / f"fingerprint_{given.what}.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
