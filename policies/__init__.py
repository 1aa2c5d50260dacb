"""What may be made and what counts as proven: YAML packs and the small engine that applies them."""

from __future__ import annotations

from safegen.policies.difference import Change, content_changes
from safegen.policies.draft import draft
from safegen.policies.explanation import category_standings, describe_policy
from safegen.policies.loading import Problem, lint, list_names, load, names
from safegen.policies.schema import CATEGORIES, Policy

__all__ = [
    "CATEGORIES",
    "Change",
    "Policy",
    "Problem",
    "category_standings",
    "content_changes",
    "describe_policy",
    "draft",
    "lint",
    "list_names",
    "load",
    "names",
]
