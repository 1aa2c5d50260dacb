"""Fit both halves, calibrate on held-out sources, quantise, write the weights and their card."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from safegen.detectors.prompt import _vectorise
from safegen.detectors.prompt.guards._files import folder_of
from training.guard import asked, augment, benign, data, lessons, model, reader, tune, unsafe
from training.guard.data import Row

MODEL_VERSION = "4"
MORE = 100_000
"""Texts without labels that the tuned encoder answers for the small transformer."""
Floats = NDArray[np.float32]


def corpus() -> list[Row]:
    """Training rows: the corpus, generated rows, and augmented copies."""
    rows = data.train_rows()
    return [
        *rows,
        *benign.rows(),
        *unsafe.rows(),
        *asked.rows(),
        *asked.with_artists(rows, count=5000),
        *augment.identity(rows, count=1000),
        *augment.disguised(rows, share=0.08),
        *augment.with_style(rows, count=6000),
        *augment.with_refusals(rows, count=1500),
    ]


def english() -> list[Row]:
    """The rows that an English encoder learns from or is calibrated on."""
    return [r for r in without_copies(corpus()) if r.lang == "en"]


def row_weights(rows: Sequence[Row]) -> NDArray[np.float64]:
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
    folder: Path,
    *,
    state: Path,
    more: int = MORE,
    keep: Path | None = None,
    ngrams: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Run the whole recipe and write ``weights.npz`` and ``card.json`` into *folder*; returns the card.

    *encoder* is a folder or a downloaded hub id; the folder *state* holds the tuned encoder (``encoder.pt``,
    from ``encoder.train``) that teaches on the rows and on *more* texts without labels, and where this
    training stands. With *keep*, the calibrated held-out probabilities (rows, labels) are saved there for
    ``thresholds``. With *ngrams* (weights of an earlier run), that half is taken from there and not fitted.
    """
    place, _ = folder_of(encoder, None, "sentence encoder")
    rows = without_copies(corpus())
    kept = np.array([data.is_held_out(r) for r in rows])
    seen, held = np.nonzero(~kept)[0], np.nonzero(kept)[0]
    learn, judged = [rows[i] for i in seen], [rows[i] for i in held]
    say(f"{len(seen)} rows to learn from, {len(held)} held out")
    first = fit_ngrams(learn, row_weights(learn)) if ngrams is None else read_ngrams(ngrams)
    say("n-gram half done")
    words, net = pupil(place, [r for r in learn if r.lang == "en"], more=more, state=state, say=say)
    second = reader.logits(net, lessons.pieces_of(words, [r.text for r in judged]))
    values = np.stack([ngram_logits(first, judged), second], axis=1)
    mix, shift = calibrate(values, judged)
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        np.savez(keep, rows=held, probabilities=probabilities(values, mix, shift), logits=values)
    halves = {**first, **reader.arrays(net, words), "mix": mix, "shift": shift}
    return export(folder, halves, learn)


def pupil(
    encoder: Path, rows: list[Row], *, more: int, state: Path, say: Callable[[str], None] = lambda _: None
) -> tuple[list[str], reader.Net]:
    """Word pieces, and the small transformer that the tuned encoder in *state* taught."""
    weight = row_weights(rows)
    teacher = tune.Tuned(encoder)
    teacher.load_state_dict(torch.load(state / "encoder.pt", weights_only=True)["net"], strict=False)
    whole = teacher.encoder.merge_and_unload()
    sample = tune.token_ids(encoder, [r.text for r in random.Random(0).sample(rows, min(1000, len(rows)))])
    net = reader.Net(
        copy.deepcopy(whole), reader.busyness(whole, tune.padded(sample, teacher.none), teacher.none)
    )
    teacher.encoder = whole.to(torch.bfloat16)  # much faster, and near enough for a teacher
    words = tune.vocabulary(encoder)
    learnt = lessons.lessons(
        teacher, encoder, words, rows, weight, more=more, state=state / "answers", say=say
    )
    reader.fit(net, learnt, state=state / "reader.pt", say=say)
    return words, net


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
    idf = half["idf"].astype(np.float32) / np.float32(16)
    return linear.logits(model.matrix(model.column_rows(rows), idf))


def ngram_arrays(linear: model.Linear, idf: Floats) -> dict[str, NDArray[Any]]:
    """The n-gram half in 8 bits per weight, one scale per label."""
    scale = np.maximum(np.abs(linear.coef).max(axis=1) / 127, 1e-9).astype(np.float32)
    coef = np.clip(np.round(linear.coef / scale[:, None]), -127, 127).astype(np.int8)
    return {"coef": coef, "scale": scale, "bias": linear.bias, "idf": np.round(idf * 16).astype(np.uint8)}


def export(folder: Path, arrays: dict[str, NDArray[Any]], rows: list[Row]) -> dict[str, Any]:
    """Write the weights, and the card with their SHA-256 that the run time insists on."""
    folder.mkdir(parents=True, exist_ok=True)
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
