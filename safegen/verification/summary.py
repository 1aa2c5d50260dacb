"""What a reader wants to know about how a file was made, taken from its manifest: label and value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safegen.credentials.manifest_store import as_object
from safegen.credentials.read import find_assertion
from safegen.types import CredentialsEvidence, IngredientEvidence, Report, StatedAction
from safegen.verification.text_tracks import describe_text_tracks

IDENTITY_STATES = {
    "trusted": "vouched for",
    "intact": "the signature holds; nobody you trust vouches for it",
    "unresolved": "cannot be checked here",
    "mismatch": "DOES NOT MATCH: the identity's own signature does not hold",
}
MOST = 8
"""Ingredients that are listed for people; JSON has all of them."""
RELATIONSHIPS = {
    "parentOf": "the source that was changed",
    "inputTo": "given to the model",
    "componentOf": "a part of it",
}
SOURCE_TYPES = {
    "trainedAlgorithmicMedia": "made by a model",
    "compositeWithTrainedAlgorithmicMedia": "partly made by a model",
    "digitalCapture": "captured by a camera",
}
"""IPTC digital source types in words, where there are short ones."""


def summary_rows(report: Report) -> list[tuple[str, str]]:
    """Signer, model, policy, mark and trust, as far as they are known. Values come from the file."""
    manifest = report.credentials.manifest or report.recovered_manifest
    if manifest is None:
        return []
    rows: list[tuple[str, str]] = []
    generation = as_object(find_assertion(manifest, "org.safegen.generation"))
    policy = as_object(find_assertion(manifest, "org.safegen.policy"))
    if report.recovered_manifest is not None:
        rows.append(("original", str(manifest.get("title", ""))))
    rows.append(("signed by", _signer(report, manifest)))
    if report.recovered_manifest is None:
        rows += _stated_rows(report.credentials)
    if generation.get("model"):
        mode = generation.get("mode", "text")
        rows.append(("made with", _model(generation["model"]) + ("" if mode == "text" else f" ({mode})")))
    rows += ingredient_rows(_ingredients(report, manifest))
    if isinstance(policy.get("policy"), dict):
        checks = policy.get("checks")
        listed = checks if isinstance(checks, list) else []
        ran = ", ".join(str(as_object(c).get("name")) for c in listed)
        rows.append(("policy", f"{policy['policy'].get('name')} - {policy.get('outcome')} (ran: {ran})"))
    for reading in report.watermarks[:2]:
        if reading.payload is not None:
            chance = (
                f"chance of error below 1e{reading.log10_p:.0f}" if reading.bounded else "no proven bound"
            )
            rows.append(("watermark", f"id {reading.payload:016x}, {chance}"))
    if report.texts:
        rows.append(("beside it", describe_text_tracks(report.texts)))
    if report.trusted_by:
        rows.append(("trusted by", report.trusted_by))
    return [(label, value) for label, value in rows if value]


def _stated_rows(credentials: CredentialsEvidence) -> list[tuple[str, str]]:
    """What the signer states: the software, each action with its source type, who else is named."""
    rows = [("software", credentials.claim_generator or "")]
    steps = [_step(action) for action in credentials.actions[:MOST]]
    if len(credentials.actions) > MOST:
        steps.append(f"and {len(credentials.actions) - MOST} more")
    rows.append(("actions", ", ".join(steps)))
    rows += [("identity", f"{i.name} ({i.kind}): {IDENTITY_STATES[i.state]}") for i in credentials.identities]
    return rows


def _step(action: StatedAction) -> str:
    """An action by its short name, with the source type it states."""
    kind = (action.source_type or "").rstrip("/").rpartition("/")[2]
    by = ", its owner states" if action.owners_word else ""
    return action.action.removeprefix("c2pa.") + (f" ({kind}{by})" if kind else "")


def ingredient_rows(items: Sequence[IngredientEvidence]) -> list[tuple[str, str]]:
    """One row for each ingredient; ``>`` before what an ingredient was itself made from."""
    rows = [("made from", f"{'> ' * (item.level - 1)}{_ingredient(item)}") for item in items[:MOST]]
    if len(items) > MOST:
        rows.append(("made from", f"and {len(items) - MOST} more"))
    return rows


def _ingredients(report: Report, manifest: dict[str, Any]) -> tuple[IngredientEvidence, ...]:
    """Those of the file's credentials, or of the recovered manifest (which knows only its own level)."""
    from safegen.credentials.ingredients import list_ingredients

    return report.credentials.ingredients or list_ingredients({"": manifest}, "")


def _ingredient(item: IngredientEvidence) -> str:
    """Name, relationship, and what its own credentials say."""
    parts = [RELATIONSHIPS.get(item.relationship, item.relationship)]
    if item.failures:
        parts.append(f"DOES NOT MATCH its credentials ({', '.join(item.failures)})")
    if item.manifest_id is None:
        parts.append("no credentials of its own")
    elif item.signer:
        parts.append(f"signed by {item.signer}")
    kind = (item.source_type or "").rpartition("/")[2]
    if kind:
        parts.append(SOURCE_TYPES.get(kind, kind))
    return f"{item.title or 'unnamed'}: {', '.join(part for part in parts if part)}"


def _signer(report: Report, manifest: dict[str, Any]) -> str:
    """Signer's name and time."""
    info = as_object(manifest.get("signature_info"))
    name = report.credentials.signer or info.get("common_name") or info.get("issuer") or ""
    signed_at = report.credentials.signed_at or info.get("time") or ""
    return f"{name}, {signed_at}" if signed_at else str(name)


def _model(model: Any) -> str:
    """Model name and version."""
    return (
        f"{model.get('name')} {model.get('version', '')}".strip() if isinstance(model, dict) else str(model)
    )
