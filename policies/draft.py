"""A new policy file to begin with: it loads, lints clean and passes its own examples."""

from __future__ import annotations

import re

from safegen._text import to_json
from safegen.errors import UsageError
from safegen.policies.loading import load
from safegen.policies.schema import CATEGORIES, Policy
from safegen.types import Action

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def draft(name: str, *, extends: str = "default") -> str:
    """YAML of a policy *name* that extends *extends* (a pack, or a path as the file will see it).

    Its categories stand there as comments with the parent's thresholds; its examples are two of the parent's.
    Raises UsageError for a name that no policy may have and for a parent that cannot be loaded.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a policy's name", hint="use at most 64 letters, digits, '.', '_' and '-'"
        )
    parent = load(extends)
    rules = "\n".join(f"#   {_rule(parent, c):<58} # {words}" for c, words in CATEGORIES.items())
    plain = [e for e in parent.examples if not e.negative_prompt]
    shown = [e for kind in (Action.ALLOW, Action.BLOCK) for e in [x for x in plain if x.expect == kind][:1]]
    quoted = [(to_json(e.prompt), e.expect) for e in shown]
    examples = "\n".join(f"  - {{prompt: {prompt}, expect: {expect}}}" for prompt, expect in quoted)
    return f"""\
# `safegen policy lint` checks this file, `safegen policy test` runs its examples,
# `safegen policy diff {extends} FILE` shows what it changes. All keys: docs/policies.md
name: {name}
extends: {extends}
description: What this policy is for, and for whom.

# The score in [0, 1] from which a category is held for a person (review) or refused (block).
# Uncomment a line to change it; these are the values of {parent.name!r}.
# categories:
{rules}

# What the policy must do. A policy without examples is untested.
examples:
{examples or "  []"}
"""


def _rule(policy: Policy, category: str) -> str:
    rule = policy.rule(category)
    parts = [f"{k}: {v:g}" for k, v in (("review", rule.review), ("block", rule.block)) if v is not None]
    return f"{category}: " + (f"{{{', '.join(parts)}}}" if parts else "allow")
