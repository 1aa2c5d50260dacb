"""What a file was made from: its ingredients and theirs, out of c2pa's JSON, walked safely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safegen.credentials.manifest_store import (
    actions_in,
    as_object,
    deduplicated,
    objects_in,
    recorded_failures,
)
from safegen.credentials.status_codes import is_conflict
from safegen.types import IngredientEvidence, Json

MOST, DEEPEST = 200, 20
"""Limits on what a hostile store can make us list."""


def list_ingredients(manifests: Mapping[str, Any], active: str) -> tuple[IngredientEvidence, ...]:
    """The ingredients of the manifest called *active* among *manifests*, each followed by its own."""
    found: list[IngredientEvidence] = []
    for item in _walk(manifests, active, 1, frozenset({active})):
        found.append(item)
        if len(found) >= MOST:
            break
    return tuple(found)


def _walk(
    manifests: Mapping[str, Any], label: str, level: int, above: frozenset[str]
) -> Iterator[IngredientEvidence]:
    """Depth first; a manifest that is its own ancestor is not entered again."""
    for ingredient in objects_in(as_object(manifests.get(label)).get("ingredients")):
        own = _text(ingredient.get("active_manifest"))
        yield _described(ingredient, as_object(manifests.get(own or "")), own, level)
        if own and own not in above and level < DEEPEST:
            yield from _walk(manifests, own, level + 1, above | {own})


def _described(ingredient: Json, manifest: Json, own: str | None, level: int) -> IngredientEvidence:
    """One ingredient, with what its own manifest says of it."""
    info = as_object(manifest.get("signature_info"))
    failures = [c for c in recorded_failures(ingredient) if is_conflict(c)]
    return IngredientEvidence(
        title=_text(ingredient.get("title")) or "",
        relationship=_text(ingredient.get("relationship")) or "",
        level=level,
        manifest_id=own,
        signer=_text(info.get("common_name")) or _text(info.get("issuer")),
        signed_at=_text(info.get("time")),
        source_type=_source_type(manifest),
        failures=deduplicated(failures),
    )


def _source_type(manifest: Json) -> str | None:
    """The last digital source type that the actions of *manifest* state."""
    stated = None
    for action in actions_in(manifest):
        stated = _text(action.get("digitalSourceType")) or stated
    return stated


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
