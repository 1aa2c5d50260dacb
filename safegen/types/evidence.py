"""What the credentials of a file, its pictures and a ledger show about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal

from safegen.types.serial import Json, JsonResult


class CredentialState(enum.Enum):
    """What C2PA says about a file, every state of the library mapped to one of these."""

    ABSENT = "absent"
    VALID = "valid"
    INVALID = "invalid"
    """A hash or a signature was computed and does not match: bytes were changed."""
    UNREADABLE = "unreadable"
    """There are credentials, and they cannot be checked here; nothing shows that they were changed."""
    UNSUPPORTED = "unsupported"
    REMOTE_NOT_FETCHED = "remote_not_fetched"


@dataclass(frozen=True)
class SoftBinding(JsonResult):
    """A ``c2pa.soft-binding`` block: algorithm id and value."""

    alg: str
    value: str

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``."""
        return {"alg": self.alg, "value": self.value}


@dataclass(frozen=True)
class IngredientEvidence(JsonResult):
    """Something a file was made from, as stated in the file's credentials.

    ``level`` 1 is what the file itself was made from, 2 what that was made from, and so on; a level's own
    ingredients follow it. ``relationship`` is C2PA's. ``manifest_id``, ``signer`` (its claimed name: chains
    of ingredients are not followed to your anchors) and ``source_type`` (IPTC, the last one stated) come
    from the ingredient's own manifest where it has one. ``failures``: C2PA codes that say it does not match.
    """

    title: str
    relationship: str
    level: int = 1
    manifest_id: str | None = None
    signer: str | None = None
    signed_at: str | None = None
    source_type: str | None = None
    failures: tuple[str, ...] = ()

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``."""
        return {
            "level": self.level,
            "title": self.title,
            "relationship": self.relationship,
            "manifest_id": self.manifest_id,
            "signer": self.signer,
            "signed_at": self.signed_at,
            "source_type": self.source_type,
            "failures": list(self.failures),
        }


@dataclass(frozen=True)
class StatedAction(JsonResult):
    """An action that the active manifest states (C2PA ``c2pa.actions``), with its IPTC source type."""

    action: str
    source_type: str | None = None
    agent: str | None = None
    when: str | None = None
    owners_word: bool = False
    """The source type is only what the owner of a protected file says about it."""

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``."""
        return {
            "action": self.action,
            "source_type": self.source_type,
            "agent": self.agent,
            "when": self.when,
            "owners_word": self.owners_word,
        }


