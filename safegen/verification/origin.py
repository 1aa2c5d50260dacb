"""The first line of a report: what the file is, by whom, and how sure that is.

What it is comes from the actions that its credentials state (IPTC digital source types) and from what it
was made from; only intact credentials, or the record of a release that the pictures match, say anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safegen.credentials.ingredients import list_ingredients
from safegen.credentials.manifest_store import as_object
from safegen.credentials.read import find_assertion
from safegen.credentials.source_types import short_name as _short
from safegen.credentials.statements import list_actions
from safegen.types import IngredientEvidence, Json, Origin, OriginKind, Verdict
from safegen.verification.evidence import Evidence

GENERATED, COMPOSITE = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
SOURCE_TYPES: Mapping[str, tuple[OriginKind, str]] = {
    GENERATED: ("generated", "made by AI"),
    COMPOSITE: ("partly generated", "partly made by AI"),
    "compositeSynthetic": ("partly generated", "put together with synthetic parts"),
    "digitalCapture": ("captured", "captured with a camera"),
    "computationalCapture": ("captured", "captured with a camera and computed from several shots"),
    "negativeFilm": ("captured", "captured on film"),
    "positiveFilm": ("captured", "captured on film"),
    "print": ("captured", "captured from a print"),
    "compositeCapture": ("edited", "put together from captured parts"),
    "humanEdits": ("edited", "edited by people"),
    "minorHumanEdits": ("edited", "edited a little by people"),
    "algorithmicallyEnhanced": ("edited", "enhanced by an algorithm"),
    "composite": ("edited", "put together from parts"),
    "digitalCreation": ("created", "made by people with software"),
    "digitalArt": ("created", "made by people with software"),
    "dataDrivenMedia": ("created", "made from data"),
    "algorithmicMedia": ("created", "made by an algorithm that learnt from nothing"),
    "screenCapture": ("captured", "captured from a screen"),
    "virtualRecording": ("captured", "recorded in a virtual world"),
}
"""IPTC digital source types (the last part of their address): the kind, and in words."""
PASSIVE = {
    *("c2pa.created", "c2pa.opened", "c2pa.published", "c2pa.transcoded", "c2pa.converted"),
    *("c2pa.repackaged", "c2pa.watermarked", "c2pa.watermarked.bound", "c2pa.watermarked.unbound"),
    *("c2pa.addedText", "c2pa.unknown", "c2pa.saved"),
}
"""Actions that do not change what is shown, or not more than a label does."""
NOT_STATED: tuple[OriginKind, str] = ("unknown", "how it was made is not stated")
SURE = {
    Verdict.VERIFIED: "signature and ledger agree, byte for byte",
    Verdict.VERIFIED_REPACKED: "signature and ledger agree",
    Verdict.SIGNED_UNLOGGED: "the signature holds; no ledger confirms it",
    Verdict.EXPIRED_BUT_LOGGED: "the signature holds and its time is proven",
    Verdict.WITHDRAWN: "its maker has withdrawn it",
    Verdict.RECOVERED: "the pictures match the maker's record",
}
UNKNOWN = {
    Verdict.MARKED_UNRESOLVED: "a mark alone does not say",
    Verdict.CREDENTIALS_UNREADABLE: "its credentials cannot be checked here",
    Verdict.TAMPERED: "it is not what was signed",
    Verdict.CONFLICT: "what is known about it contradicts itself",
    Verdict.NO_PROVENANCE: "nothing was found that says so",
}


def find_origin(evidence: Evidence, verdict: Verdict, recovered: Json | None) -> Origin:
    """What the file is, by whom, how sure; *recovered* is the manifest of the release it was found to be."""
    credentials = evidence.credentials
    if verdict in UNKNOWN:
        return Origin("unknown", "How it was made is unknown", None, UNKNOWN[verdict])
    if verdict in (Verdict.RECOVERED, Verdict.WITHDRAWN) and recovered is not None:
        kind, words = _stated(recovered, list_ingredients({"": recovered}, ""))
        return Origin(kind, _sentence(words), _recorded_signer(recovered), SURE[verdict])
    kind, words = _stated(credentials.manifest or {}, credentials.ingredients)
    return Origin(kind, _sentence(words), credentials.signer, _certainty(evidence, verdict))


def _certainty(evidence: Evidence, verdict: Verdict) -> str:
    """How much the statement is worth."""
    credentials = evidence.credentials
    if verdict is Verdict.SIGNED_UNTRUSTED:
        if credentials.revoked:
            return "but the signer's certificate was revoked"
        if credentials.expired:
            return "but the signer's certificate has expired"
        if credentials.not_yet_valid:
            return "but the signer's certificate is not valid yet"
        return "but anyone can sign by that name: you have not chosen to trust this signer"
    sure = SURE[verdict]
    if verdict in (Verdict.VERIFIED, Verdict.VERIFIED_REPACKED):
        read = {r.payload for r in evidence.watermarks if r.present}
        seen = (
            "; the hidden mark agrees" if read & evidence.bound_payloads else "; the mark was not looked for"
        )
        return sure + seen
    return sure


def _stated(manifest: Json, ingredients: Sequence[IngredientEvidence]) -> tuple[OriginKind, str]:
    """Kind and words for what *manifest* and what its *ingredients* state about how the file was made."""
    actions = list_actions(manifest)
    by_owner = _by_owner(manifest)
    own = [_short(a.source_type) for a in actions if a.source_type]
    if by_owner is not None:  # the same word in an action is no second witness
        own = [kind for kind in own if SOURCE_TYPES.get(kind) != by_owner]
    below = _below(ingredients)
    kinds = [k for k in own if k in SOURCE_TYPES] or [k for k in below if k in SOURCE_TYPES]
    edited = any(a.action and a.action not in PASSIVE for a in actions)
    if GENERATED in own and all(k == GENERATED for k in own):
        found = SOURCE_TYPES[GENERATED]
    elif {GENERATED, COMPOSITE} & {*own, *below}:
        whole = not own and all(k == GENERATED for k in below)
        found = SOURCE_TYPES[GENERATED if whole else COMPOSITE]
    elif by_owner is not None and (not kinds or by_owner[0] in ("generated", "partly generated")):
        # Over what the source's own credentials say, an owner is believed only where AI is owned up to.
        found = by_owner[0], f"{by_owner[1]}, as its owner states"
    elif kinds:
        found = SOURCE_TYPES[kinds[-1]]
    else:
        found = NOT_STATED
    kind, words = found
    if edited and kind in ("captured", "created", "unknown"):
        words = (
            "edited; how the original was made is not stated"
            if found == NOT_STATED
            else f"{words}, then edited"
        )
        kind = "edited"
    return kind, words + _model(manifest)


def _below(items: Sequence[IngredientEvidence]) -> list[str]:
    """The source types of what the file is a version of, or holds, at every level; "" for what states none.

    *items*: depth first, each followed by its own. What was only given to a model is not in the file.
    """
    found: list[str] = []
    for at, item in enumerate(items):
        if item.level != items[0].level or item.relationship not in ("parentOf", "componentOf"):
            continue
        rest = items[at + 1 :]
        own = rest[: next((i for i, other in enumerate(rest) if other.level <= item.level), len(rest))]
        stated = [_short(item.source_type)] if item.source_type else []
        found += [*stated, *_below(own)] or [""]
    return found


def _by_owner(manifest: Json) -> tuple[OriginKind, str] | None:
    """What the owner who protected the file said about it: hearsay, and called so."""
    said = as_object(find_assertion(manifest, "org.safegen.protection")).get("sourceTypeStatedByUser")
    return SOURCE_TYPES.get(_short(said)) if isinstance(said, str) else None


def _model(manifest: Json) -> str:
    """The model that made it, where one is named."""
    model = as_object(find_assertion(manifest, "org.safegen.generation")).get("model")
    named = as_object(model)
    text = f"{named.get('name') or ''} {named.get('version') or ''}".strip()
    return f" ({text})" if text else ""


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _recorded_signer(manifest: Mapping[str, Any]) -> str | None:
    """The signer's name as the recorded manifest has it."""
    info = as_object(manifest.get("signature_info"))
    found = info.get("common_name") or info.get("issuer")
    return found if isinstance(found, str) else None
