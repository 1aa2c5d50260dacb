"""How long a lookup among many releases takes, and what it finds: see ``benchmarks.fingerprint``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.fingerprint_edits import EDITS, filmed
from safegen.detectors.provenance.content import compute_descriptors
from safegen.detectors.provenance.fingerprint import CodeQuery, crop_queries, inner_codes
from safegen.detectors.provenance.index import Table


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
            query = CodeQuery(codes[:, row] ^ _noise(rng, bits), False)
            # A file is looked up by two pictures, upright and mirrored: four queries.
            others = [CodeQuery(rng.integers(0, 2**64, 4, dtype=np.uint64), True) for _ in range(3)]
            started, worked = time.perf_counter(), time.process_time()
            near = [n for q in (query, *others) for n in table.nearest_rows(q)]
            spent.append((time.perf_counter() - started) * 1000)
            busy.append((time.process_time() - worked) * 1000)
            found += int(row) // 2 in [n.index for n in near]
        answer[f"{bits} bits differ"] = {"recall": found / queries, **_percentiles(spent, busy)}
    return answer


def _percentiles(spent: Sequence[float], busy: Sequence[float]) -> dict[str, float]:
    """The median and 95% of wall and CPU times, ms."""
    return {
        f"{name} ms p{at}": round(float(np.percentile(times, at)), 1)
        for name, times in (("wall", spent), ("cpu", busy))
        for at in (50, 95)
    }


def crop_lookups(releases: int, folder: Path, windows: int) -> dict[str, object]:
    """The same for crops: all codes of a file, among *releases* inner halves, in buckets and without."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 2**64, (4, releases), dtype=np.uint64)
    clips = [
        (name, shown, inner_codes(compute_descriptors(shown))) for name, shown in filmed(folder, windows)
    ]
    own = {
        name: int(row)
        for (name, _, _), row in zip(clips, rng.choice(releases, len(clips), False), strict=True)
    }
    for name, _, inner in clips:
        if inner:
            codes[:, own[name]] = inner[0]
    table = Table()
    table.fill(codes, np.arange(releases, dtype=np.int64))
    started = time.process_time()
    table.nearest_rows(CodeQuery(codes[:, 0], False), quick=True)
    answer: dict[str, object] = {"rows": releases, "sorting, cpu ms": _since(started)}
    asked = [
        (own[name], list(crop_queries(compute_descriptors(EDITS[edit](shown)))))
        for name, shown, inner in clips
        for edit in EDITS
        if edit.startswith("crop") and inner
    ]
    answer["codes a lookup"] = max(len(queries) for _, queries in asked)
    for how, quick, cases in (("buckets", True, asked), ("every row read", False, asked[::8])):
        found, spent, busy = 0, [], []
        for release, queries in cases:
            began, worked = time.perf_counter(), time.process_time()
            near = [n.index for q in queries for n in table.nearest_rows(q, quick=quick)]
            spent.append((time.perf_counter() - began) * 1000)
            busy.append(_since(worked))
            found += release in near
        answer[how] = {"lookups": len(cases), "found": found, **_percentiles(spent, busy)}
    # What the buckets lose: the same rows among themselves, without a clock.
    few = Table()
    few.fill(codes[:, list(own.values())], np.array(list(own.values())))
    answer["found when every row is read"] = sum(
        r in [n.index for q in queries for n in few.nearest_rows(q)] for r, queries in asked
    )
    return answer


def _since(started: float) -> float:
    """CPU time since *started*, ms."""
    return round((time.process_time() - started) * 1000, 1)


def _noise(rng: np.random.Generator, bits: int) -> np.ndarray:
    """A code with *bits* of 256 set: uint64 (4,)."""
    flags = np.zeros(256, np.uint8)
    flags[rng.choice(256, bits, replace=False)] = 1
    return np.packbits(flags).view(np.uint64)
