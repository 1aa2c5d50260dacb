"""What the active manifest states: the software that made it, what was done, and who else is named in it.

All of it comes out of c2pa's JSON, walked safely. Nothing here is proven by being stated: the signer vouches
for the actions, and an identity (CAWG identity assertion) is only as good as its ``state``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from safegen.credentials.cbor import decode
from safegen.credentials.claim_signature import assertion_box
from safegen.credentials.cose import parse_sign1
from safegen.credentials.manifest_store import ManifestStore, actions_in, as_object, objects_in
from safegen.credentials.source_types import is_owners_word
from safegen.keys.chain import check_chain
from safegen.types import Json, StatedAction, StatedIdentity

if TYPE_CHECKING:
    from cryptography import x509

MOST_ACTIONS, MOST_IDENTITIES = 50, 20
LONGEST = 300
"""Characters of a text that somebody else wrote."""
IDENTITY = "cawg.identity"
INTACT = {"cawg.x509.signature.validated", "cawg.ica.credential_valid"}
State = Literal["trusted", "intact", "unresolved", "mismatch"]


def claim_generator(manifest: Json) -> str | None:
    """Name and version of the software that made the claim of *manifest*, as it calls itself."""
    for info in objects_in(manifest.get("claim_generator_info")):
        name, version = _text(info.get("name")), _text(info.get("version"))
        if name:
            return f"{name} {version}" if version else name
    return _text(manifest.get("claim_generator"))


def list_actions(manifest: Json) -> tuple[StatedAction, ...]:
    """What *manifest* states was done, in order; at most ``MOST_ACTIONS``."""
    found: list[StatedAction] = []
    for action in actions_in(manifest):
        name = _text(action.get("action"))
        if name and len(found) < MOST_ACTIONS:
            source, when = _text(action.get("digitalSourceType")), _text(action.get("when"))
            agent = _agent(action.get("softwareAgent"))
            found.append(StatedAction(name, source, agent, when, is_owners_word(action)))
    return tuple(found)


def list_identities(
    store: ManifestStore, raw: bytes, anchors: Sequence[x509.Certificate], at: datetime
) -> tuple[StatedIdentity, ...]:
    """Whom the active manifest names by CAWG identity assertions, besides its signer.

    c2pa says whether its signature holds; whether somebody vouches for it is our own chain check, against the
    signers' *anchors* at the time *at*.
    """
    found: list[StatedIdentity] = []
    for assertion in objects_in(store.active.get("assertions")):
        label = str(assertion.get("label", ""))
        if label.split("__")[0] == IDENTITY and len(found) < MOST_IDENTITIES:
            data = as_object(assertion.get("data"))
            codes = store.codes_about(f"/{label}")
            state = _state(codes)
            if state == "intact" and _vouched_for(raw, store.active_id, label, anchors, at):
                state = "trusted"
            found.append(StatedIdentity(_identity_name(data), _kind(data), state))
    return tuple(found)


def _state(codes: Sequence[str]) -> State:
    """What the status *codes* about one identity assertion come to."""
    known = {code for code in codes if code.startswith("cawg.")}
    if any(code.endswith(("mismatch", "_mismatch")) for code in known):
        return "mismatch"
    return "intact" if known & INTACT else "unresolved"


def _vouched_for(
    raw: bytes, manifest: str, label: str, anchors: Sequence[x509.Certificate], at: datetime
) -> bool:
    """Whether the certificates of the identity assertion lead to one of *anchors*."""
    try:
        signature = decode(assertion_box(raw, manifest, label))["signature"]
        chain = parse_sign1(signature).certificates()
    except Exception:  # hostile input: whatever goes wrong, nobody vouches for it
        return False
    return check_chain(chain, anchors, at=at).trusted


def _identity_name(data: Json) -> str:
    """The name in the certificate or in the first verified identity."""
    info = as_object(data.get("signature_info"))
    name = _text(info.get("common_name")) or _text(info.get("issuer"))
    if name:
        return name
    for identity in objects_in(data.get("verifiedIdentities") or data.get("verified_identities")):
        name = _text(identity.get("name")) or _text(identity.get("username"))
        if name:
            return name
    return "an unnamed identity"


def _kind(data: Json) -> str:
    """How the identity is shown: CAWG's signature type, such as ``cawg.x509.cose``."""
    payload = as_object(data.get("signer_payload"))
    return _text(payload.get("sig_type")) or "unknown"


def _agent(value: Any) -> str | None:
    if isinstance(value, dict):
        name, version = _text(value.get("name")), _text(value.get("version"))
        return f"{name} {version}" if name and version else name
    return _text(value)


def _text(value: Any) -> str | None:
    return value.strip()[:LONGEST] or None if isinstance(value, str) else None
