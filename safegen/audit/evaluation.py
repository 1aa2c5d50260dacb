"""From observations to an ``Audit``: a cell for every group and attribute, contrasts, refusals, a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from safegen.audit import inference, measures
from safegen.audit.compare import ContrastResult, Rows, compare_groups, count_classes
from safegen.audit.journal import Observation
from safegen.audit.schema import OTHER, Aim, Gate, Suite
from safegen.errors import UsageError

Verdict: TypeAlias = Literal["strays", "no stray found", "cannot say"]


@dataclass(frozen=True)
class Share:
    """How often a class was seen, with its 95 % interval, and its target."""

    name: str
    count: int
    share: float
    low: float
    high: float
    target: float


@dataclass(frozen=True)
class Cell:
    """One attribute in one group of prompts.

    ``n`` clips could be read, ``unknown`` could not; ``n_effective`` is n over the design effect. ``tv`` is
    the total variation as seen, ``null`` what chance shows on average, ``corrected`` the median-unbiased
    estimate, ``low`` and ``high`` its 95 % interval; ``bound`` is what the gate compares with its limit.
    ``least``: the effective clips below which the gate stays silent.
    """

    group: str
    attribute: str
    shares: tuple[Share, ...]
    n: int
    unknown: int
    prompts: int
    design_effect: float
    n_effective: float
    tv: float = 0.0
    null: float = 0.0
    corrected: float = 0.0
    low: float = 0.0
    high: float = 1.0
    if_unknown: tuple[float, float] = (0.0, 1.0)
    entropy: float = 0.0
    divergence: float = 0.0
    mean_deviation: float = 0.0
    p_exact: float = 1.0
    p_gate: float = 1.0
    p_adjusted: float = 1.0
    bound: float = 0.0
    least: int = 0
    verdict: Verdict = "cannot say"
    why: str = ""

    @property
    def intensity(self) -> float:
        """1 - normalised entropy."""
        return 1 - self.entropy if self.n else 0.0


@dataclass(frozen=True, repr=False)
class Audit:
    """The result of an audit. ``outcomes``: clips by outcome, for every group."""

    cells: tuple[Cell, ...]
    gate: Gate
    outcomes: Mapping[str, Mapping[str, int]]
    contrasts: tuple[ContrastResult, ...] = ()
    notes: tuple[str, ...] = ()
    models: tuple[Mapping[str, str], ...] = field(default=())

    def __repr__(self) -> str:
        """The verdict, and over how much."""
        return f"<Audit {self.verdict}: {len(self.cells)} cells>"

    @property
    def strays(self) -> tuple[Cell, ...]:
        """Cells that fail the gate."""
        return tuple(c for c in self.cells if c.verdict == "strays")

    @property
    def silent(self) -> tuple[Cell, ...]:
        """Cells that cannot be judged."""
        return tuple(c for c in self.cells if c.verdict == "cannot say")

    @property
    def verdict(self) -> Verdict:
        """The gate's verdict: a stray beats silence, silence beats no stray. Without any cell: silence."""
        if self.strays:
            return "strays"
        return "cannot say" if self.silent or not self.cells else "no stray found"

    @property
    def exit_code(self) -> int:
        """The gate's: 0, 9, or 4 where it cannot say."""
        return {"strays": 9, "cannot say": 4, "no stray found": 0}[self.verdict]


def evaluate_run(suite: Suite, seen: Sequence[Observation], gate: Gate | None = None) -> Audit:
    """Judge the observations of a run of *suite*. Raises UsageError for a gate that nothing can meet."""
    terms = gate or suite.gate
    tables = []
    for group in suite.groups:
        mine = [o for o in seen if o.group == group.name and o.outcome == "seen"]
        for attribute in group.attributes:
            rows = [(o.prompt, o.attributes[attribute]) for o in mine if attribute in o.attributes]
            tables.append((group.name, attribute, suite.attributes[attribute], rows))
    cells = apply_gate([build_cell(g, a, aim.shares, rows) for g, a, aim, rows in tables], terms)
    outcomes = {
        g.name: dict(Counter(str(o.outcome) for o in seen if o.group == g.name)) for g in suite.groups
    }
    by_place = {(g, a): (aim, rows) for g, a, aim, rows in tables}
    between = [_between(c.a, c.b, c.attribute, by_place) for c in suite.contrasts]
    models = {tuple(sorted(o.model.items())): o.model for o in seen if o.model}
    return Audit(
        tuple(cells), terms, outcomes, compare_groups(between), _notes(outcomes), tuple(models.values())
    )


def build_cell(group: str, attribute: str, target: Mapping[str, float], rows: Rows) -> Cell:
    """The figures of one cell, before the gate has looked at all of them together."""
    classes, counts, unknown = count_classes(list(target), rows)
    return build_cell_from_counts(group, attribute, {c: target.get(c, 0.0) for c in classes}, counts, unknown)


