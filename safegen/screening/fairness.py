"""Does a policy treat people alike? The identity-swap suite, run through the policy as it is shipped.

The same sentences are screened with every term of the suite and without any. What counts is whether a
prompt is flagged (held or refused) under the policy's own thresholds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import yaml
from numpy.typing import NDArray

from safegen._util.resources import data_path
from safegen.errors import UsageError
from safegen.policies.schema import Policy
from safegen.screening.batch import screen_many
from safegen.screening.statistics import Flags, gap_interval, holm, mcnemar, wilson
from safegen.types import Action

SUITE = data_path("screening", "identity.yaml")
Kind: TypeAlias = Literal["benign", "unsafe"]
_NEUTRAL = re.compile(r"\{who\} ?")


@dataclass(frozen=True)
class Suite:
    """Terms by group, and sentences with places for them."""

    version: int
    groups: Mapping[str, tuple[str, ...]]
    benign: tuple[str, ...]
    unsafe: tuple[str, ...]

    @property
    def terms(self) -> tuple[str, ...]:
        """All terms, group by group."""
        return tuple(t for terms in self.groups.values() for t in terms)


@dataclass(frozen=True)
class FlagRate:
    """How often prompts with *name* (a term or group) were flagged: ``flagged`` of ``count``, 95% interval.

    ``only_with`` sentences are flagged with the term and not without any, ``only_without`` the other way
    round; ``p`` is McNemar's exact two-sided value for that, corrected for the number of terms (Holm); for
    groups the pairs of all their terms count, which are not independent, so their ``p`` is None.
    """

    name: str
    group: str
    flagged: int
    count: int
    interval: tuple[float, float]
    only_with: int
    only_without: int
    p: float | None

    @property
    def share(self) -> float:
        """Flagged prompts, in [0, 1]."""
        return self.flagged / self.count


@dataclass(frozen=True)
class SwapResult:
    """One kind of sentence. ``gap``: largest minus smallest share of a term, with its 95% interval.

    ``unlike``: share of sentences about which not all terms came out alike.
    """

    kind: Kind
    neutral: FlagRate
    terms: tuple[FlagRate, ...]
    groups: tuple[FlagRate, ...]
    gap: float
    gap_interval: tuple[float, float]
    group_gap: float
    score_gap: float
    unlike: float


@lru_cache(maxsize=1)
def suite() -> Suite:
    """The shipped suite."""
    data = yaml.safe_load(SUITE.read_text(encoding="utf-8"))
    groups = {name: tuple(map(str, terms)) for name, terms in data["groups"].items()}
    return Suite(int(data["version"]), groups, tuple(data["benign"]), tuple(data["unsafe"]))


def fill_template(template: str, term: str) -> str:
    """*template* with *term* in its place; without any when *term* is empty."""
    if not term:
        template = _NEUTRAL.sub("", template)
        after = re.search(r"\{a\} (\w)", template)
        return template.replace("{a}", "an" if after and after[1] in "aeiou" else "a")
    return template.replace("{a}", "an" if term[0] in "AEIOUaeiou" else "a").replace("{who}", term)


def measure_fairness(policy: Policy, kind: Kind, *, of: Suite | None = None, workers: int = 1) -> SwapResult:
    """Screen the sentences of *kind* with every term under *policy*. Raises as ``screen_many`` does.

    Raises UsageError when the suite has no sentences of that kind.
    """
    used = of or suite()
    templates = used.benign if kind == "benign" else used.unsafe
    if not templates:
        raise UsageError(f"the suite has no {kind} sentences", hint="add some")
    rows = ["", *used.terms]
    texts = [fill_template(t, term) for term in rows for t in templates]
    verdicts = list(screen_many(texts, policy=policy, workers=workers))
    shape = (len(rows), len(templates))
    flags = np.array([v.outcome != Action.ALLOW for v in verdicts]).reshape(shape)
    scores = np.array([v.score for v in verdicts]).reshape(shape)
    return _side(kind, used, flags, scores)


def _side(kind: Kind, used: Suite, flags: Flags, scores: NDArray[np.float64]) -> SwapResult:
    """Rates and gaps from flags (1 + terms, sentences): the first row is the neutral one."""
    neutral, swapped = flags[0], flags[1:]
    where = {t: g for g, terms in used.groups.items() for t in terms}
    counts = [(int((row & ~neutral).sum()), int((~row & neutral).sum())) for row in swapped]
    p_values = holm([mcnemar(*c) for c in counts])
    terms = tuple(
        _rate(name, where[name], row[None, :], c, p)
        for name, row, c, p in zip(used.terms, swapped, counts, p_values, strict=True)
    )
    groups = tuple(_group(g, names, used.terms, swapped, counts) for g, names in used.groups.items())
    shares = swapped.mean(axis=1)
    means = scores[1:].mean(axis=1)
    return SwapResult(
        kind,
        _rate("(no term)", "", neutral[None, :], (0, 0), None),
        terms,
        groups,
        float(shares.max() - shares.min()),
        gap_interval(swapped),
        max(r.share for r in groups) - min(r.share for r in groups),
        float(means.max() - means.min()),
        float((swapped.any(axis=0) & ~swapped.all(axis=0)).mean()),
    )


def _group(
    name: str, members: Sequence[str], terms: Sequence[str], flags: Flags, counts: Sequence[tuple[int, int]]
) -> FlagRate:
    rows = [i for i, t in enumerate(terms) if t in members]
    pairs = sum(counts[i][0] for i in rows), sum(counts[i][1] for i in rows)
    return _rate(name, name, flags[rows], pairs, None)


def _rate(name: str, group: str, flags: Flags, pairs: tuple[int, int], p: float | None) -> FlagRate:
    hits, n = int(flags.sum()), int(flags.size)
    return FlagRate(name, group, hits, n, wilson(hits, n), *pairs, p)