@dataclass(frozen=True)
class StatedIdentity(JsonResult):
    """A person or organisation that a CAWG identity assertion names, besides the signer.

    ``state``: ``trusted`` (vouched for), ``intact`` (its signature holds, nobody you trust vouches for it),
    ``unresolved`` (it cannot be checked here, offline), ``mismatch`` (its signature does not hold).
    """

    name: str
    kind: str
    state: Literal["trusted", "intact", "unresolved", "mismatch"]

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``."""
        return {"name": self.name, "kind": self.kind, "state": self.state}


@dataclass(frozen=True)
class CredentialsEvidence(JsonResult):
    """The C2PA layer of a file.

    ``trusted`` is our own chain check against the signer anchors only (a TSA anchor never counts);
    ``trusted_root`` names the anchor (subject, SHA-256). ``codes`` are the raw C2PA status codes,
    ``failures`` those that mean the file or a signature does not match, ``ingredient_failures``
    the hash or signature failures of ingredients, ``notes`` what is untrusted or informational there.
    """

    state: CredentialState
    trusted: bool = False
    trusted_root: str | None = None
    root_sha256: str | None = None
    """SHA-256 (hex) of that anchor's certificate: what ties a signer to the log it was pinned with."""
    manifest_id: str | None = None
    signer: str | None = None
    issuer: str | None = None
    signed_at: str | None = None
    """When it was signed (ISO 8601): proven where ``time_stamped``, otherwise what somebody claims."""
    time_stamped: bool = False
    """A time stamp of an authority you trust proves ``signed_at``."""
    expired: bool = False
    revoked: bool = False
    revocation: str = ""
    """What lists and answers at hand say about the certificate; empty where nothing was about it."""
    source: Literal["embedded", "sidecar", "remote", "resolved"] = "embedded"
    """Where they lie: in the file, beside it, at the address it names, with a resolution service."""
    codes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    ingredient_failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    soft_bindings: tuple[SoftBinding, ...] = ()
    ancestors: tuple[str, ...] = ()
    """Manifest ids of the ingredients, transitively."""
    ancestor_bindings: tuple[SoftBinding, ...] = ()
    ingredients: tuple[IngredientEvidence, ...] = ()
    """What it was made from, as a tree written down in order."""
    not_yet_valid: bool = False
    """Nothing is wrong but the time: the signer's certificate begins after it."""
    unreadable: tuple[str, ...] = ()
    """Codes of what cannot be checked here: why the state is ``UNREADABLE``, or beside ``failures``."""
    store_seen: bool = True
    """The manifest store was found in the bytes by our own search, too, and is the one that was read."""
    claim_generator: str | None = None
    """The software that made the claim, as it calls itself (name and version)."""
    actions: tuple[StatedAction, ...] = ()
    """What the signer states was done, in order (at most 50)."""
    identities: tuple[StatedIdentity, ...] = ()
    manifest: Json | None = None
    """The active manifest as c2pa's reader JSON gives it."""
    store: bytes | None = field(default=None, repr=False, compare=False)
    """The raw manifest store (JUMBF)."""
    reason: str = ""
    """Why nothing could be read, where that is the state."""

    def __repr__(self) -> str:
        """State and signer; the manifest and the store stay out."""
        signer = f" by {self.signer}" if self.signer else ""
        return f"<CredentialsEvidence {self.state.value}{signer}{', trusted' if self.trusted else ''}>"

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``, raw codes included."""
        return {
            "state": self.state.value,
            "reason": self.reason,
            "trusted": self.trusted,
            "trusted_root": self.trusted_root,
            "root_sha256": self.root_sha256,
            "manifest_id": self.manifest_id,
            "signer": self.signer,
            "issuer": self.issuer,
            "signed_at": self.signed_at,
            "time_stamped": self.time_stamped,
            "expired": self.expired,
            "revoked": self.revoked,
            "revocation": self.revocation,
            "source": self.source,
            "codes": list(self.codes),
            "not_yet_valid": self.not_yet_valid,
            "unreadable": list(self.unreadable),
            "store_seen": self.store_seen,
            "claim_generator": self.claim_generator,
            "actions": [a.to_dict() for a in self.actions],
            "identities": [i.to_dict() for i in self.identities],
            "failures": list(self.failures),
            "ingredient_failures": list(self.ingredient_failures),
            "notes": list(self.notes),
            "soft_bindings": [b.to_dict() for b in self.soft_bindings],
            "ancestors": list(self.ancestors),
            "ingredients": [i.to_dict() for i in self.ingredients],
            "manifest": self.manifest,
        }


@dataclass(frozen=True)
class ContentMatch(JsonResult):
    """Comparison of a file's pictures with the descriptors recorded for a release.

    ``score`` in [-1, 1] (1 = the same pictures over the registered overlap); ``overlap`` in [0, 1].
    ``share`` in (0, 1]: how much of the file's own picture is the release's; below 1 where the file shows
    all of it among other things. ``matches``: it shows the release; ``differs``: it shows something else, on
    positive evidence. Never both; neither where too little can be told.
    """

    matches: bool
    score: float
    overlap: float
    threshold: float
    share: float = 1.0
    differs: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a match that also differs."""
        if self.matches and self.differs:
            raise ValueError("a comparison cannot both match and differ")

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``; scores with four decimals."""
        return {
            "matches": self.matches,
            "differs": self.differs,
            "score": round(self.score, 4),
            "overlap": round(self.overlap, 4),
            "threshold": self.threshold,
            "share": round(self.share, 4),
        }


@dataclass(frozen=True)
class LedgerEvidence(JsonResult):
    """What a ledger or a proof sidecar says about a file.

    ``proven``: an inclusion proof up to a checkpoint signed by the pinned key of the pinned origin.
    ``bytes_match``: the file's SHA-256 is the recorded one. ``entry`` is the public record.
    ``time_stamped``: an RFC 3161 token of a trusted TSA covers the checkpoint.
    """

    proven: bool
    bytes_match: bool
    source: Literal["ledger", "sidecar"]
    origin: str
    index: int
    entry: Json
    time_stamped: bool = False
    stamped_at: str = ""
    """When that token was made (ISO 8601, UTC)."""
    withdrawn: bool = False
    superseded_by: str = ""
    """Manifest id of the release that replaces a withdrawn one, if its maker named one."""
    contradiction: str = ""
    """What else the same log has signed in its place, in a sentence: such a log proves nothing."""

    def __repr__(self) -> str:
        """Which entry, and whether that is proven; the entry itself stays out."""
        return (
            f"<LedgerEvidence {self.origin} entry {self.index}, {'proven' if self.proven else 'not proven'}>"
        )

    def to_dict(self) -> Json:
        """As in ``safegen.verify/1``."""
        return {
            "proven": self.proven,
            "bytes_match": self.bytes_match,
            "source": self.source,
            "origin": self.origin,
            "index": self.index,
            "time_stamped": self.time_stamped,
            "withdrawn": self.withdrawn,
            "superseded_by": self.superseded_by or None,
            "stamped_at": self.stamped_at or None,
            "contradiction": self.contradiction or None,
            "entry": self.entry,
        }
