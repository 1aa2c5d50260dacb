"""A report as JSON: stable, versioned (``safegen.verify/1``), described in docs/verify.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safegen.types import (
    ContentMatch,
    CredentialsEvidence,
    IngredientEvidence,
    Json,
    LedgerEvidence,
    Report,
    SoftBinding,
    WatermarkReading,
)

SCHEMA = "safegen.verify/1"


def report_to_json(report: Report) -> Json:
    """The whole report with every layer; values are JSON types only."""
    return {
        "schema": SCHEMA,
        "path": str(report.path),
        "sha256": report.sha256,
        "verdict": report.verdict.name,
        "exit_code": report.exit_code,
        "summary": report.summary,
        "reasons": list(report.reasons),
        "trusted_by": report.trusted_by,
        "credentials": _credentials(report.credentials),
        "watermarks": [_watermark(w) for w in report.watermarks],
        "content": _content(report.content),
        "ledger": _ledger(report.ledger),
        "recovered_manifest": report.recovered_manifest,
        "texts": [vars(t) for t in report.texts],
        "not_checked": [{"layer": n.layer, "reason": n.reason} for n in report.not_checked],
    }


def error_to_json(path: str, message: str, exit_code: int) -> Json:
    """A file of a batch that could not be examined."""
    return {"schema": SCHEMA, "path": path, "error": message, "exit_code": exit_code}


def _credentials(evidence: CredentialsEvidence) -> Json:
    """The C2PA layer, raw codes included."""
    return {
        "state": evidence.state.value,
        "reason": evidence.reason,
        "trusted": evidence.trusted,
        "trusted_root": evidence.trusted_root,
        "manifest_id": evidence.manifest_id,
        "signer": evidence.signer,
        "issuer": evidence.issuer,
        "signed_at": evidence.signed_at,
        "time_stamped": evidence.time_stamped,
        "expired": evidence.expired,
        "revoked": evidence.revoked,
        "revocation": evidence.revocation,
        "source": evidence.source,
        "codes": list(evidence.codes),
        "failures": list(evidence.failures),
        "ingredient_failures": list(evidence.ingredient_failures),
        "notes": list(evidence.notes),
        "soft_bindings": [_binding(b) for b in evidence.soft_bindings],
        "ancestors": list(evidence.ancestors),
        "ingredients": [_ingredient(i) for i in evidence.ingredients],
        "manifest": evidence.manifest,
    }


def _binding(binding: SoftBinding) -> Json:
    return {"alg": binding.alg, "value": binding.value}


def _ingredient(item: IngredientEvidence) -> Json:
    """Something the file was made from; ``level`` says how far back."""
    return {
        "level": item.level,
        "title": item.title,
        "relationship": item.relationship,
        "manifest_id": item.manifest_id,
        "signer": item.signer,
        "signed_at": item.signed_at,
        "source_type": item.source_type,
        "failures": list(item.failures),
    }


def _watermark(reading: WatermarkReading) -> Json:
    """One mark; ids are 16 hexadecimal digits."""
    return {
        "alg": reading.alg,
        "present": reading.present,
        "id": None if reading.payload is None else f"{reading.payload:016x}",
        "log10_false_positive_probability": round(reading.log10_p, 2),
        "probability_is_proven_bound": reading.bounded,
        "matched_known_id": reading.matched_known,
        "bit_error_rate": reading.bit_error_rate,
        "segments": [
            {
                "start": s.start,
                "end": s.end,
                "present": s.present,
                "log10_false_positive_probability": round(s.log10_p, 2),
            }
            for s in reading.segments
        ],
    }


def _content(match: ContentMatch | None) -> Json | None:
    if match is None:
        return None
    return {
        "matches": match.matches,
        "score": round(match.score, 4),
        "overlap": round(match.overlap, 4),
        "threshold": match.threshold,
        "share": round(match.share, 4),
    }


def _ledger(evidence: LedgerEvidence | None) -> Json | None:
    if evidence is None:
        return None
    return {
        "proven": evidence.proven,
        "bytes_match": evidence.bytes_match,
        "source": evidence.source,
        "origin": evidence.origin,
        "index": evidence.index,
        "time_stamped": evidence.time_stamped,
        "withdrawn": evidence.withdrawn,
        "superseded_by": evidence.superseded_by or None,
        "stamped_at": evidence.stamped_at or None,
        "entry": evidence.entry,
    }


def find_assertion(manifest: Mapping[str, Any] | None, label: str) -> Any:
    """Data of the first assertion whose label is *label* (instance suffixes ignored), or None."""
    for item in (manifest or {}).get("assertions", []):
        if str(item.get("label", "")).split("__")[0] == label:
            return item.get("data")
    return None
