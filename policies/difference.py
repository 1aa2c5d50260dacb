"""What changes between two policies: every key of their content whose value differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safegen.policies.schema import Policy

_LEFT_OUT = ("name", "extends", "description", "version", "examples")


@dataclass(frozen=True)
class Change:
    """A key (dotted) whose value differs; ``None`` where one side does not have it."""

    key: str
    before: Any
    after: Any


def content_changes(a: Policy, b: Policy) -> list[Change]:
    """Where the resolved content of *a* and *b* differs, sorted by key; descriptions and examples aside."""
    one, two = (_flat(p.model_dump(mode="json", exclude=set(_LEFT_OUT))) for p in (a, b))
    keys = sorted({*one, *two})
    return [Change(k, one.get(k), two.get(k)) for k in keys if one.get(k) != two.get(k)]


def _flat(value: Any, at: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {at: value}
    out: dict[str, Any] = {}
    for key, inner in value.items():
        out |= _flat(inner, f"{at}.{key}" if at else str(key))
    return out
