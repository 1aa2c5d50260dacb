"""Checks shared by several rules. Each looks only at evidence; nothing is assumed."""

from __future__ import annotations

from safegen.compliance.model import CheckResult, met, missing, outside
from safegen.compliance.statements import Statements

NO_MARK_SEARCH = "the search for the hidden mark was not made"


def states_ai_generated(seen: Statements) -> CheckResult:
    """Machine-readable credentials say that AI made the content."""
    if not seen.reliable:
        return missing(seen.unreliable_reason, "sign the file again with `safegen generate`")
    found = seen.made_by_ai
    if not found:
        return missing("the credentials do not say that AI made the content", "state its digital source type")
    return met(f"Content Credentials (C2PA): {found}")


def signed(seen: Statements) -> CheckResult:
    """A digital signature over metadata and content is intact."""
    if not seen.reliable:
        return missing(seen.unreliable_reason, "sign the file again with `safegen generate`")
    credentials = seen.report.credentials
    who = credentials.signer or "an unnamed signer"
    trust = "a signer you trust" if credentials.trusted else "a signer you have not chosen to trust"
    if credentials.expired and not credentials.trusted:
        trust = "with a certificate that has expired"
    return met(f"signed by {who} ({trust}); content and statements are as they were signed")


def time_stamped(seen: Statements) -> CheckResult:
    """A time stamp (RFC 3161) by an authority that is trusted."""
    credentials = seen.report.credentials
    if seen.reliable and credentials.time_stamped:
        return met(f"time-stamped {credentials.signed_at} by a trusted authority (RFC 3161)")
    if seen.reliable and credentials.signed_at:
        return missing(
            f"a time stamp says {credentials.signed_at}, but its authority is not one you trust",
            "pin the authority: `safegen trust add`, as a time stamp root",
        )
    return missing(
        "no trusted time stamp: signing offline adds none",
        "set tsa_url under [signing] in safegen.toml and generate again",
    )


def has_named_watermark(seen: Statements) -> CheckResult:
    """An imperceptible mark in the pictures that the credentials name."""
    if seen.watermark_not_checked and not seen.report.watermarks:
        return missing(
            f"{NO_MARK_SEARCH}: {seen.watermark_not_checked}", "run `safegen verify` without --no-watermark"
        )
    reading = seen.named_watermark
    if reading is not None and seen.reliable and reading.payload is not None:
        return met(
            f"hidden mark {reading.alg} with id {reading.payload:016x} read from the pictures; the "
            "credentials mention it"
        )
    if any(r.present for r in seen.report.watermarks):
        return missing("a hidden mark was read, but no intact credentials mention it")
    return missing("no known hidden mark was found in the pictures", "make the clip with `safegen generate`")


def open_standard(seen: Statements) -> CheckResult:
    """A standard that others' tools read."""
    if not seen.reliable:
        return missing(seen.unreliable_reason)
    return met("C2PA Content Credentials, an open specification that other makers' tools can read")


def robust(seen: Statements) -> CheckResult:
    """How much processing the disclosures survive: a matter of the system, measured elsewhere."""
    return outside("a single file cannot show what its marks survive; see docs/watermark.md for measurements")


def _stated(seen: Statements, name: str, what: str, hint: str) -> CheckResult:
    if not seen.reliable:
        return missing(seen.unreliable_reason)
    value = seen.safegen_assertion.get(name)
    if not value:
        return missing(f"the credentials do not state {what}", hint)
    return met(f"{what}: {value}")


def provider(seen: Statements) -> CheckResult:
    """The provider's name."""
    hint = "set organisation under [identity] in safegen.toml"
    return _stated(seen, "provider", "the provider's name", hint)


def creation_time(seen: Statements) -> CheckResult:
    """Time and date of making or altering."""
    return _stated(seen, "when", "the time of creation", "sign the file with safegen")


def unique_id(seen: Statements) -> CheckResult:
    """A unique identifier."""
    answer = _stated(seen, "contentId", "the unique id", "sign the file with safegen")
    manifest = seen.report.credentials.manifest_id
    return met(f"{answer.evidence}; manifest {manifest}") if answer.status.value == "met" else answer


def generating_system(seen: Statements) -> CheckResult:
    """Name and version of the system that generates."""
    if not seen.reliable:
        return missing(seen.unreliable_reason)
    model, tool = seen.safegen_assertion.get("model"), seen.safegen_assertion.get("system")
    if not isinstance(model, dict) or not model.get("name") or not model.get("version"):
        return missing("the credentials do not state the name and version of the generating system")
    by = f", run by {tool.get('name')} {tool.get('version')}" if isinstance(tool, dict) else ""
    return met(f"{model['name']} {model['version']}{by}")


def visible_label(seen: Statements) -> CheckResult:
    """A visible label that says AI."""
    if seen.label:
        return met(f"the credentials state that a visible label was added ({seen.label})")
    return outside(
        "the credentials state no visible label; whether one is required depends on use and content "
        "(`safegen generate --label TEXT` writes one)"
    )
