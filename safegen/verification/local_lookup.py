"""From a mark's id, or from a file, to the releases in the user's own ledger: ``safegen log resolve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safegen.types import CredentialsEvidence, CredentialState
from safegen.verification import watermarks
from safegen.verification.collector import EvidenceCollector

if TYPE_CHECKING:
    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger


def parse_payload_or_path(text: str) -> Path | int:
    """A mark's id where *text* is one (16 hexadecimal digits) and no file is called so; else a path."""
    path = Path(text)
    if len(text) == 16 and not path.exists() and all(c in "0123456789abcdefABCDEF" for c in text):
        return int(text, 16)
    return path


def find_local_releases(ledger: Ledger, target: Path | int) -> list[ReleaseEntry]:
    """The releases in *ledger* behind a watermark's id, or behind the mark or the pictures of a file.

    For a file only releases whose recorded pictures match. Raises UnreadableInput, CheckUnavailable.
    """
    if isinstance(target, int):
        return list(ledger.find_releases(content_id=target))
    nothing = CredentialsEvidence(CredentialState.ABSENT)
    collector = EvidenceCollector(target)
    search = watermarks.detect_watermarks(collector, nothing, ledger)
    resolutions, _ = watermarks.resolve_payloads(collector, search, ledger, "")
    if not resolutions:
        resolutions, _ = watermarks.recover_by_content(collector, search, nothing, ledger, "")
    ids = [r.manifest_id for r in resolutions if r.content is not None and r.content.matches]
    return [release for i in dict.fromkeys(ids) for release in ledger.find_releases(manifest_id=i)]
