"""What may be made and what counts as proven: YAML packs and the small engine that applies them."""

from __future__ import annotations

from safegen.policies.examples import Mismatch, run_examples
from safegen.policies.loading import Problem, lint, list_names, load, names
from safegen.policies.schema import CATEGORIES, Policy

__all__ = [
    "CATEGORIES",
    "Mismatch",
    "Policy",
    "Problem",
    "lint",
    "list_names",
    "load",
    "names",
    "run_examples",
]
