"""Read the Content Credentials of a file: every state of the library becomes one of ours.

What c2pa-rs decides, and what is decided here:

* *hashes, claim signature, structure*: c2pa-rs (``verify_trust`` on, no network);
* *trust*: our own chain check on the certificates that verify the claim signature, against signer
  anchors only, and never against c2pa's opinion that the signer is untrusted;
* *time stamp*: counts only when its chain was found in the TSA anchors (not in the signer anchors,
  whose owners could otherwise stamp any time they like, and not by the leniency for old claims);
* *expiry*: not a mismatch. An expired certificate leaves the state ``VALID`` with ``expired`` set,
  ``trusted`` false, and ``trusted_root`` naming the anchor it leads to;
* *revocation*: lists at hand and stapled answers, judged here (``safegen.keys.revocation``), and c2pa's own
  opinion where it says *revoked*. Not a mismatch either: ``revoked`` is set, ``trusted`` false;
* *ingredients*: read explicitly and transitively; c2pa calls a file whose tampered ingredient the
  signer signed over "Trusted".
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.time import utc_now
from safegen.credentials import formats
from safegen.credentials.explain import explain
from safegen.credentials.ingredients import list_ingredients
from safegen.credentials.manifest_store import ManifestStore, deduplicated
from safegen.credentials.open_store import OpenedStore, invalid_evidence, open_credentials
from safegen.errors import CheckUnavailable
from safegen.types import CredentialsEvidence, CredentialState, Json

if TYPE_CHECKING:
    from cryptography import x509

    from safegen.keys.chain import ChainResult

UNTRUSTED, EXPIRED = "signingCredential.untrusted", "signingCredential.expired"
REVOKED = "signingCredential.ocsp.revoked"
TSA_FOUND = "trust list: safegen:tsa"
"""How c2pa says that a time stamp's chain was found in the TSA anchors (see ``library.context``)."""


def read_credentials(
    path: Path,
    *,
    anchors_pem: Sequence[bytes | str] = (),
    tsa_anchors_pem: Sequence[bytes | str] = (),
    at: datetime | None = None,
    fetch_remote: bool = False,
    allowed_hosts: Sequence[str] = (),
    manifest: bytes | None = None,
    crls: Sequence[bytes] = (),
    fragments: Sequence[Path] = (),
) -> CredentialsEvidence:
    """The C2PA layer of the file at *path*, whatever its name says it is.

    *anchors_pem* vouch for signers, *tsa_anchors_pem* for time stamps. *at* (aware) is the time at
    which certificates have to be valid where no trusted time stamp says when it was signed; now by
    default. A remote manifest is fetched only with *fetch_remote* and from *allowed_hosts*.
    *manifest* is a manifest store from elsewhere (a ledger, a sidecar) to be checked against the file.
    *crls* are revocation lists (PEM) of whoever issues certificates; OCSP answers stapled into the
    signature count as well. *fragments* are the other files of a fragmented MP4 that begins with *path*.

    Raises UnreadableInput when there is no file to read, UsageError on bad anchors, CheckUnavailable for
    a damaged list among *crls*. A bad file never raises: the evidence gives the reason.
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
    opened = open_credentials(path, context, container, manifest, fragments)
    if isinstance(opened, CredentialsEvidence):
        return opened
    try:
        return _build_evidence(opened, anchors, at, crls)
    except CheckUnavailable:
        raise
    except Exception as error:  # whatever a hostile store makes us trip over, it is not valid
        return invalid_evidence(f"the credentials cannot be interpreted ({type(error).__name__})")


def _build_evidence(
    opened: OpenedStore, anchors: Sequence[x509.Certificate], at: datetime | None, crls: Sequence[bytes]
) -> CredentialsEvidence:
    from safegen.credentials.claim_signature import ClaimSigner, SignatureUnreadable, verify_claim_signature
    from safegen.keys.chain import ChainResult, check_chain
    from safegen.keys.revocation import check_revocation

    store = opened.store
    stamped = store.stamped_by(TSA_FOUND)
    stamped_at = _time(store.signed_at) if stamped else None
    now = utc_now()
    moment = stamped_at or at or now
    try:
        found = verify_claim_signature(opened.raw, store.active_id)
        result = check_chain(found.chain, anchors, at=moment)
    except SignatureUnreadable as error:
        found, result = ClaimSigner(()), ChainResult(None, str(error))
    chain = found.chain
    revocation = check_revocation(
        chain, anchors, crls=crls, ocsp_responses=found.ocsp_responses, stamped_at=stamped_at, at=moment
    )
    revoked = revocation.status == "revoked" or REVOKED in store.codes("failure")
    over = bool(chain) and chain[0].not_valid_after_utc < moment
    failures, notes = deduplicated([*store.failures(), *opened.failures]), list(store.notes())
    past = bool(chain) and chain[0].not_valid_after_utc < now
    for code in (c for c, known in ((EXPIRED, past), (REVOKED, True)) if known and c in failures):
        failures = tuple(c for c in failures if c != code)
        notes.append(code)
    unexplained = not failures and not past and not revoked and not store.ingredient_failures()
    if store.state == "Invalid" and unexplained:
        failures = ("general.error",)  # c2pa says no for a reason we do not know: so do we
    unknown = not past and UNTRUSTED in store.codes("failure")
    trusted = result.trusted and not failures and not revoked and not unknown
    if not result.trusted and result.reason:
        notes.append(result.reason)
    return CredentialsEvidence(
        state=CredentialState.INVALID if failures else CredentialState.VALID,
        trusted=trusted,
        trusted_root=result.anchor if trusted or result.outside_validity else None,
        root_sha256=result.anchor_sha256 if trusted or result.outside_validity else None,
        manifest_id=store.active_id,
        signer=_name(chain[0].subject) if chain else store.claimed_signer,
        issuer=_name(chain[0].issuer) if chain else None,
        signed_at=store.signed_at,
        time_stamped=stamped,
        expired=over,
        revoked=revoked,
        revocation=revocation.reason or (explain(REVOKED) if revoked else ""),
        codes=deduplicated(c for kind in ("failure", "informational", "success") for c in store.codes(kind)),
        failures=failures,
        ingredient_failures=store.ingredient_failures(),
        notes=deduplicated(notes),
        soft_bindings=store.bindings([store.active_id]),
        ancestors=store.ancestors(),
        ancestor_bindings=store.bindings(store.ancestors()),
        ingredients=list_ingredients(store.manifests, store.active_id),
        manifest=store.active,
        store=opened.raw,
        reason=_reason(failures, result),
    )


def _reason(failures: Sequence[str], result: ChainResult) -> str:
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
            return ManifestStore(json.loads(reader.json())).active
    except (c2pa.C2paError, ValueError, KeyError):
        return None


def find_assertion(manifest: Mapping[str, Any] | None, label: str) -> Any:
    """Data of the first assertion whose label is *label* (instance suffixes ignored), or None."""
    items = (manifest or {}).get("assertions")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and str(item.get("label", "")).split("__")[0] == label:
            return item.get("data")
    return None
