"""What a reader wants to know about how a file was made, out of its manifest: label and value."""

from __future__ import annotations

from typing import Any

from safegen.types import Report
from safegen.verification.schema import assertion


def facts(report: Report) -> list[tuple[str, str]]:
    """Signer, model, policy, mark and trust, as far as they are known. Values come from the file."""
    manifest = report.credentials.manifest or report.recovered_manifest
    if manifest is None:
        return []
    rows: list[tuple[str, str]] = []
    made = _dict(assertion(manifest, "org.safegen.generation"))
    policy = _dict(assertion(manifest, "org.safegen.policy"))
    if report.recovered_manifest is not None:
        rows.append(("original", str(manifest.get("title", ""))))
    rows.append(("signed by", _signer(report, manifest)))
    if made.get("model"):
        rows.append(("made with", _model(made["model"])))
    if isinstance(policy.get("policy"), dict):
        checks = policy.get("checks")
        listed = checks if isinstance(checks, list) else []
        ran = ", ".join(str(_dict(c).get("name")) for c in listed)
        rows.append(("policy", f"{policy['policy'].get('name')} - {policy.get('outcome')} (ran: {ran})"))
    for reading in report.watermarks[:2]:
        if reading.payload is not None:
            chance = (
                f"chance of error below 1e{reading.log10_p:.0f}" if reading.bounded else "no proven bound"
            )
            rows.append(("watermark", f"id {reading.payload:016x}, {chance}"))
    if report.trusted_by:
        rows.append(("trusted by", report.trusted_by))
    return [(label, value) for label, value in rows if value]


def _signer(report: Report, manifest: dict[str, Any]) -> str:
    """Signer's name and time."""
    info = _dict(manifest.get("signature_info"))
    name = report.credentials.signer or info.get("common_name") or info.get("issuer") or ""
    when = report.credentials.signed_at or info.get("time") or ""
    return f"{name}, {when}" if when else str(name)


def _model(model: Any) -> str:
    """Model name and version."""
    return (
        f"{model.get('name')} {model.get('version', '')}".strip() if isinstance(model, dict) else str(model)
    )


def _dict(value: Any) -> dict[str, Any]:
    """*value* where it is an object; hostile manifests put anything anywhere."""
    return value if isinstance(value, dict) else {}
