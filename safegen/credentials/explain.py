"""One line for a person per C2PA status code (C2PA 2.x section 15.2, CAWG identity 1.x).

A failure's line says who could be at fault: "changed after signing" is only said of what was computed.
"""

from __future__ import annotations

from collections.abc import Iterable

TEXTS = {
    "claimSignature.validated": "The signature over the credentials is intact",
    "claimSignature.insideValidity": "It was signed while the certificate was valid",
    "claimSignature.mismatch": (
        "The credentials were changed after signing: their signature is not over these bytes"
    ),
    "claimSignature.missing": "The credentials carry no signature: removed, or never there",
    "claimSignature.outsideValidity": (
        "It was signed outside the certificate's validity period: the signer's clock or a late signature"
    ),
    "signingCredential.trusted": "The signer's certificate chains to a trusted root",
    "signingCredential.untrusted": "The signer is unknown to you: no trusted root vouches for it",
    "signingCredential.invalid": (
        "The signer's certificate is not made for signing credentials: its issuer's or signer's fault"
    ),
    "signingCredential.expired": (
        "The certificate is outside its time, and no trusted time stamp says when it signed"
    ),
    "signingCredential.ocsp.revoked": "The signer's certificate was revoked",
    "signingCredential.ocsp.skipped": "Revocation was not checked (offline)",
    "signingCredential.ocsp.unknown": "The revocation service does not know the certificate",
    "signingCredential.ocsp.inaccessible": "The revocation service could not be reached",
    "signingCredential.ocsp.notRevoked": "The certificate is not revoked",
    "timeStamp.validated": "The time stamp belongs to this signature",
    "timeStamp.trusted": "The time stamp comes from an authority that c2pa accepts",
    "timeStamp.untrusted": "You do not trust the time stamp's authority",
    "timeStamp.mismatch": "The time stamp is for something else, and does not count",
    "timeStamp.malformed": "The time stamp cannot be read, and does not count",
    "timeStamp.outsideValidity": (
        "The time stamp's certificate was not valid at that time, so it does not count"
    ),
    "assertion.bmffHash.match": "The picture and sound data are unchanged since signing",
    "assertion.bmffHash.mismatch": "The picture data was changed after signing",
    "assertion.bmffHash.malformed": (
        "The hash of the picture data cannot be read: the signing program's fault, or damage"
    ),
    "assertion.bmffHash.additionalExclusionsPresent": (
        "The signer left more of the file out of the hash than usual"
    ),
    "assertion.dataHash.match": "The file's data is unchanged since signing",
    "assertion.dataHash.mismatch": "The file's data was changed after signing",
    "assertion.dataHash.malformed": (
        "The hash of the file's data cannot be read: the signing program's fault, or damage"
    ),
    "assertion.dataHash.additionalExclusionsPresent": (
        "The signer left more out of the hash than the credentials: that part may be anyone's"
    ),
    "assertion.boxesHash.match": "The file's parts are unchanged since signing",
    "assertion.boxesHash.mismatch": "A part of the file was changed after signing",
    "assertion.boxesHash.unknownBox": "The file has a part that was not signed",
    "assertion.hashedURI.match": "A statement in the credentials is unchanged since signing",
    "assertion.hashedURI.mismatch": "A statement in the credentials was changed after signing",
    "assertion.missing": "A signed statement is missing: removed after signing",
    "assertion.undeclared": "The credentials contain a statement that was never signed: added after signing",
    "assertion.required.missing": (
        "A required statement is missing or cannot be decoded: the signing program's fault"
    ),
    "assertion.inaccessible": "A statement is stored elsewhere and was not fetched",
    "assertion.notRedacted": "A statement said to be redacted is still there: the signing program's fault",
    "assertion.selfRedacted": (
        "The credentials redact one of their own statements: the signing program's fault"
    ),
    "assertion.action.malformed": "The list of actions is malformed: the signing program's fault",
    "assertion.action.ingredientMismatch": (
        "An action names a source that is not there: the signing program's fault"
    ),
    "assertion.action.redacted": "An action was redacted, which is not allowed",
    "assertion.action.softBindingMissing": (
        "A watermark is claimed but its binding is missing: the signing program's fault"
    ),
    "assertion.cbor.invalid": "A statement cannot be decoded: the signing program's fault, or damage",
    "assertion.json.invalid": "A statement cannot be decoded: the signing program's fault, or damage",
    "assertion.ingredient.malformed": "A source is not described properly: the signing program's fault",
    "assertion.multipleHardBindings": (
        "The credentials bind to the file more than once: the signing program's fault"
    ),
    "claim.missing": "The credentials contain no claim that can be read",
    "claim.multiple": "The credentials contain more than one claim: which one counts cannot be told",
    "claim.malformed": "The claim is malformed: the signing program's fault, or damage",
    "claim.hardBindings.missing": (
        "The credentials are not bound to the file's content: the signing program's fault"
    ),
    "ingredient.manifest.validated": "The credentials of a source are intact",
    "ingredient.manifest.mismatch": "The credentials of a source were changed",
    "ingredient.manifest.missing": "The credentials of a source are missing",
    "ingredient.claimSignature.validated": "The signature of a source is intact",
    "ingredient.claimSignature.mismatch": "The signature of a source was changed",
    "ingredient.claimSignature.missing": "The signature of a source is missing",
    "ingredient.unknownProvenance": "A source has no credentials of its own",
    "manifest.inaccessible": "The credentials are stored elsewhere and were not fetched",
    "manifest.multipleParents": "The credentials name more than one parent: the signing program's fault",
    "manifest.update.invalid": (
        "An update of the credentials does something updates may not: the updating program's fault"
    ),
    "manifest.update.wrongParents": (
        "An update of the credentials needs exactly one parent: the updating program's fault"
    ),
    "algorithm.unsupported": (
        "A hash or signature algorithm is used that is not known here: an old or a newer program"
    ),
    "algorithm.deprecated": "An algorithm no longer considered safe is used: the signing program's fault",
    "cawg.x509.credential.untrusted": "The named person or organisation is unknown to you",
    "cawg.ica.untrusted_issuer": "You do not trust the issuer of the named identity",
    "cawg.x509.credential.trusted": "The named person or organisation is vouched for",
    "cawg.x509.signature.validated": "The signature of the named person or organisation is intact",
    "cawg.x509.signature.mismatch": (
        "The signature of the named person or organisation does not hold: it proves no identity"
    ),
    "cawg.identity.well-formed": "The named identity's statement is well formed",
    "general.error": "The credentials cannot be read: damage, or a kind that is not known here",
    "assertion.boxesHash.malformed": (
        "The hash of the file's parts cannot be read: the signing program's fault, or damage"
    ),
    "assertion.boxesHash.additionalExclusionsPresent": (
        "The signer left more of the file's parts out of the hash than usual"
    ),
    "assertion.collectionHash.match": "The document's parts are unchanged since signing",
    "assertion.collectionHash.mismatch": "A part of the document was changed after signing",
    "assertion.collectionHash.incorrectFileCount": (
        "Parts were added to the document or removed after signing"
    ),
    "assertion.collectionHash.malformed": (
        "The hash of the document's parts cannot be read: the signing program's fault"
    ),
    "assertion.collectionHash.invalidURI": (
        "The list of the document's parts is malformed: the signing program's fault"
    ),
    "assertion.action.redactionMismatch": (
        "An action names a redaction that is not there: the signing program's fault"
    ),
    "assertion.outsideManifest": (
        "A statement is referred to outside the credentials: the signing program's fault"
    ),
    "assertion.hardBinding.redacted": "The binding to the file was redacted, which is not allowed",
    "assertion.dataHash.redacted": "The binding to the file was redacted, which is not allowed",
    "assertion.cloud-data.malformed": (
        "A statement stored elsewhere is not described properly: the signing program's fault"
    ),
    "assertion.cloud-data.hardBinding": "The binding to the file is stored elsewhere, which is not allowed",
    "assertion.cloud-data.actions": "The list of actions is stored elsewhere, which is not allowed",
    "assertion.metadata.disallowed": "The metadata states something it may not: the signing program's fault",
    "assertion.timestamp.malformed": "A time stamp beside the signature cannot be read, and does not count",
    "claim.required.missing": "The claim lacks what it has to say: the signing program's fault",
    "claim.cbor.invalid": "The claim cannot be decoded: the signing program's fault, or damage",
    "hashedURI.missing": "A part of the credentials is referred to and not there",
    "hashedURI.mismatch": "A part of the credentials was changed after signing",
    "ingredient.hashedURI.mismatch": "A part of a source's credentials was changed",
    "manifest.unreferenced": "The credentials carry others that nothing refers to",
    "manifest.unknownProvenance": "A source has no credentials of its own",
    "manifest.timestamp.invalid": "A later time stamp on the credentials is malformed",
    "manifest.timestamp.wrongParents": "A later time stamp on the credentials needs exactly one parent",
    "manifest.compressed.invalid": (
        "The compressed credentials cannot be unpacked: the signing program's fault, or damage"
    ),
    "com.adobe.prerelease": "The credentials are of a kind from before the standard, which is no longer read",
    "org.safegen.store.multiple": (
        "The file holds more than one set of credentials: which one counts cannot be told"
    ),
    "org.safegen.store.different": (
        "The credentials in the file's bytes are not the ones that were read from it"
    ),
    "org.safegen.signature.unreadable": "The signature is of a kind that cannot be checked here, or damaged",
    "org.safegen.signature.disputed": "Two checks of the signature disagree, so its signer is not trusted",
    "cawg.x509.signature.outside_validity": (
        "The named person or organisation signed outside their certificate's time"
    ),
    "cawg.x509.credential.invalid": (
        "The certificate of the named person or organisation is not valid for this"
    ),
    "cawg.x509.algorithm.unsupported": "The named identity is signed in a way that is not known here",
    "cawg.ica.credential_valid": "The named identity's credential is intact",
    "cawg.ica.did_unavailable": "The named identity cannot be looked up offline",
    "cawg.identity.sig_type.unknown": "The named identity is signed in a way that is not known here",
    "cawg.identity.assertion.mismatch": (
        "The named identity refers to a statement that is not in these credentials"
    ),
    "cawg.identity.assertion.duplicate": "The named identity refers to a statement twice",
    "cawg.identity.hard_binding_missing": "The named identity is not bound to the file's content",
    "cawg.identity.pad.invalid": "The named identity's statement is not padded properly",
    "cawg.identity.cbor.invalid": "The named identity's statement cannot be decoded",
}
FALLBACKS = (
    (".mismatch", "Something was changed after signing"),
    (".missing", "Something required is missing"),
    (".malformed", "Something is malformed"),
    (".match", "A check passed"),
    (".validated", "A check passed"),
)


def explain_each(codes: Iterable[str]) -> tuple[str, ...]:
    """Each of *codes* as a sentence, once, the code behind it."""
    return tuple(dict.fromkeys(f"{explain(code)} ({code})." for code in codes))


def explain(code: str) -> str:
    """What *code* means, as one line; an unknown code is answered by its kind, or by itself."""
    if code in TEXTS:
        return TEXTS[code]
    if code.startswith("cawg."):
        return f"Said of a named identity, and of nothing else ({code})"
    return next((f"{text} ({code})" for end, text in FALLBACKS if code.endswith(end)), code)
