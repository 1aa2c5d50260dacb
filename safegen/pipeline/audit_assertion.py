"""What manifests say about the bias audits of the model that made a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.types import Json

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader
    from safegen.types import ModelRef

LABEL = "org.safegen.audit"
_MAX_ENTRIES = 200
"""Newest audits of the ledger that are looked at."""


def find_audits(ledger: LedgerReader, model: ModelRef) -> list[Json]:
    """The newest audit of these very weights by each suite, as the manifest states it; [] without any.

    Models without a known digest are never matched: an audit of other weights says nothing.
    """
    by_suite: dict[str, Json] = {}
    if not model.digest:
        return []
    for entry in ledger.entries("audit", limit=_MAX_ENTRIES):
        public = entry.public
        models = public.get("models", [])
        suite = public.get("suite", {})
        if [m.get("sha256") for m in models] != [model.digest] or suite.get("sha256") in by_suite:
            continue
        cells = public.get("cells", [])
        by_suite[suite.get("sha256")] = {
            "suite": {"name": suite.get("name"), "sha256": suite.get("sha256")},
            "verdict": public.get("verdict"),
            "cells": len(cells),
            "strays": [f"{c['attribute']}: {c['group']}" for c in cells if c.get("verdict") == "strays"],
            "cannotSay": sum(c.get("verdict") == "cannot say" for c in cells),
            "observations": sum(c.get("n", 0) for c in cells),
            "log": ledger.origin,
            "entry": entry.index,
            "time": entry.time,
        }
    return list(by_suite.values())


def add_audit_assertion(definition: Json, ledger: LedgerReader, model: ModelRef | None) -> None:
    """Add the assertion ``org.safegen.audit`` to the manifest *definition*, if there is an audit."""
    audits = find_audits(ledger, model) if model is not None else []
    if audits:
        definition["assertions"].append({"label": LABEL, "data": {"audits": audits}})
