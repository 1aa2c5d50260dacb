"""The classifier's second half: word-piece vectors, averaged, through a small network.

What a word the training never saw means is known from vectors distilled from a sentence encoder (see the
card).
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
    """``rows`` int8 (pieces, size) times ``row_scale``; ``gate`` (pieces,) in [0, 1]; two layers and a
    shortcut.
    """

    pieces: Pieces
    rows: NDArray[np.int8]
    row_scale: Floats
    gate: Floats
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    shortcut: Floats
    out_bias: Floats

    def logits(self, words: list[str]) -> Floats:
        """Decision values per label, shape (labels,), of *words* as the vectoriser cuts them."""
        ids = self.pieces.ids(words)
        x = np.zeros(self.rows.shape[1], np.float32)
        if ids:
            gate = self.gate[ids]
            x = (gate * self.row_scale[ids]) @ self.rows[ids].astype(np.float32)
            x /= (gate.sum() + np.float32(1e-3)) ** np.float32(POWER)
        h = np.maximum(self.hidden @ x + self.hidden_bias, 0)
        return np.asarray(self.out @ h + self.shortcut @ x + self.out_bias, dtype=np.float32)


def unpack(arrays: dict[str, Any], labels: int) -> Vectors:
    """Arrays of ``weights.npz`` -> Vectors. Raises KeyError or ValueError when they do not fit together."""
    words = bytes(arrays["vocabulary"]).decode("utf-8").split("\n")
    rows = arrays["rows"]
    floats = {k: arrays[k].astype(np.float32) for k in (
        "row_scale", "gate", "hidden", "hidden_bias", "out", "shortcut", "out_bias")}  # fmt: skip
    size, inner = rows.shape[1], len(floats["hidden_bias"])
    shapes = {
        "row_scale": (len(words),), "gate": (len(words),), "hidden": (inner, size), "hidden_bias": (inner,),
        "out": (labels, inner), "shortcut": (labels, size), "out_bias": (labels,),
    }  # fmt: skip
    good = rows.dtype == np.int8 and len(rows) == len(words)
    if not good or any(floats[k].shape != s or not np.isfinite(floats[k]).all() for k, s in shapes.items()):
        raise ValueError("the word vectors do not fit together")
    return Vectors(Pieces({w: i for i, w in enumerate(words)}), rows, **floats)
