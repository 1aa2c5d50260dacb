"""The classifier's second half: a small transformer over word pieces, run in numpy.

It is the lower part of a sentence encoder, made narrower and taught by the whole of it (see the card). Layers
of attention (Vaswani et al. 2017, normalised after each part) relate the pieces; the mean and the largest
values over all pieces go through one hidden layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.prompt._wordpieces import Pieces

Floats = NDArray[np.float32]
HEAD = 32
"""Numbers per attention head."""
MAX_PIECES = 256
"""Pieces of a text that are read; callers cut long texts into windows."""
PIECES = 1024
"""Pieces of several texts that are read at once."""
PARTS = ("ask", "join", "wide", "narrow")
NORMS = ("first", "second")
_TINY = np.float32(1e-12)


@dataclass(frozen=True)
class Norm:
    """Every row gets mean 0 and variance 1, then *scale* and *shift* (width,)."""

    scale: Floats
    shift: Floats

    def __call__(self, x: Floats) -> Floats:
        """States (pieces, width) -> states."""
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", centred, centred)[:, None] / np.float32(x.shape[1])
        return np.asarray(centred * (self.scale / np.sqrt(spread + _TINY)) + self.shift, np.float32)


@dataclass(frozen=True)
class Layer:
    """``ask`` (3 * width, width): queries, keys, values; ``join`` (width, width) after attention;

    ``wide`` (inner, width) and ``narrow`` (width, inner): the network of every piece. Each with its bias.
    """

    ask: Floats
    ask_bias: Floats
    join: Floats
    join_bias: Floats
    first: Norm
    wide: Floats
    wide_bias: Floats
    narrow: Floats
    narrow_bias: Floats
    second: Norm

    def __call__(self, x: Floats, spans: Sequence[tuple[int, int]]) -> Floats:
        """States (pieces of all texts, width) -> states; pieces of one text (a span) see each other only."""
        n, width = x.shape
        asked = (x @ self.ask.T + self.ask_bias).reshape(n, 3, width // HEAD, HEAD).transpose(1, 2, 0, 3)
        seen = np.empty((n, width), np.float32)
        for first, after in spans:
            match = asked[0, :, first:after] @ asked[1, :, first:after].transpose(0, 2, 1)
            match = np.exp(match - match.max(axis=2, keepdims=True))
            match /= match.sum(axis=2, keepdims=True)
            met = match @ asked[2, :, first:after]
            seen[first:after] = met.transpose(1, 0, 2).reshape(after - first, width)
        x = self.first(x + seen @ self.join.T + self.join_bias)
        inner = np.asarray(x @ self.wide.T + self.wide_bias, np.float32)
        inner /= 1 + np.exp(np.maximum(inner * np.float32(-1.702), -80))  # nearly GELU
        return self.second(np.asarray(x + inner @ self.narrow.T + self.narrow_bias, np.float32))


@dataclass(frozen=True)
class TransformerHalf:
    """A piece starts as its row of ``rows`` (int8, pieces, width) times ``row_scale``, plus its place's of
    ``places`` (MOST, width).
    """

    pieces: Pieces
    rows: NDArray[np.int8]
    row_scale: Floats
    places: Floats
    start: Norm
    layers: tuple[Layer, ...]
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    out_bias: Floats

    def logits(self, texts: Sequence[Sequence[str]]) -> Floats:
        """Decision values (texts, labels) of texts in words, as the vectoriser cuts them."""
        ids = [self.pieces.ids(words)[:MAX_PIECES] for words in texts]
        pooled = np.zeros((len(texts), 2 * self.rows.shape[1]), np.float32)
        for part in _batches(ids):
            pooled[part] = self._pooled([ids[i] for i in part])
        h = np.maximum(pooled @ self.hidden.T + self.hidden_bias, 0)
        return np.asarray(h @ self.out.T + self.out_bias, dtype=np.float32)

    def _pooled(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Mean and largest values (texts, 2 * width) of the states of texts with at least one piece each."""
        spans = list(pairwise((0, *np.cumsum([len(i) for i in ids]).tolist())))
        flat = np.concatenate([np.asarray(i, np.intp) for i in ids])
        place = np.concatenate([np.arange(len(i)) for i in ids])
        x = self.start(self.rows[flat] * self.row_scale[flat, None] + self.places[place])
        for layer in self.layers:
            x = layer(x, spans)
        parts = [np.concatenate([x[a:b].mean(axis=0), x[a:b].max(axis=0)]) for a, b in spans]
        return np.array(parts, np.float32)


