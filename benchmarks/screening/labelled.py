"""The table for any labelled JSON lines: areas, recall at false-positive rates, flags as shipped, speed."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.screening.measure import auprc, auroc, fpr_at_recall, milliseconds, recall_at
from benchmarks.screening.systems import System
from safegen.screening.labelled import read_prompts
from safegen.screening.statistics import wilson


def figures(system: System, file: Path) -> dict[str, str]:
    """Every figure of *system* on the rows of *file* that have a label (``safe`` or ``unsafe``)."""
    rows = [r for r in read_prompts(file) if r.label]
    counts = Counter(r.label for r in rows)
    started = time.process_time()
    got = system([r.text for r in rows])
    took = time.process_time() - started
    score, flag = np.array([g[0] for g in got]), np.array([g[1] for g in got])
    unsafe = np.array([r.label == "unsafe" for r in rows])
    out = {"prompts (safe, unsafe)": f"{counts['safe']}, {counts['unsafe']}"}
    if counts["safe"] and counts["unsafe"]:
        benign, harmful = score[~unsafe], score[unsafe]
        out["AUROC"] = f"{auroc(benign, harmful):.3f}"
        out["AUPRC"] = f"{auprc(score, unsafe):.3f}"
        out["recall at 0.5% FPR"] = f"{recall_at(benign, harmful, 0.005):.3f}"
        out["recall at 1% FPR"] = f"{recall_at(benign, harmful, 0.01):.3f}"
        out["FPR at 80% recall"] = f"{fpr_at_recall(score, unsafe, 0.8):.3f}"
    for label, mask in (("unsafe flagged as shipped", unsafe), ("safe flagged as shipped", ~unsafe)):
        if mask.any():
            low, high = wilson(int(flag[mask].sum()), int(mask.sum()))
            out[label] = f"{flag[mask].mean():.3f} [{low:.3f}, {high:.3f}]"
    p50, p95 = milliseconds(system, [r.text for r in rows[:200]])
    out["ms p50 / p95 (one by one)"] = f"{p50:.1f} / {p95:.1f}"
    out["prompts per CPU second"] = f"{len(rows) / max(took, 1e-9):.0f}"
    return out
