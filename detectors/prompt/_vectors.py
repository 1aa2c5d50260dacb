"""The classifier's second half: word-piece vectors, averaged and seen in threes, through a small network.

What a word the training never saw means is known from vectors distilled from a sentence encoder (see the
card). The average says what a text is about; filters over three neighbouring pieces, of which the largest
value anywhere counts (Kim 2014), say what stands next to what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.prompt._pieces import Pieces

Floats = NDArray[np.float32]
POWER = 0.7
"""The sum of gated vectors is divided by (sum of gates) ** POWER: between a sum and a mean."""


@dataclass(frozen=True)
class Vectors:
    """``rows`` int8 (pieces, size) times ``row_scale``; ``gate`` (pieces,) in [0, 1].

    ``filters`` (filters, 3 * size) over a piece and its two neighbours; then two layers and a shortcut.
    """

    pieces: Pieces
    rows: NDArray[np.int8]
    row_scale: Floats
    gate: Floats
    filters: Floats
    filters_bias: Floats
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    shortcut: Floats
    out_bias: Floats

    def logits(self, words: list[str]) -> Floats:
        """Decision values per label, shape (labels,), of *words* as the vectoriser cuts them."""
        ids = self.pieces.ids(words)
        size = self.rows.shape[1]
        mean = np.zeros(size, np.float32)
        most = np.zeros(len(self.filters_bias), np.float32)
        if ids:
            gate = self.gate[ids]
            padded = np.zeros((len(ids) + 2, size), np.float32)
            padded[1:-1] = self.rows[ids] * self.row_scale[ids, None]
            mean = gate @ padded[1:-1] / (gate.sum() + np.float32(1e-3)) ** np.float32(POWER)
            threes = np.concatenate([padded[:-2], padded[1:-1], padded[2:]], axis=1)
            most = np.maximum((threes @ self.filters.T).max(axis=0) + self.filters_bias, 0)
        h = np.maximum(self.hidden @ np.concatenate([mean, most]) + self.hidden_bias, 0)
        return np.asarray(self.out @ h + self.shortcut @ mean + self.out_bias, dtype=np.float32)


def unpack(arrays: dict[str, Any], labels: int) -> Vectors:
    """Arrays of ``weights.npz`` -> Vectors. Raises KeyError or ValueError when they do not fit together."""
    words = bytes(arrays["vocabulary"]).decode("utf-8").split("\n")
    rows = arrays["rows"]
    floats = {k: arrays[k].astype(np.float32) for k in (
        "row_scale", "gate", "filters", "filters_bias", "hidden", "hidden_bias", "out", "shortcut",
        "out_bias")}  # fmt: skip
    size, inner, count = rows.shape[1], len(floats["hidden_bias"]), len(floats["filters_bias"])
    shapes = {
        "row_scale": (len(words),), "gate": (len(words),), "filters": (count, 3 * size),
        "filters_bias": (count,), "hidden": (inner, size + count), "hidden_bias": (inner,),
        "out": (labels, inner), "shortcut": (labels, size), "out_bias": (labels,),
    }  # fmt: skip
    good = rows.dtype == np.int8 and len(rows) == len(words)
    if not good or any(floats[k].shape != s or not np.isfinite(floats[k]).all() for k, s in shapes.items()):
        raise ValueError("the word vectors do not fit together")
    return Vectors(Pieces({w: i for i, w in enumerate(words)}), rows, **floats)
