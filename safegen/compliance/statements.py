"""What a verified report lets you rely on: only statements from intact credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safegen.credentials.manifest_store import as_object
from safegen.credentials.read import find_assertion
from safegen.credentials.source_types import is_owners_word, short_name
from safegen.types import CredentialState, Report, Verdict, WatermarkReading
from safegen.verification.origin import COMPOSITE, GENERATED, SOURCE_TYPES

AI_SOURCES = {name: SOURCE_TYPES[name][1] for name in (GENERATED, COMPOSITE)}
"""IPTC digital source types (the last part of their address)."""


@dataclass(frozen=True)
class Statements:
    """A report with its statements at hand; they count only where the credentials are ``reliable``."""

    report: Report

    @property
    def reliable(self) -> bool:
        """Whether what the manifest states may be taken as stated by its signer: not with a revoked key."""
        credentials = self.report.credentials
        intact = credentials.state is CredentialState.VALID and not credentials.revoked
        return intact and self.report.verdict not in {Verdict.TAMPERED, Verdict.CONFLICT}

    @property
    def unreliable_reason(self) -> str:
        """Why nothing in the manifest counts."""
        if self.report.verdict in {Verdict.TAMPERED, Verdict.CONFLICT}:
            return f"the verdict is {self.report.verdict.name}: {self.report.summary}"
        if self.report.credentials.revoked:
            return f"the signer's certificate was revoked: {self.report.credentials.revocation}"
        return self.report.credentials.reason or "the file carries no intact Content Credentials"

    @property
    def manifest(self) -> dict[str, Any]:
        """The active manifest where it is reliable, else nothing."""
        return as_object(self.report.credentials.manifest) if self.reliable else {}

    @property
    def actions(self) -> list[dict[str, Any]]:
        """Stated actions in order."""
        data = as_object(
            find_assertion(self.manifest, "c2pa.actions.v2") or find_assertion(self.manifest, "c2pa.actions")
        )
        found = data.get("actions")
        return [as_object(action) for action in found] if isinstance(found, list) else []

    @property
    def made_by_ai(self) -> str:
        """How the manifest says that AI made the content ("" where it does not)."""
        for action in self.actions:
            stated = action.get("digitalSourceType")
            last = short_name(stated) if isinstance(stated, str) else ""
            if last in AI_SOURCES:
                words = AI_SOURCES[last] + (", as its owner states" if is_owners_word(action) else "")
                return f"{action.get('action')} states the digital source type {last} ({words})"
        return ""

    @property
    def safegen_assertion(self) -> dict[str, Any]:
        """What safegen stated about the making (``org.safegen.generation`` or ``.protection``)."""
        return as_object(
            find_assertion(self.manifest, "org.safegen.generation")
            or find_assertion(self.manifest, "org.safegen.protection")
        )

    @property
    def named_watermark(self) -> WatermarkReading | None:
        """The mark that was read and that the credentials name."""
        named = {binding.value for binding in self.report.credentials.soft_bindings}
        for reading in self.report.watermarks:
            if reading.present and reading.payload is not None and _value(reading.payload) in named:
                return reading
        return None

    @property
    def watermark_not_checked(self) -> str:
        """Why no mark was looked for ("" where one was)."""
        return next((n.reason for n in self.report.not_checked if n.layer.startswith("watermark")), "")

    @property
    def label(self) -> str:
        """The stated action that put visible words into the picture, with the words; "" without one."""
        for action in self.actions:
            if action.get("action") == "c2pa.addedText":
                words = as_object(action.get("parameters")).get("org.safegen.visibleLabel")
                return f"c2pa.addedText: {words!r:.100}" if isinstance(words, str) else "c2pa.addedText"
        return ""


def _value(payload: int) -> str:
    from safegen.credentials.assertions import binding_value

    return binding_value(payload)
