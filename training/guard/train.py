"""Fit both halves, calibrate on held-out sources, quantise, write the weights and their card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from safegen.detectors.prompt import _vectorise
from training.guard import augment, benign, data, model, unsafe, vectors
from training.guard.data import Row

FOLDER = Path(__file__).resolve().parents[2] / "safegen" / "models" / "guard"
MODEL_VERSION = "2"
Floats = NDArray[np.float32]


def corpus() -> list[Row]:
    """Training rows: the corpus, generated rows, and augmented copies."""
    rows = data.train_rows()
    return [
        *rows,
        *benign.rows(),
        *unsafe.rows(),
        *augment.identity(rows, count=4000),
        *augment.disguised(rows, share=0.15),
        *augment.with_style(rows, count=8000),
        *augment.with_refusals(rows, count=1500),
    ]


def row_weights(rows: list[Row]) -> NDArray[np.float64]:
    """Noisy machine-written pairs count less."""
    return np.array([0.5 if r.source.startswith("coprov2") else 1.0 for r in rows])


def calibrate(logits: Floats, rows: list[Row]) -> tuple[Floats, Floats]:
    """Mix (2, labels) and shift (labels,) that make held-out decision values probabilities (Platt 1999)."""
    y = model.targets(rows)
    original = np.array(["+" not in r.source for r in rows])
    mix = np.full((2, len(model.LABELS)), 0.5, np.float32)
    shift = np.zeros(len(model.LABELS), np.float32)
    for j in range(len(model.LABELS)):
        use = original & (y[:, j] | ~y[:, 0]) if j else original
        if y[use, j].sum() < 5:
            continue
        fitted = LogisticRegression(C=100.0).fit(logits[use][:, :, j], y[use, j])
        mix[:, j], shift[j] = np.maximum(fitted.coef_[0], 0.05), fitted.intercept_[0]
    return mix, shift


def train(
    encoder: str,
    folder: Path = FOLDER,
    *,
    keep: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Run the whole recipe and write ``weights.npz`` and ``card.json`` into *folder*; returns the card.

    With *keep*, the calibrated held-out probabilities (rows, labels) are saved there for ``thresholds``.
    """
    rows = corpus()
    cols = model.column_rows(rows)
    idf = model.idf_of(cols)
    x = model.matrix(cols, idf)
    words, piece_vectors = vectors.piece_vectors(encoder)
    ids = vectors.ids_of(words, rows)
    kept = np.array([data.is_held_out(r) for r in rows])
    seen, held = np.nonzero(~kept)[0], np.nonzero(kept)[0]
    say(f"{len(seen)} rows to learn from, {len(held)} held out")
    learn = [rows[i] for i in seen]
    weight = row_weights(learn)
    linear = model.fit(x[seen], learn, weight)
    say("n-gram half done")
    begin = vectors.start(piece_vectors, ids)
    net = vectors.fit(vectors.Net(*begin), [ids[i] for i in seen], learn, weight)
    say("vector half done")
    values = np.stack([linear.logits(x[held]), vectors.logits(net, [ids[i] for i in held])], axis=1)
    mix, shift = calibrate(values, [rows[i] for i in held])
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        z = (values * mix).sum(axis=1) + shift
        probabilities = 1 / (1 + np.exp(-z))
        probabilities[:, 1:] *= probabilities[:, :1]
        np.savez(keep, rows=held, probabilities=probabilities, logits=values)
    halves = {**ngram_arrays(linear, idf), **vectors.arrays(net, words), "mix": mix, "shift": shift}
    return export(folder, halves, learn)


def ngram_arrays(linear: model.Linear, idf: Floats) -> dict[str, NDArray[Any]]:
    """The n-gram half in 8 bits per weight, one scale per label."""
    scale = np.maximum(np.abs(linear.coef).max(axis=1) / 127, 1e-9).astype(np.float32)
    coef = np.clip(np.round(linear.coef / scale[:, None]), -127, 127).astype(np.int8)
    return {"coef": coef, "scale": scale, "bias": linear.bias, "idf": np.round(idf * 16).astype(np.uint8)}


def export(folder: Path, arrays: dict[str, NDArray[Any]], rows: list[Row]) -> dict[str, Any]:
    """Write the weights, and the card with their SHA-256 that the run time insists on."""
    path = folder / "weights.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    card: dict[str, Any] = {
        "version": MODEL_VERSION,
        "vectoriser": _vectorise.VERSION,
        "bits": model.BITS,
        "labels": list(model.LABELS),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": len(rows),
        "sources": sorted({r.source for r in rows if "+" not in r.source}),
    }
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card
