"""Fit, calibrate on held-out sources, quantise, write the weights and their card."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from safegen.detectors.prompt import _vectorise
from training.guard import augment, benign, data, model
from training.guard.data import Row

FOLDER = Path(__file__).resolve().parents[2] / "safegen" / "models" / "guard"
MODEL_VERSION = "1"


def corpus() -> list[Row]:
    """Training rows: the corpus, generated benign rows, and augmented copies."""
    rows = data.train_rows()
    return [*rows, *benign.rows(), *augment.identity(rows, count=4000), *augment.disguised(rows, share=0.15)]


def row_weights(rows: list[Row]) -> NDArray[np.float64]:
    """Noisy machine-written pairs count less."""
    return np.array([0.6 if r.source.startswith("coprov2") else 1.0 for r in rows])


def out_of_fold(x: model.sp.csr_matrix, rows: list[Row], weight: NDArray[np.float64]) -> NDArray[np.float32]:
    """Decision values (rows, labels) from models that saw nothing of a row's source."""
    fold = np.array([data.fold_of(r, i) for i, r in enumerate(rows)])
    out = np.zeros((len(rows), len(model.LABELS)), np.float32)
    for k in range(len(data.FOLDS)):
        held = fold == k
        fitted = model.fit(x[~held], [r for r, h in zip(rows, held, strict=True) if not h], weight[~held])
        out[held] = fitted.logits(x[held])
    return out


def platt(logits: NDArray[np.float32], rows: list[Row]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slope and shift per label that make held-out decision values probabilities (Platt 1999)."""
    y = model.targets(rows)
    original = np.array(["+" not in r.source for r in rows])
    slope = np.ones(len(model.LABELS), np.float32)
    shift = np.zeros(len(model.LABELS), np.float32)
    for j in range(len(model.LABELS)):
        use = original & (y[:, j] | ~y[:, 0]) if j else original
        fitted = LogisticRegression(C=100.0).fit(logits[use, j : j + 1], y[use, j])
        slope[j], shift[j] = max(float(fitted.coef_[0, 0]), 0.1), fitted.intercept_[0]
    return slope, shift


def train(folder: Path = FOLDER) -> dict[str, object]:
    """Run the whole recipe and write ``weights.npz`` and ``card.json`` into *folder*; returns the card."""
    rows = corpus()
    cols = model.column_rows(rows)
    idf = model.idf_of(cols)
    x = model.matrix(cols, idf)
    weight = row_weights(rows)
    held_out = out_of_fold(x, rows, weight)
    slope, shift = platt(held_out, rows)
    linear = model.fit(x, rows, weight)
    return export(folder, linear, idf, slope, shift, rows)


def export(
    folder: Path,
    linear: model.Linear,
    idf: NDArray[np.float32],
    slope: NDArray[np.float32],
    shift: NDArray[np.float32],
    rows: list[Row],
) -> dict[str, object]:
    """Quantise to 8 bits per weight and write both files."""
    scale = np.maximum(np.abs(linear.coef).max(axis=1) / 127, 1e-9).astype(np.float32)
    coef = np.clip(np.round(linear.coef / scale[:, None]), -127, 127).astype(np.int8)
    path = folder / "weights.npz"
    np.savez(
        path, coef=coef, scale=scale, bias=linear.bias, slope=slope, shift=shift,
        idf=np.round(idf * 16).astype(np.uint8),
    )  # fmt: skip
    sources = sorted({r.source for r in rows if "+" not in r.source})
    card: dict[str, object] = {
        "version": MODEL_VERSION,
        "vectoriser": _vectorise.VERSION,
        "bits": model.BITS,
        "labels": list(model.LABELS),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": len(rows),
        "sources": sources,
    }
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card
