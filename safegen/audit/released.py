"""The running audit: what a workspace has released, read from the attributes in its ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from safegen.audit.evaluation import Audit, Cell, apply_gate, build_cell
from safegen.audit.schema import UNKNOWN, Gate
from safegen.errors import UsageError

if TYPE_CHECKING:
    from safegen.audit.compare import Rows
    from safegen.ledger.reader import LedgerReader
    from safegen.ledger.records import ReleaseEntry

_PAGE = 200
_GATE = Gate()


def released(
    ledger: LedgerReader,
    *,
    targets: Mapping[str, Mapping[str, float]] | None = None,
    gate: Gate = _GATE,
    attributes: tuple[str, ...] = (),
) -> Audit:
    """Shares of every attribute over all releases that were not withdrawn, for each model.

    *targets*: shares aimed at, by attribute; others are compared with equal shares of the classes that their
    extractor knows. What people ask for shows in these figures as much as what the model prefers. Releases of
    one prompt (known by its hash, where the ledger still has it) count as one prompt.

    Raises UsageError when nothing was released with attributes.
    """
    tables: dict[tuple[str, str], list[tuple[int | str, Mapping[str, float]]]] = {}
    counts: dict[str, dict[str, int]] = {}
    models: dict[str, Mapping[str, str]] = {}
    for release in _releases(ledger):
        model = release.entry.public.get("model", {})
        name = str(model.get("name", "made elsewhere"))
        counts.setdefault(name, {"released": 0, "withdrawn": 0})
        counts[name]["withdrawn" if release.withdrawn is not None else "released"] += 1
        if release.withdrawn is not None:
            continue
        models[str(sorted(model.items()))] = {str(k): str(v) for k, v in model.items()}
        prompt = _prompt(ledger, release)
        for name_of, probabilities in _attributes(release):
            if not attributes or name_of in attributes:
                tables.setdefault((name, name_of), []).append((prompt, probabilities))
    if not tables:
        raise UsageError(
            "no release in this ledger has attributes",
            hint="name extractors under `attributes` in the policy",
        )
    cells = [_cell(model, attribute, rows, targets or {}) for (model, attribute), rows in tables.items()]
    note = "These clips show what was asked for as well as what the model prefers."
    return Audit(
        tuple(apply_gate(cells, gate)), gate, counts, (), (note,), tuple(m for m in models.values() if m)
    )


def _cell(model: str, attribute: str, rows: Rows, targets: Mapping[str, Mapping[str, float]]) -> Cell:
    classes = dict.fromkeys(c for _, p in rows for c in p if c != UNKNOWN)
    if attribute in targets:
        total = sum(targets[attribute].values())
        target = {k: v / total for k, v in targets[attribute].items()}
    else:
        target = dict.fromkeys(classes, 1 / max(1, len(classes)))
    return build_cell(model, attribute, target, rows)


def _releases(ledger: LedgerReader) -> Iterator[ReleaseEntry]:
    """Newest first, page by page."""
    before: int | None = None
    while page := ledger.entries("release", limit=_PAGE, before=before):
        yield from (ledger.release(entry.index) for entry in page)
        before = page[-1].index


def _attributes(release: ReleaseEntry) -> Iterator[tuple[str, dict[str, float]]]:
    for item in release.attributes:
        probabilities: Mapping[str, Any] = item.get("probabilities", {})
        values = {str(k): float(v) for k, v in probabilities.items()}
        if len(values) > 1:
            yield str(item.get("name", "")), values


def _prompt(ledger: LedgerReader, release: ReleaseEntry) -> str:
    """What tells prompts apart: the hash in the decision's private part, else the release itself."""
    decision = release.entry.public.get("decision")
    private = ledger.private(int(decision)) if decision is not None else None
    found = (private or {}).get("prompt_sha256")
    return str(found) if found else f"release {release.index}"
