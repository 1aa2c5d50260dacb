"""c2pa's reader JSON, walked safely: codes, ingredients, soft bindings, ancestors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from safegen.credentials.status_codes import DATA_MATCH, DATA_MISMATCH, WIDE, is_conflict
from safegen.types import Json, SoftBinding

MAX_MANIFESTS = 1000


def deduplicated(items: Iterable[str]) -> tuple[str, ...]:
    """*items* without repeats, in order."""
    return tuple(dict.fromkeys(items))


class ManifestStore:
    """A manifest store as c2pa's reader gives it (``Reader.json()``, parsed).

    Raises ValueError when the active manifest is missing.
    """

    def __init__(self, document: Json) -> None:
        self.manifests: Json = as_object(document.get("manifests"))
        self.active_id = str(document.get("active_manifest"))
        self.results = as_object(document.get("validation_results"))
        self.state = str(document.get("validation_state"))
        if self.active_id not in self.manifests:
            raise ValueError("there is no active manifest")

    @property
    def active(self) -> Json:
        """The active manifest."""
        return as_object(self.manifests[self.active_id])

    @property
    def signed_at(self) -> str | None:
        """The time in the time stamp (ISO 8601), whoever made it; ``None`` without one."""
        found = as_object(self.active.get("signature_info")).get("time")
        return found if isinstance(found, str) else None

    @property
    def claimed_signer(self) -> str | None:
        """The signer's name as c2pa reads it."""
        info = as_object(self.active.get("signature_info"))
        found = info.get("issuer") or info.get("common_name")
        return found if isinstance(found, str) else None

    def codes(self, kind: str) -> tuple[str, ...]:
        """Codes of the active manifest; *kind* is ``success``, ``informational`` or ``failure``."""
        return deduplicated(_codes(as_object(self.results.get("activeManifest")), kind))

    def failures(self) -> tuple[str, ...]:
        """Failure codes of the active manifest.

        Where c2pa says of one and the same data hash that it matches and that it does not, the hash holds and
        what it leaves out is wider than the credentials: that is said instead.
        """
        active = as_object(self.results.get("activeManifest"))
        held = {e.get("url") for e in _entries(active, "success") if e.get("code") == DATA_MATCH}
        return deduplicated(
            WIDE if e.get("code") == DATA_MISMATCH and e.get("url") in held else str(e.get("code"))
            for e in _entries(active, "failure")
        )

    def codes_about(self, url_end: str) -> tuple[str, ...]:
        """Codes of every kind about the part of the active manifest whose address ends in *url_end*."""
        active = as_object(self.results.get("activeManifest"))
        entries = [e for kind in ("success", "informational", "failure") for e in _entries(active, kind)]
        return deduplicated(str(e.get("code")) for e in entries if str(e.get("url", "")).endswith(url_end))

    def ingredient_failures(self) -> tuple[str, ...]:
        """Codes that mean an ingredient's hash or signature does not match, transitively."""
        return tuple(c for c in self._ingredient_codes() if is_conflict(c))

    def notes(self) -> tuple[str, ...]:
        """What is informational, and what is only odd about the ingredients."""
        below = [c for c in self._ingredient_codes() if not is_conflict(c)]
        return deduplicated([*self.codes("informational"), *(f"ingredient:{c}" for c in below)])

    def ancestors(self) -> tuple[str, ...]:
        """Manifest ids of the ingredients, transitively, nearest first."""
        found: list[str] = []
        queue = [self.active_id]
        while queue and len(found) < MAX_MANIFESTS:
            for ingredient in self._ingredients(queue.pop(0)):
                label = ingredient.get("active_manifest")
                if isinstance(label, str) and label != self.active_id and label not in found:
                    found.append(label)
                    queue.append(label)
        return tuple(found)

    def bindings(self, labels: Sequence[str]) -> tuple[SoftBinding, ...]:
        """The soft bindings that the manifests called *labels* state (``c2pa.soft-binding``)."""
        found: list[SoftBinding] = []
        for label in labels:
            for assertion in _list(as_object(self.manifests.get(label)).get("assertions")):
                name = str(as_object(assertion).get("label", ""))
                if name == "c2pa.soft-binding" or name.startswith("c2pa.soft-binding__"):
                    found += _blocks(as_object(as_object(assertion).get("data")))
        return tuple(dict.fromkeys(found))

    def _ingredients(self, label: str) -> Iterator[Json]:
        for ingredient in _list(as_object(self.manifests.get(label)).get("ingredients")):
            yield as_object(ingredient)

    def _ingredient_codes(self) -> tuple[str, ...]:
        """Failures now (deltas), failures noted when the ingredients were added, at every level."""
        found = [c for c in self.codes("failure") if _of_ingredient(c)]
        for delta in _list(self.results.get("ingredientDeltas")):
            found += _codes(as_object(as_object(delta).get("validationDeltas")), "failure")
        for label in (self.active_id, *self.ancestors()):
            for ingredient in self._ingredients(label):
                found += recorded_failures(ingredient)
        return deduplicated(found)


def recorded_failures(ingredient: Json) -> list[str]:
    """Codes of what did not match in *ingredient* (c2pa's JSON) when it was added."""
    results = as_object(ingredient.get("validation_results"))
    found = _codes(as_object(results.get("activeManifest")), "failure")
    for delta in _list(results.get("ingredientDeltas")):
        found += _codes(as_object(as_object(delta).get("validationDeltas")), "failure")
    found += [
        str(as_object(s).get("code"))
        for s in _list(ingredient.get("validation_status"))
        if not as_object(s).get("success")
    ]
    return found


def _of_ingredient(code: str) -> bool:
    return code.startswith("ingredient.")


def _entries(results: Json, kind: str) -> list[Json]:
    return [as_object(entry) for entry in _list(results.get(kind))]


def _codes(results: Json, kind: str) -> list[str]:
    return [str(entry.get("code")) for entry in _entries(results, kind)]


def _blocks(data: Json) -> list[SoftBinding]:
    alg = data.get("alg")
    values = [as_object(block).get("value") for block in _list(data.get("blocks"))]
    return [SoftBinding(alg, v) for v in values if isinstance(alg, str) and isinstance(v, str)]


def as_object(value: Any) -> Json:
    """*value* where it is an object; hostile manifests put anything anywhere."""
    return value if isinstance(value, dict) else {}


def objects_in(value: Any) -> Iterator[Json]:
    """The objects in *value* where it is a list; hostile manifests put anything anywhere."""
    yield from (item for item in _list(value) if isinstance(item, dict))


def actions_in(manifest: Mapping[str, Any]) -> Iterator[Json]:
    """Every action that *manifest* (c2pa's JSON) states, in order: all its ``c2pa.actions`` assertions."""
    for assertion in objects_in(manifest.get("assertions")):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from objects_in(as_object(assertion.get("data")).get("actions"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
