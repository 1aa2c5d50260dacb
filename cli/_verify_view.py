"""How a verdict looks on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.cli._text import plain
from safegen.types import Report, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLE = {
    Verdict.VERIFIED: "bold green",
    Verdict.VERIFIED_REPACKED: "bold green",
    Verdict.SIGNED_UNTRUSTED: "bold yellow",
    Verdict.SIGNED_UNLOGGED: "bold yellow",
    Verdict.EXPIRED_BUT_LOGGED: "bold yellow",
    Verdict.RECOVERED: "bold cyan",
    Verdict.MARKED_UNRESOLVED: "bold yellow",
    Verdict.TAMPERED: "bold red",
    Verdict.CONFLICT: "bold red",
    Verdict.NO_PROVENANCE: "bold",
}


def failed(file: Path, error: Exception) -> str:
    """One line for a file that could not be examined."""
    return f"UNREADABLE  {plain(str(file))}: {plain(str(error))}"


def show(report: Report, console: Console, *, explain: bool) -> None:
    """Verdict, the sentence behind it, the reasons, and what the credentials say."""
    from rich.text import Text

    console.print(Text.assemble((report.verdict.name, _STYLE[report.verdict]), "  ", plain(str(report.path))))
    console.print("  " + plain(report.summary))
    for reason in report.reasons:
        console.print("  - " + plain(reason))
    for line in _facts(report):
        console.print(line)
    if explain:
        _explain(report, console)
    for skipped in report.not_checked:
        console.print(f"  not checked: {plain(skipped.layer)} ({plain(skipped.reason)})")


def _facts(report: Report) -> list[Text]:
    """What a reader wants to know about how the file was made, as label and value lines."""
    from rich.text import Text

    from safegen.verification.schema import assertion

    manifest = report.credentials.manifest or report.recovered_manifest
    if manifest is None:
        return []
    rows: list[tuple[str, str]] = []
    made = assertion(manifest, "org.safegen.generation") or {}
    policy = assertion(manifest, "org.safegen.policy") or {}
    if report.recovered_manifest is not None:
        rows.append(("original", str(manifest.get("title", ""))))
    rows.append(("signed by", _signer(report, manifest)))
    if made.get("model"):
        rows.append(("made with", _model(made["model"])))
    if policy.get("policy"):
        ran = ", ".join(str(c.get("name")) for c in policy.get("checks", []))
        rows.append(("policy", f"{policy['policy'].get('name')} - {policy.get('outcome')} (ran: {ran})"))
    for reading in report.watermarks[:2]:
        if reading.payload is not None:
            chance = (
                f"chance of error below 1e{reading.log10_p:.0f}" if reading.bounded else "no proven bound"
            )
            rows.append(("watermark", f"id {reading.payload:016x}, {chance}"))
    if report.trusted_by:
        rows.append(("trusted by", report.trusted_by))
    return [Text.assemble(f"  {label:<11}", plain(value)) for label, value in rows if value]


def _signer(report: Report, manifest: dict[str, Any]) -> str:
    """Signer's name and time."""
    info = manifest.get("signature_info") or {}
    name = report.credentials.signer or info.get("common_name") or info.get("issuer") or ""
    when = report.credentials.signed_at or info.get("time") or ""
    return f"{name}, {when}" if when else str(name)


def _model(model: Any) -> str:
    """Model name and version."""
    return (
        f"{model.get('name')} {model.get('version', '')}".strip() if isinstance(model, dict) else str(model)
    )


def _explain(report: Report, console: Console) -> None:
    """Every layer in its own words."""
    credentials = report.credentials
    console.print(
        f"  credentials: {credentials.state.value}; codes: {', '.join(credentials.codes) or 'none'}"
    )
    for note in credentials.notes:
        console.print(f"    note: {plain(note)}")
    for reading in report.watermarks:
        where = [f"{s.start:.0f}-{s.end:.0f} s" for s in reading.segments if s.present]
        console.print(
            f"  watermark {plain(reading.alg)}: {'present' if reading.present else 'absent'}, "
            f"log10 p = {reading.log10_p:.1f}; in {', '.join(where) or 'no whole second'}"
        )
    if report.content:
        console.print(
            f"  content: score {report.content.score:.3f} (needs {report.content.threshold:.3f}), "
            f"{report.content.overlap:.0%} of the picture compared"
        )
    if report.ledger:
        found = report.ledger
        console.print(
            f"  ledger: {plain(found.origin)} entry {found.index}, from the {found.source}; "
            f"proven: {found.proven}, bytes match: {found.bytes_match}"
        )
    console.print(f"  sha256: {report.sha256}")
