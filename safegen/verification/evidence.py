"""What every layer says about one file, and the answer: the values the verdict is based on."""

from __future__ import annotations

from dataclasses import dataclass, field

from safegen.types import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    LedgerEvidence,
    Verdict,
    WatermarkReading,
)

CREDENTIALS_GONE = frozenset(
    {
        CredentialState.ABSENT,
        CredentialState.UNREADABLE,
        CredentialState.UNSUPPORTED,
        CredentialState.REMOTE_NOT_FETCHED,
    }
)
"""States in which a file has no credentials at hand, so that a mark or its pictures may lead to them."""


@dataclass(frozen=True)
class Resolution:
    """What a ledger at hand says about one payload that a mark carries.

    ``manifest_id`` is the manifest that the id names; ``content`` compares the file's pictures with
    the ones recorded for it (None: no descriptors at hand).
    """

    payload: int
    manifest_id: str
    content: ContentMatch | None
    by_content: bool = False
    """Found by its pictures alone: no mark was read."""
    proven: bool = True
    """Whether the ledger proves the record: entry, tree and signed checkpoint agree with it."""
    withdrawn: bool = False
    protected: bool = False
    """The release is a file made elsewhere that was marked and signed, not one that was generated."""
    is_source: bool = False
    """The file is, byte for byte, the one that the release was made from."""


def nearness(resolution: Resolution) -> tuple[bool, bool, bool, str]:
    """Of several releases with these pictures: a proven one, the mark's own, one that stands, by name."""
    return not resolution.proven, resolution.by_content, resolution.withdrawn, resolution.manifest_id


@dataclass(frozen=True)
class ResolvedManifest:
    """What a resolution service says about a mark or a file: the manifest of it.

    ``payload`` is the mark's (None: the service was shown the file), ``hard_binding_match`` whether the
    manifest is about these very bytes, ``similarity`` the service's own word from 0 to 100, where it gave
    one.
    """

    payload: int | None
    host: str
    credentials: CredentialsEvidence
    hard_binding_match: bool
    similarity: int | None = None


@dataclass(frozen=True)
class Evidence:
    """Every layer's findings about one file."""

    credentials: CredentialsEvidence
    watermarks: tuple[WatermarkReading, ...] = ()
    ledger: LedgerEvidence | None = None
    resolutions: tuple[Resolution, ...] = ()
    bound_payloads: frozenset[int] = field(default_factory=frozenset)
    """Payloads that the attached manifest's own soft bindings name."""
    expected_payloads: frozenset[int] = field(default_factory=frozenset)
    """Those of them whose scheme was really searched for."""
    ancestor_payloads: frozenset[int] = field(default_factory=frozenset)
    """Payloads that the manifests of its ingredients name."""
    source_payloads: frozenset[int] = field(default_factory=frozenset)
    """Payloads that its maker found in the pictures before this release was marked, and says so."""
    named: tuple[ResolvedManifest, ...] = ()
    """What a resolution service says about marks whose credentials are gone."""
    store_sha256: str = ""
    """SHA-256 (hex) of the manifest store that was checked; "" where there is none."""
    signer_logs: frozenset[str] = field(default_factory=frozenset)
    """Origins of the logs that were pinned together with the signer's own root."""
    noun: str = "file"
    """What the file is, in a word: video, picture, sound, document, file."""


@dataclass(frozen=True)
class VerdictResult:
    """The verdict, one sentence for a person, and the reasons behind it."""

    verdict: Verdict
    summary: str
    reasons: tuple[str, ...]


def decoded_readings(evidence: Evidence) -> list[WatermarkReading]:
    """Readings whose payload was decoded."""
    return [r for r in evidence.watermarks if r.present and r.payload is not None]
