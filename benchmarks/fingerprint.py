"""Have we made this? Error rates of the search by pictures, and how long the index takes.

``python -m benchmarks.fingerprint pairs --clips FOLDER --out OUT`` generates clips of a few prompts with
several seeds each, takes windows of the clips in FOLDER, and looks every one up under every edit: once with
its release in the ledger (found?), once without (anything else found?). Each is a row of
``fingerprint_pairs.jsonl``, and a second run goes on where the first one ended; ``fingerprint_pairs.json``
sums up.

``python -m benchmarks.fingerprint index --clips FOLDER --releases 1000000 --out OUT`` measures lookups among
synthetic releases of two rows each, near-duplicates among them, and lookups of crops of the filmed windows,
whose rows lie among synthetic ones. Writes ``fingerprint_index.json``.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fingerprint_edits import EDITS, FRAMES, crop, filmed
from benchmarks.fingerprint_index import crop_lookups, lookups
from benchmarks.watermark.nulls import read_rows
from safegen.detectors.provenance._register import register_crop
from safegen.detectors.provenance.content import Descriptors, compare_content, compute_descriptors
from safegen.detectors.provenance.index import Index
from safegen.detectors.provenance.search import search
from safegen.generators.registry import find_generator
from safegen.protocols import NoProgress
from safegen.types import FrameSample, Request

PROMPTS = (
    "a red ball rolling left to right over green grass",
    "a blue box moving up over snow",
    "a small yellow star drifting down over the sea",
    "a large green triangle moving left in the desert",
    "an orange box sliding right over grey ground",
)


def _generated(seeds: int) -> list[tuple[str, FrameSample]]:
    """Clips of the embedded model: every prompt with several seeds."""
    generator, found = find_generator("tiny"), []
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


def pairs(folder: Path, seeds: int, windows: int, file: Path) -> dict[str, object]:
    """Look every clip up under every edit, with and without its own release; a row of *file* for each."""
    clips = _generated(seeds) + filmed(folder, windows)
    packed = [compute_descriptors(shown).to_bytes() for _, shown in clips]
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
        scores.append(compare_content(reference, shown, None).score)
        geometry = register_crop(reference, crop(0.8, 0.5, 0.5)(shown))
        if geometry is not None:
            scores.append(compare_content(reference, crop(0.8, 0.5, 0.5)(shown), geometry).score)
    return {"pairs": len(scores), "largest score": max(scores), "over 0.86": sum(s >= 0.86 for s in scores)}


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
        made = {"whole": lookups(given.releases, given.queries)}
        if given.clips.is_dir():
            made["crops"] = crop_lookups(given.releases, given.clips, given.windows)
    text = json.dumps(made, indent=2)
    (given.out / f"fingerprint_{given.what}.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
