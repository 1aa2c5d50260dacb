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
MODEL_VERSION = "3"
Floats = NDArray[np.float32]


def corpus() -> list[Row]:
    """Training rows: the corpus, generated rows, and augmented copies."""
    rows = data.train_rows()
    return [
        *rows,
        *benign.rows(),
        *unsafe.rows(),
        *augment.identity(rows, count=1000),
        *augment.disguised(rows, share=0.08),
        *augment.with_style(rows, count=6000),
        *augment.with_refusals(rows, count=1500),
    ]


def row_weights(rows: list[Row]) -> NDArray[np.float64]:
    """Noisy machine-written pairs count less, pairs that teach the line between word and deed count more."""
    shares = {"coprov2": 0.5, "overt_safe": 2.0, "overt_unsafe": 2.0}
    return np.array([shares.get(r.source.split("+")[0], 1.0) for r in rows])


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
    ngrams: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Run the whole recipe and write ``weights.npz`` and ``card.json`` into *folder*; returns the card.

    With *keep*, the calibrated held-out probabilities (rows, labels) are saved there for ``thresholds``.
    With *ngrams* (weights of an earlier run), the n-gram half is taken from there and not fitted again.
    """
    rows = without_copies(corpus())
    words, piece_vectors = vectors.piece_vectors(encoder)
    ids = vectors.ids_of(words, rows)
    kept = np.array([data.is_held_out(r) for r in rows])
    seen, held = np.nonzero(~kept)[0], np.nonzero(kept)[0]
    learn, judged = [rows[i] for i in seen], [rows[i] for i in held]
    say(f"{len(seen)} rows to learn from, {len(held)} held out")
    weight = row_weights(learn)
    first = fit_ngrams(learn, weight) if ngrams is None else read_ngrams(ngrams)
    say("n-gram half done")
    net = vectors.Net(*vectors.start(piece_vectors, ids))
    vectors.fit(net, [ids[i] for i in seen], learn, weight, say=say)
    values = np.stack([ngram_logits(first, judged), vectors.logits(net, [ids[i] for i in held])], axis=1)
    mix, shift = calibrate(values, judged)
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        np.savez(keep, rows=held, probabilities=probabilities(values, mix, shift), logits=values)
    halves = {**first, **vectors.arrays(net, words), "mix": mix, "shift": shift}
    return export(folder, halves, learn)


def without_copies(rows: list[Row]) -> list[Row]:
    """*rows* without altered copies of held-out ones: nobody learns from them, nobody is judged by them."""
    return [r for r in rows if "+" not in r.source or not data.is_held_out(r)]


def probabilities(logits: Floats, mix: Floats, shift: Floats) -> Floats:
    """Calibrated probabilities (rows, labels) of decision values (rows, 2, labels), as the run time does."""
    p = 1 / (1 + np.exp(-((logits * mix).sum(axis=1) + shift)))
    p[:, 1:] *= p[:, :1]
    return np.asarray(p, np.float32)


def fit_ngrams(rows: list[Row], weight: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """The n-gram half, fitted on *rows*."""
    cols = model.column_rows(rows)
    idf = model.idf_of(cols)
    return ngram_arrays(model.fit(model.matrix(cols, idf), rows, weight), idf)


def read_ngrams(path: Path) -> dict[str, NDArray[Any]]:
    """The n-gram half of the weights at *path*."""
    with np.load(path, allow_pickle=False) as z:
        return {k: z[k] for k in ("coef", "scale", "bias", "idf")}


def ngram_logits(half: dict[str, NDArray[Any]], rows: list[Row]) -> Floats:
    """Decision values (rows, labels) of the n-gram half as it is shipped."""
    linear = model.Linear(half["coef"].astype(np.float32) * half["scale"][:, None], half["bias"])
    return linear.logits(model.matrix(model.column_rows(rows), half["idf"].astype(np.float32) / 16))


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