def _batches(ids: Sequence[Sequence[int]]) -> list[list[int]]:
    """Texts that have pieces, in groups of at most PIECES pieces (or of one text)."""
    groups: list[list[int]] = []
    count = PIECES
    for i, row in enumerate(ids):
        if not row:
            continue
        count += len(row)
        if count > PIECES:
            groups.append([])
            count = len(row)
        groups[-1].append(i)
    return groups


def unpack(arrays: dict[str, Any], labels: int) -> TransformerHalf:
    """Arrays of ``weights.npz`` -> Reader. Raises KeyError or ValueError when they do not fit together.

    Pieces' vectors are stored in 4 bits (two a byte) with one scale per piece, a matrix in 8 bits with one
    scale per row (``NAME`` and ``NAME_scale``).
    """
    words = bytes(arrays["vocabulary"]).decode("utf-8").split("\n")
    packed, row_scale = arrays["rows"], arrays["row_scale"].astype(np.float32)
    width, inner = 2 * packed.shape[1], len(arrays["hidden_bias"])
    fits = packed.dtype == np.uint8 and len(packed) == len(words) and row_scale.shape == (len(words),)
    if not fits or width % HEAD:
        raise ValueError("the pieces' vectors do not match")
    if not np.isfinite(row_scale).all():
        raise ValueError("the pieces' vectors contain invalid numbers")
    layers = tuple(_layer(arrays, str(i), width) for i in range(int(arrays["layers"])))
    top = {
        "places": (MAX_PIECES, width), "hidden": (inner, 2 * width), "hidden_bias": (inner,),
        "out": (labels, inner), "out_bias": (labels,),
    }  # fmt: skip
    found = {k: _matrix(arrays, k, s) for k, s in top.items()}
    start, pieces = _norm(arrays, "start", width), Pieces({w: i for i, w in enumerate(words)})
    return TransformerHalf(pieces, nibbles(packed), row_scale, start=start, layers=layers, **found)


def nibbles(packed: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Numbers in [-8, 7] (rows, 2 * columns), of which *packed* holds two a byte, each plus 8."""
    out = np.empty((len(packed), 2 * packed.shape[1]), np.int8)
    out[:, ::2], out[:, 1::2] = packed >> 4, packed & 15
    out -= 8
    return out


def _layer(arrays: dict[str, Any], name: str, width: int) -> Layer:
    wide = len(arrays[f"{name}_wide_bias"])
    shapes = dict(zip(PARTS, ((3 * width, width), (width, width), (wide, width), (width, wide)), strict=True))
    found: dict[str, Any] = {k: _matrix(arrays, f"{name}_{k}", s) for k, s in shapes.items()}
    found |= {f"{k}_bias": _matrix(arrays, f"{name}_{k}_bias", s[:1]) for k, s in shapes.items()}
    found |= {k: _norm(arrays, f"{name}_{k}", width) for k in NORMS}
    return Layer(**found)


def _norm(arrays: dict[str, Any], name: str, width: int) -> Norm:
    return Norm(*(_matrix(arrays, f"{name}_{k}", (width,)) for k in ("scale", "shift")))


def _matrix(arrays: dict[str, Any], name: str, shape: tuple[int, ...]) -> Floats:
    scale = arrays[f"{name}_scale"] if arrays[name].dtype == np.int8 else np.ones(1, np.float32)
    if arrays[name].shape != shape or scale.shape not in {(1,), shape[:1]}:
        raise ValueError(f"the array {name!r} has the wrong shape")
    found = (arrays[name].T * scale.astype(np.float32)).T.astype(np.float32)
    if not np.isfinite(found).all():
        raise ValueError(f"the array {name!r} contains invalid numbers")
    return np.ascontiguousarray(found)
