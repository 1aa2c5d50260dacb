"""Thresholds from held-out sources: what probability a category needs so that few benign rows reach it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.guard import data, model
from training.guard.train import corpus, without_copies

PICTURES = ("fetv", "geneval", "t2i_compbench")
"""Benign descriptions of pictures and videos; each was held out from the model that scored it."""


def table(kept: Path) -> str:
    """Markdown: per label, thresholds at 0.1, 0.3 and 1 percent of benign descriptions, and recall there.

    *kept* is the file of held-out probabilities that ``train --keep`` writes.
    """
    saved = np.load(kept)
    everything = without_copies(corpus())
    rows = [everything[i] for i in saved["rows"]]
    probabilities: NDArray[np.float32] = saved["probabilities"]
    source = np.array([r.source for r in rows])
    benign = np.isin(source, PICTURES)
    hard = source == "overt_safe"
    y = model.targets(rows)
    lines = ["| label | FPR | threshold | recall | of OVERT's safe rows |", "|---|---|---|---|---|"]
    for j, label in enumerate(model.LABELS):
        p = probabilities[:, j]
        own = y[:, j] & np.array(["+" not in s and not s.startswith("gen_") for s in source])
        for fpr in (0.001, 0.003, 0.01):
            t = float(np.quantile(p[benign], 1 - fpr))
            lines.append(
                f"| {label} | {fpr:.3f} | {t:.3f} | {(p[own] > t).mean():.3f} | {(p[hard] > t).mean():.3f} |"
            )
    return "\n".join(lines) + f"\n\n{benign.sum()} benign rows; labels: {', '.join(data.CATEGORIES)}"
