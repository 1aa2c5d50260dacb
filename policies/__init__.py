"""What may be made and what counts as proven: YAML packs and the small engine that applies them."""

from __future__ import annotations

from safegen.policies.difference import Comparison, changes, compare
from safegen.policies.draft import draft
from safegen.policies.explanation import category_standings, sentences
from safegen.policies.loading import Problem, lint, list_names, load, names
from safegen.policies.schema import CATEGORIES, Policy
from safegen.screening.examples import Mismatch, run_examples

__all__ = [
    "CATEGORIES",
    "Comparison",
    "Mismatch",
    "Policy",
    "Problem",
    "category_standings",
    "changes",
    "compare",
    "draft",
    "lint",
    "list_names",
    "load",
    "names",
    "run_examples",
    "sentences",
]
