"""Read the Content Credentials of a file: every state of the library becomes one of ours.

What c2pa-rs decides, and what is decided here:

* *hashes, claim signature, structure*: c2pa-rs (``verify_trust`` on, no network);
* *trust*: our own chain check on the certificates that verify the claim signature, against signer
  anchors only, and never against c2pa's opinion that the signer is untrusted;
* *time stamp*: counts only when its chain was found in the TSA anchors (not in the signer anchors,
  whose owners could otherwise stamp any time they like, and not by the leniency for old claims);
* *expiry*: not a mismatch. An expired certificate leaves the state ``VALID`` with ``expired`` set,
  ``trusted`` false, and ``trusted_root`` naming the anchor it leads to;
* *ingredients*: read explicitly and transitively; c2pa calls a file whose tampered ingredient the
  signer signed over "Trusted".
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.credentials import formats
from safegen.credentials.manifest_store import Store, unique
from safegen.errors import UnreadableInput
from safegen.types import CredentialsEvidence, CredentialState, Json

if TYPE_CHECKING:
    from cryptography import x509

    from safegen.keys.chain import ChainResult

UNTRUSTED, EXPIRED = "signingCredential.untrusted", "signingCredential.expired"
TSA_FOUND = "trust list: safegen:tsa"
"""How c2pa says that a time stamp's chain was found in the TSA anchors (see ``library.context``)."""


@dataclass(frozen=True)
class _Opened:
    """What c2pa said about a file, and the raw manifest store."""

    store: Store
    raw: bytes
    failures: tuple[str, ...] = ()
    """What is wrong with the store's bytes as they stand in the file, and c2pa let pass."""


def read_credentials(
    path: Path,
    *,
    anchors_pem: Sequence[bytes | str] = (),
    tsa_anchors_pem: Sequence[bytes | str] = (),
    at: datetime | None = None,
    fetch_remote: bool = False,
    allowed_hosts: Sequence[str] = (),
    manifest: bytes | None = None,
) -> CredentialsEvidence:
    """The C2PA layer of the file at *path*, whatever its name says it is.

    *anchors_pem* vouch for signers, *tsa_anchors_pem* for time stamps. *at* (aware) is the time at
    which certificates have to be valid where no trusted time stamp says when it was signed; now by
    default. A remote manifest is fetched only with *fetch_remote* and from *allowed_hosts*.
    *manifest* is a manifest store from elsewhere (a ledger) to be checked against the file.

    Raises UnreadableInput when there is no file to read, UsageError on bad anchors. A bad file never
    raises: the evidence gives the reason.
    """
    from safegen.credentials import library

    container = formats.detect(path)
    anchors = library.certificates(anchors_pem)
    tsa = library.certificates(tsa_anchors_pem)
    context = library.context(
        anchors_pem=library.to_pem(anchors),
        tsa_anchors_pem=library.to_pem(tsa),
        fetch_remote=fetch_remote,
        allowed_hosts=allowed_hosts,
    )
    opened = _open(path, context, container, manifest)
    if isinstance(opened, CredentialsEvidence):
        return opened
    try:
        return _evidence(opened, anchors, at)
    except Exception as error:  # whatever a hostile store makes us trip over, it is not valid
        return _invalid(f"the credentials cannot be interpreted ({type(error).__name__})")


def manifest_bytes(path: Path) -> bytes | None:
    """The raw manifest store (JUMBF) embedded in the file, ``None`` when there is none to be read.

    Quick, since nothing is checked. Raises UnreadableInput when there is no file to read.
    """
    opened = _unchecked(path)
    return None if isinstance(opened, CredentialsEvidence) else opened.raw


def carries_credentials(path: Path) -> bool:
    """Whether the file has or names Content Credentials, sound or not. Quick. Raises UnreadableInput."""
    opened = _unchecked(path)
    without = (CredentialState.ABSENT, CredentialState.UNSUPPORTED)
    return not (isinstance(opened, CredentialsEvidence) and opened.state in without)


def _unchecked(path: Path) -> _Opened | CredentialsEvidence:
    from safegen.credentials import library

    return _open(path, library.context(verify=False), formats.detect(path), None)


def _open(
    path: Path, context: Any, container: formats.Container, manifest: bytes | None
) -> _Opened | CredentialsEvidence:
    import c2pa

    try:
        with path.open("rb") as file:
            hint = container.mime if manifest is not None else None
            with c2pa.Reader(hint, file, manifest, context=context) as reader:
                document = json.loads(reader.json())
                raw = io.BytesIO()
                reader.resource_to_stream(f"self#jumbf=/c2pa/{document['active_manifest']}", raw)
                store = Store(document)
                failures = _stored_failures(path, container, store) if manifest is None else ()
                return _Opened(store, raw.getvalue(), failures)
    except OSError as error:
        raise UnreadableInput(
            f"cannot read {path}: {error.strerror}", hint="check its permissions"
        ) from error
    except c2pa.C2paError as error:
        return _unopened(str(error), container)
    except Exception as error:
        return _invalid(f"the credentials cannot be decoded ({type(error).__name__})")


