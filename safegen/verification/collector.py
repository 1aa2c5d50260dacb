"""One file under examination: how to look at it, and what could not be checked and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from safegen.types import CredentialsEvidence, NotChecked
from safegen.verification.options import VerifyOptions
from safegen.verification.trust import Trust


class EvidenceCollector:
    """What every layer of a verification is given: the file, the options, and where gaps are noted.

    One collector per file. A note is only ever added: nothing that could not be checked disappears from
    the report. The order of the notes is the order in the report.
    """

    def __init__(self, path: Path, options: VerifyOptions = VerifyOptions()) -> None:
        self.path = path
        self.options = options
        self._notes: list[NotChecked] = []

    @property
    def trust(self) -> Trust:
        """Whom the user trusts."""
        return self.options.trust

    @property
    def not_checked(self) -> tuple[NotChecked, ...]:
        """What could not be checked, in the order in which it was noted."""
        return tuple(self._notes)

    def note(self, layer: str, reason: str) -> None:
        """Note that *layer* could not be checked, or not wholly, and why."""
        self._notes.append(NotChecked(layer, reason))

    def note_all(self, layer: str, reasons: Iterable[str]) -> None:
        """Note each of *reasons* once."""
        for reason in dict.fromkeys(reasons):
            self.note(layer, reason)

    def muted(self) -> EvidenceCollector:
        """A collector for the same file whose notes nobody reads: for a try that is repeated if it fails."""
        return EvidenceCollector(self.path, self.options)

    def read_credentials(self, store: bytes | None = None) -> CredentialsEvidence:
        """The credentials in the file, or in the manifest *store* together with it.

        Raises UnreadableInput, CheckUnavailable.
        """
        from safegen.credentials.in_child import read_credentials
        from safegen.media import sandbox

        found = read_credentials(
            self.path,
            anchors_pem=self.trust.anchors,
            tsa_anchors_pem=self.trust.tsa_anchors,
            at=self.options.at,
            manifest=store,
            crls=self.trust.crls,
            fragments=self.options.fragments,
        )
        if self.options.watermark:
            sandbox.prepare()
        return found
