"""Read the Content Credentials of a file: every state of the library becomes one of ours.

What c2pa-rs decides, and what is decided here:

* *hashes, claim signature, structure*: c2pa-rs (``verify_trust`` on, no network), by its status codes
  alone, which ``status_codes`` sorts by what they accuse; the claim signature is verified here as well, and
  the store is looked for in the file's own bytes (``embedded_stores``);
* *trust*: our own chain check on the certificates that verify the claim signature, against signer
  anchors only, and never against c2pa's opinion that the signer is untrusted;
* *time stamp*: our own check of the stamp's bytes against the TSA anchors (not the signer anchors, whose
  owners could otherwise stamp any time they like); c2pa's opinion of it counts for nothing;
* *expiry, not valid yet*: not a mismatch. The state stays ``VALID`` with ``expired`` or ``not_yet_valid``
  set, ``trusted`` false, and ``trusted_root`` naming the anchor it leads to;
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
from safegen.credentials.claim_signature import (
    ClaimSigner,
    SignatureMismatch,
    SignatureUnreadable,
    verify_claim_signature,
)
from safegen.credentials.explain import explain
from safegen.credentials.hash_algorithms import uncomputed_mismatches
from safegen.credentials.ingredients import list_ingredients
from safegen.credentials.manifest_store import ManifestStore, deduplicated
from safegen.credentials.open_store import OpenedStore, open_credentials, unreadable_evidence
from safegen.credentials.status_codes import EXPIRED, REVOKED, UNTRUSTED, Judgement, Signature, judge
from safegen.errors import CheckUnavailable
from safegen.keys.chain import ChainResult
from safegen.types import CredentialsEvidence, CredentialState, Json

if TYPE_CHECKING:
    from cryptography import x509


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
        return _build_evidence(opened, anchors, tsa, at, crls)
    except CheckUnavailable:
        raise
    except Exception as error:  # whatever a hostile store makes us trip over, nothing is proven
        return unreadable_evidence(f"the credentials cannot be interpreted ({type(error).__name__})")


def _build_evidence(
    opened: OpenedStore,
    anchors: Sequence[x509.Certificate],
    tsa: Sequence[x509.Certificate],
    at: datetime | None,
    crls: Sequence[bytes],
) -> CredentialsEvidence:
    from safegen.credentials.claim_stamps import prove_time
    from safegen.credentials.statements import claim_generator, list_actions, list_identities
    from safegen.keys.chain import check_chain
    from safegen.keys.revocation import check_revocation

    store = opened.store
    found, signature, why = _check_signature(opened)
    chain = found.chain
    signer = chain[0] if chain else None
    stamped_at = prove_time(found.stamps, signer, tsa)
    moment = stamped_at or at or utc_now()
    result = check_chain(chain, anchors, at=moment) if chain else ChainResult(None, why)
    revocation = check_revocation(
        chain, anchors, crls=crls, ocsp_responses=found.ocsp_responses, stamped_at=stamped_at, at=moment
    )
    revoked = revocation.status == "revoked" or REVOKED in store.codes("failure")
    expired = signer is not None and signer.not_valid_after_utc < moment
    early = signer is not None and moment < signer.not_valid_before_utc
    says_no = store.state not in ("Valid", "Trusted")
    codes = store.codes("failure")
    judged = judge(
        [*store.failures(), *opened.faults],
        store.codes("success"),
        c2pa_says_no=says_no,
        signature=signature,
        uncomputed=uncomputed_mismatches(opened.raw, store.active_id) if says_no else (),
    )
    state = _state(judged)
    trusted = result.trusted and state is CredentialState.VALID and not revoked
    trusted = trusted and not _objects(codes, judged, signer)
    vouched = trusted or result.outside_validity
    notes = [c for c in judged.notes if c != EXPIRED or expired]
    if not result.trusted and result.reason:
        notes.append(result.reason)
    return CredentialsEvidence(
        state=state,
        trusted=trusted,
        trusted_root=result.anchor if vouched else None,
        root_sha256=result.anchor_sha256 if vouched else None,
        manifest_id=store.active_id,
        signer=_name(signer.subject) if signer else store.claimed_signer,
        issuer=_name(signer.issuer) if signer else None,
        signed_at=stamped_at.isoformat() if stamped_at else store.signed_at,
        time_stamped=stamped_at is not None,
        expired=expired,
        not_yet_valid=early,
        revoked=revoked,
        revocation=revocation.reason or (explain(REVOKED) if revoked else ""),
        codes=deduplicated(
            [
                *opened.faults,
                *(c for kind in ("failure", "informational", "success") for c in store.codes(kind)),
            ]
        ),
        failures=judged.mismatches,
        unreadable=judged.unreadable,
        store_seen=opened.seen,
        ingredient_failures=store.ingredient_failures(),
        notes=deduplicated([*notes, *store.notes()]),
        soft_bindings=store.bindings([store.active_id]),
        ancestors=store.ancestors(),
        ancestor_bindings=store.bindings(store.ancestors()),
        ingredients=list_ingredients(store.manifests, store.active_id),
        claim_generator=claim_generator(store.active),
        actions=list_actions(store.active),
        identities=list_identities(store, opened.raw, anchors, moment),
        manifest=store.active,
        store=opened.raw,
        reason=explain((judged.mismatches or judged.unreadable)[0]) if _faulty(judged) else result.reason,
    )


def _check_signature(opened: OpenedStore) -> tuple[ClaimSigner, Signature, str]:
    """Our own check of the claim signature: who signed, how it came out, and why nobody where that is so."""
    try:
        return verify_claim_signature(opened.raw, opened.store.active_id), "intact", ""
    except SignatureMismatch as error:
        return ClaimSigner(()), "mismatch", str(error)
    except SignatureUnreadable as error:
        return ClaimSigner(()), "unreadable", str(error)


def _state(judged: Judgement) -> CredentialState:
    if judged.mismatches:
        return CredentialState.INVALID
    return CredentialState.UNREADABLE if judged.unreadable else CredentialState.VALID


def _faulty(judged: Judgement) -> bool:
    return bool(judged.mismatches or judged.unreadable)


def _objects(codes: Sequence[str], judged: Judgement, signer: x509.Certificate | None) -> bool:
    """Whether c2pa has something against the signer that our own check does not answer.

    Of an expired certificate c2pa knows only the present: whether it was valid in time is decided here.
    """
    past = signer is not None and signer.not_valid_after_utc < utc_now()
    answered = {EXPIRED} if past else set()
    return bool(set(judged.objections) - answered) or (UNTRUSTED in codes and not past)


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
