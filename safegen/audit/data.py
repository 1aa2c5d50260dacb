"""The audit of texts: who and what captions or prompts mention, and how labels are distributed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from safegen.audit import measures
from safegen.audit.evaluation import Audit, Cell, apply_gate, build_cell_from_counts
from safegen.audit.inference import benjamini_hochberg
from safegen.audit.lexicon import Lexicon
from safegen.audit.schema import Gate
from safegen.audit.texts import Row
from safegen.errors import UsageError

_Found: TypeAlias = frozenset[tuple[str, str]]
MIN_TEXTS = 30
"""Texts of a class below which nothing is said about its labels."""
_MAX_LABELS = 20


@dataclass(frozen=True)
class LabelRate:
    """How often texts of a class carry *label*, and the other texts that speak of the dimension do.

    ``low`` and ``high`` bound the difference (95 %); ``p_adjusted`` is Fisher's exact p over all of them.
    """

    label: str
    dimension: str
    name: str
    n: int
    rate: float
    others: int
    others_rate: float
    low: float
    high: float
    p: float
    p_adjusted: float
    why: str = ""

    @property
    def differs(self) -> bool:
        """Whether chance fails to explain it (5 %, all classes and labels together)."""
        return not self.why and self.p_adjusted <= 0.05


@dataclass(frozen=True)
class DataAudit:
    """``texts`` different ones were read, ``duplicates`` left out; ``speaking``: by dimension, how many speak
    of it; ``mentions``: by dimension and class."""

    audit: Audit
    texts: int
    duplicates: int
    speaking: Mapping[str, int]
    mentions: Mapping[str, Mapping[str, int]]
    labels: Mapping[str, int]
    rates: tuple[LabelRate, ...]

    def __repr__(self) -> str:
        """The verdict, and over how many texts."""
        return f"<DataAudit {self.audit.verdict}: {self.texts} texts>"


def audit_texts(rows: Iterable[Row], lexicon: Lexicon, gate: Gate) -> DataAudit:
    """Read *rows* against *lexicon*. Equal texts (case and spaces apart) with equal labels count once.

    Each dimension's classes are compared with equal shares, which is a yardstick and not a norm. Raises
    UsageError when there is no text.
    """
    kept, duplicates = _deduplicate(rows)
    if not kept:
        raise UsageError("there is no text in these files", hint="give captions or prompts, one per line")
    found = [lexicon.find_mentions(row.text) for row in kept]
    cells, mentions, speaking = [], {}, {}
    for dimension, classes in lexicon.dimensions.items():
        table = np.array([[(dimension, c) in f for c in classes] for f in found], np.float64)
        mentions[dimension] = {c: int(k) for c, k in zip(classes, table.sum(0), strict=True)}
        speaking[dimension] = int(table.any(1).sum())
        cells.append(_cell(lexicon.about, dimension, classes, table))
    rates = _rates(kept, found, lexicon)
    audit = Audit(tuple(apply_gate(cells, gate)), gate, {}, (), _notes(duplicates))
    labels = Counter(r.label for r in kept if r.label)
    return DataAudit(audit, len(kept), duplicates, speaking, mentions, dict(labels), rates)


def _deduplicate(rows: Iterable[Row]) -> tuple[list[Row], int]:
    kept: dict[tuple[str, str], Row] = {}
    count = 0
    for row in rows:
        if not row.text.strip():
            continue
        count += 1
        kept.setdefault((" ".join(row.text.casefold().split()), row.label), row)
    return list(kept.values()), count - len(kept)


def _cell(about: str, dimension: str, classes: tuple[str, ...], table: NDArray[np.float64]) -> Cell:
    """A text that speaks of two classes counts for both; that they come together is in the design effect."""
    rows = table[table.any(1)]
    target = dict.fromkeys(classes, 1 / len(classes))
    return build_cell_from_counts(f"texts about {about}", dimension, target, rows, 0)


def _rates(kept: list[Row], found: list[_Found], lexicon: Lexicon) -> tuple[LabelRate, ...]:
    """Every label against every class, in the texts that speak of its dimension."""
    labels = [name for name, _ in Counter(r.label for r in kept if r.label).most_common(_MAX_LABELS + 1)]
    if not 2 <= len(labels) <= _MAX_LABELS:
        return ()
    if len(labels) == 2:
        labels = [max(labels, key=lambda x: (x.lower() in ("unsafe", "harmful", "1", "true", "toxic"), x))]
    out = []
    for dimension, classes in lexicon.dimensions.items():
        about = [
            (r, f) for r, f in zip(kept, found, strict=True) if r.label and any(d == dimension for d, _ in f)
        ]
        for name in classes:
            mine = [r.label for r, f in about if (dimension, name) in f]
            rest = [r.label for r, f in about if (dimension, name) not in f]
            out += [_rate(label, dimension, name, mine, rest) for label in labels]
    speak = [i for i, r in enumerate(out) if not r.why]
    adjusted = benjamini_hochberg([out[i].p for i in speak])
    for i, p in zip(speak, adjusted, strict=True):
        out[i] = LabelRate(**{**vars(out[i]), "p_adjusted": p})
    return tuple(out)


def _rate(label: str, dimension: str, name: str, mine: list[str], rest: list[str]) -> LabelRate:
    n, m = len(mine), len(rest)
    a, b = mine.count(label), rest.count(label)
    share, other = a / max(1, n), b / max(1, m)
    low, high = measures.difference(share, n, other, m)
    if min(n, m) < MIN_TEXTS:
        why = f"fewer than {MIN_TEXTS} texts"
        return LabelRate(label, dimension, name, n, share, m, other, low, high, 1.0, 1.0, why)
    p = float(fisher_exact([[a, n - a], [b, m - b]]).pvalue)
    return LabelRate(label, dimension, name, n, share, m, other, low, high, p, p)


def _notes(duplicates: int) -> tuple[str, ...]:
    return (f"{duplicates} duplicates (same text, same label) were ignored",) if duplicates else ()