def _stored_failures(path: Path, container: formats.Container, store: Store) -> tuple[str, ...]:
    """What c2pa does not insist on, seen in the file's own bytes (MP4 and MOV)."""
    from safegen.credentials.claim_signature import structure_failures
    from safegen.credentials.embedded import stored_in

    found = stored_in(path) if container.mime in formats.BMFF else None
    return () if found is None else structure_failures(found, store.active_id)


def _unopened(text: str, container: formats.Container) -> CredentialsEvidence:
    """The evidence for a file that c2pa would not open; *text* is its error, led by the kind."""
    kind, _, detail = text.partition(": ")
    if kind == "ManifestNotFound":
        return CredentialsEvidence(CredentialState.ABSENT, reason="the file carries no Content Credentials")
    if kind in ("Remote", "RemoteManifest"):
        return CredentialsEvidence(
            CredentialState.REMOTE_NOT_FETCHED, codes=("manifest.inaccessible",), reason=detail
        )
    if kind == "NotSupported":
        reason = f"{container.name}: no Content Credentials can be read from it"
        return CredentialsEvidence(CredentialState.UNSUPPORTED, reason=reason)
    if kind == "Io" or "asset could not be parsed" in text:
        reason = f"the file is damaged or not what it seems to be ({detail})"
        return CredentialsEvidence(CredentialState.UNSUPPORTED, reason=reason)
    return _invalid(f"the credentials cannot be decoded ({detail or text})")


def _invalid(reason: str) -> CredentialsEvidence:
    codes = ("general.error",)
    return CredentialsEvidence(CredentialState.INVALID, codes=codes, failures=codes, reason=reason)


def _evidence(
    opened: _Opened, anchors: Sequence[x509.Certificate], at: datetime | None
) -> CredentialsEvidence:
    from safegen.credentials.claim_signature import SignatureUnreadable, claim_signer
    from safegen.keys.chain import ChainResult, check_chain

    store = opened.store
    stamped = store.stamped_by(TSA_FOUND)
    moment = (_time(store.signed_at) if stamped else None) or at or datetime.now(UTC)
    try:
        chain = claim_signer(opened.raw, store.active_id).chain
        result = check_chain(chain, anchors, at=moment)
    except SignatureUnreadable as error:
        chain, result = (), ChainResult(None, str(error))
    over = bool(chain) and chain[0].not_valid_after_utc < moment
    failures, notes = unique([*store.failures(), *opened.failures]), list(store.notes())
    past = bool(chain) and chain[0].not_valid_after_utc < datetime.now(UTC)
    if past and EXPIRED in failures:
        failures = tuple(code for code in failures if code != EXPIRED)
        notes.append(EXPIRED)
    if store.state == "Invalid" and not failures and not past and not store.ingredient_failures():
        failures = ("general.error",)  # c2pa says no for a reason we do not know: so do we
    trusted = result.trusted and not failures and (past or UNTRUSTED not in store.codes("failure"))
    if not result.trusted and result.reason:
        notes.append(result.reason)
    return CredentialsEvidence(
        state=CredentialState.INVALID if failures else CredentialState.VALID,
        trusted=trusted,
        trusted_root=result.anchor if trusted or result.outside else None,
        manifest_id=store.active_id,
        signer=_name(chain[0].subject) if chain else store.claimed_signer,
        issuer=_name(chain[0].issuer) if chain else None,
        signed_at=store.signed_at,
        time_stamped=stamped,
        expired=over,
        codes=unique(c for kind in ("failure", "informational", "success") for c in store.codes(kind)),
        failures=failures,
        ingredient_failures=store.ingredient_failures(),
        notes=unique(notes),
        soft_bindings=store.bindings([store.active_id]),
        ancestors=store.ancestors(),
        ancestor_bindings=store.bindings(store.ancestors()),
        manifest=store.active,
        reason=_reason(failures, result),
    )


def _reason(failures: Sequence[str], result: ChainResult) -> str:
    from safegen.credentials.explain import explain

    return explain(failures[0]) if failures else result.reason


def _name(name: x509.Name) -> str:
    """``Organisation (common name)``, or what there is of it."""
    from cryptography.x509.oid import NameOID

    def first(oid: x509.ObjectIdentifier) -> str:
        found = name.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    organisation, common = first(NameOID.ORGANIZATION_NAME), first(NameOID.COMMON_NAME)
    if organisation and common:
        return f"{organisation} ({common})"
    return organisation or common or name.rfc4514_string()


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def manifest_json(store: bytes) -> Json | None:
    """The active manifest in a manifest store (raw JUMBF) without its file, as c2pa's JSON; for showing.

    Nothing about it is checked: use ``read_credentials(file, manifest=store)`` for that.
    """
    import c2pa

    from safegen.credentials import library

    try:
        with c2pa.Reader("application/c2pa", io.BytesIO(store), context=library.context()) as reader:
            return Store(json.loads(reader.json())).active
    except (c2pa.C2paError, ValueError, KeyError):
        return None
