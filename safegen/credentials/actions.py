"""The actions that a manifest states, out of c2pa's JSON, walked safely (C2PA 2.x section 18.15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safegen.types import StatedAction

MOST = 50
"""Actions that are listed; a hostile manifest may state any number."""


def stated_actions(manifest: Mapping[str, Any]) -> tuple[StatedAction, ...]:
    """The actions of *manifest* (c2pa's JSON) in order, at most ``MOST``."""
    found: list[StatedAction] = []
    for action in _actions(manifest):
        found.append(
            StatedAction(
                _text(action.get("action")) or "",
                _text(action.get("digitalSourceType")),
                _agent(action.get("softwareAgent")),
                _text(action.get("when")),
            )
        )
        if len(found) == MOST:
            break
    return tuple(found)


def _actions(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in _dicts(manifest.get("assertions")):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            data = assertion.get("data")
            yield from _dicts(data.get("actions") if isinstance(data, dict) else None)


def _agent(value: Any) -> str | None:
    """Name and version of a software agent: an object since C2PA 2.0, a text before."""
    if isinstance(value, dict):
        parts = [_text(value.get(key)) for key in ("name", "version")]
        return " ".join(part for part in parts if part) or None
    return _text(value)


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    yield from (v for v in value if isinstance(v, dict)) if isinstance(value, list) else ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
