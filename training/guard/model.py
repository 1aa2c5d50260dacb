"""Features and fitting of the embedded classifier (scikit-learn; training only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from safegen.detectors.prompt._vectorise import columns, feature_words
from safegen.detectors.prompt.normalise import plain_view
from training.guard.data import CATEGORIES, Row

BITS = 18
LABELS = ("unsafe", *CATEGORIES)


def column_rows(rows: list[Row], bits: int = BITS) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Columns of every row, as the run time computes them."""
    return [columns(feature_words(plain_view(r.text).text), bits) for r in rows]


def idf_of(cols: list[tuple[NDArray[np.int64], NDArray[np.int64]]], bits: int = BITS) -> NDArray[np.float32]:
    """Smoothed inverse document frequency per column, quantised as it is shipped (1/16 steps)."""
    df = np.zeros(1 << bits)
    for a, b in cols:
        df[a] += 1
        df[b] += 1
    idf = np.log((1 + len(cols)) / (1 + df)) + 1
    return (np.round(idf * 16) / 16).astype(np.float32)


def matrix(
    cols: list[tuple[NDArray[np.int64], NDArray[np.int64]]], idf: NDArray[np.float32]
) -> sp.csr_matrix:
    """Sparse float32 matrix, one row per text."""
    indices = np.concatenate([np.concatenate(c) for c in cols]).astype(np.int32)
    lengths = np.array([len(a) + len(b) for a, b in cols])
    values = []
    for blocks in cols:
        for block in blocks:
            v = idf[block]
            norm = np.sqrt(np.dot(v, v))
            values.append(v / norm if norm > 0 else v)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return sp.csr_matrix((np.concatenate(values), indices, indptr), shape=(len(cols), len(idf)))


@dataclass
class Linear:
    """One weight vector per label: ``coef`` (labels, columns), ``bias`` (labels,)."""

    coef: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, x: sp.csr_matrix) -> NDArray[np.float32]:
        """Decision values, shape (rows, labels)."""
        return np.asarray(x @ self.coef.T + self.bias, dtype=np.float32)


def targets(rows: list[Row]) -> NDArray[np.bool_]:
    """Label matrix (rows, labels): overall first."""
    return np.array([[r.unsafe, *(r.unsafe and r.category == c for c in CATEGORIES)] for r in rows])


def fit(x: sp.csr_matrix, rows: list[Row], weight: NDArray[np.float64], c: float = 1.0) -> Linear:
    """One-vs-rest logistic regression per label; unsafe rows of other categories count little as negatives.

    (They carry one label of possibly several, so "not sexual" is not certain for a row marked violent.)
    """
    y = targets(rows)
    coef = np.zeros((len(LABELS), x.shape[1]), np.float32)
    bias = np.zeros(len(LABELS), np.float32)
    third = np.arange(len(rows)) % 3 == 0
    for j in range(len(LABELS)):
        use, w = np.ones(len(rows), bool), weight.copy()
        if j:  # benign rows are plenty: every third one suffices for a single category
            use = y[:, 0] | third
            w[~y[:, 0]] *= 3
            w[y[:, 0] & ~y[:, j]] *= 0.3
            w[y[:, j]] *= min(6.0, 0.15 * len(rows) / max(1, y[:, j].sum()))
        model = LogisticRegression(C=c, solver="lbfgs", max_iter=35, tol=1e-4)
        model.fit(x[use], y[use, j], sample_weight=w[use])
        coef[j], bias[j] = model.coef_[0], model.intercept_[0]
    return Linear(coef, bias)