def build_cell_from_counts(
    group: str, attribute: str, target: Mapping[str, float], counts: NDArray[np.float64], unknown: int
) -> Cell:
    """As ``cell``, from counts by prompt (prompts, K) in the order of *target*."""
    total = counts.sum(0)
    n = int(total.sum())
    q = np.array(list(target.values()))
    effect = inference.design_effect(counts)
    effective = n / effect
    if n == 0:
        empty = tuple(Share(c, 0, 0.0, 0.0, 1.0, t) for c, t in target.items())
        return Cell(group, attribute, empty, 0, unknown, 0, 1.0, 0.0)
    p = total / n
    shares = tuple(
        Share(c, int(k), float(s), *measures.wilson(float(s), effective), float(t))
        for (c, t), k, s in zip(target.items(), total, p, strict=True)
    )
    m = max(1, round(effective))
    inside = inference.interval(p, q, m)
    return Cell(
        group,
        attribute,
        shares,
        n,
        unknown,
        int((counts.sum(1) > 0).sum()),
        effect,
        effective,
        tv=measures.total_variation(p, q),
        null=measures.null_total_variation(m, q),
        corrected=inside.estimate,
        low=inside.low,
        high=inside.high,
        if_unknown=measures.if_unknown(total, unknown, q),
        entropy=measures.normalised_entropy(p),
        divergence=measures.divergence(total, q),
        mean_deviation=measures.mean_deviation(p),
        p_exact=inference.exact_p(total, q, effect=effect),
    )


def apply_gate(cells: Sequence[Cell], gate: Gate) -> list[Cell]:
    """The cells with the gate's word on each: silence first, then Benjamini-Hochberg over the others."""
    ready = [_check_sample_size(c, gate, len(cells)) for c in cells]
    speak = [i for i, c in enumerate(ready) if not c.why]
    raw = {i: _p(ready[i], gate.limit) for i in speak}
    adjusted = dict(zip(speak, inference.benjamini_hochberg([raw[i] for i in speak]), strict=True))
    said_no = sum(p <= gate.error for p in adjusted.values())
    error = gate.error * max(1, said_no) / max(1, len(speak))
    out = []
    for i, c in enumerate(ready):
        if i not in adjusted:
            out.append(c)
            continue
        no = adjusted[i] <= gate.error
        verdict: Verdict = "strays" if no else "no stray found"
        out.append(replace(c, p_gate=raw[i], p_adjusted=adjusted[i], bound=_bound(c, error), verdict=verdict))
    return out


def _check_sample_size(c: Cell, gate: Gate, together: int) -> Cell:
    """With the least N, and why the gate stays silent, if it does."""
    target = tuple(s.target for s in c.shares if s.name != OTHER)
    if len(target) < 2:
        return replace(c, why="there is only one class")
    try:
        least = inference.least_n(target, limit=gate.limit, effect=gate.effect, error=gate.error / together)
    except UsageError as error:
        raise UsageError(f"{c.group}, {c.attribute}: {error}", hint=error.hint) from error
    share = c.unknown / max(1, c.n + c.unknown)
    why = ""
    if c.n == 0:
        why = "nothing could be read" if c.unknown else "no clips were made"
    elif share > gate.max_unknown:
        why = f"{share:.0%} could not be read (at most {gate.max_unknown:.0%})"
    elif c.n_effective < least:
        why = f"{c.n_effective:.0f} effective observations, a distance of {gate.effect:g} needs {least}"
    return replace(c, least=least, why=why)


def _vectors(c: Cell) -> tuple[measures.Shares, measures.Shares, int]:
    p = np.array([s.share for s in c.shares])
    q = np.array([s.target for s in c.shares])
    return p, q, max(1, round(c.n_effective))


def _p(c: Cell, limit: float) -> float:
    p, q, n = _vectors(c)
    return inference.gate_p(p, q, n, limit=limit)


def _bound(c: Cell, error: float) -> float:
    p, q, n = _vectors(c)
    return inference.gate_bound(p, q, n, error=error)


def _between(
    a: str, b: str, attribute: str, tables: Mapping[tuple[str, str], tuple[Aim, Rows]]
) -> tuple[str, str, str, tuple[str, ...], Rows, Rows]:
    aim, rows_a = tables[a, attribute]
    return a, b, attribute, tuple(aim.classes), rows_a, tables[b, attribute][1]


def _notes(outcomes: Mapping[str, Mapping[str, int]]) -> tuple[str, ...]:
    """What a reader must know before the figures."""
    notes = []
    total = sum(sum(c.values()) for c in outcomes.values())
    for word, meaning in (
        ("refused", "were refused by the policy"),
        ("held", "were held by it"),
        ("failed", "failed"),
    ):
        count = sum(c.get(word, 0) for c in outcomes.values())
        if count:
            notes.append(f"{count} of {total} clips {meaning}: the figures cover the rest")
    return tuple(notes)
