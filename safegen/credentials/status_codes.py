"""What kind of fault a C2PA failure code speaks of, and so what it may do to the state of a file.

Only a *mismatch* (something was computed, or counted, and differs from what was signed) makes a file
``INVALID``: that accuses somebody of having changed it. What cannot be checked here is *unreadable*, what is
wrong with the signer's certificate is about the *signer*, with a time stamp about the *time*, and with a
named identity (CAWG) about that identity alone. A code that nobody here knows is never passed over: it is a
mismatch where it says so, and unreadable otherwise. Source: C2PA 2.x section 15.2, CAWG identity 1.x.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

Fault = Literal["mismatch", "unreadable", "signer", "identity", "time", "ingredient"]

UNTRUSTED, EXPIRED = "signingCredential.untrusted", "signingCredential.expired"
REVOKED = "signingCredential.ocsp.revoked"
CLAIM_MISMATCH = "claimSignature.mismatch"
GENERAL = "general.error"
SEVERAL_STORES, OTHER_STORE = "org.safegen.store.multiple", "org.safegen.store.different"
"""Our own codes: the file holds more manifest stores than one; another one than c2pa read."""
SIGNATURE_UNREADABLE, SIGNATURE_DISPUTED = (
    "org.safegen.signature.unreadable",
    "org.safegen.signature.disputed",
)
"""Our own codes for a claim signature that c2pa rejects: it cannot be checked here; it verifies here."""
UNSUPPORTED = "algorithm.unsupported"
DATA_MATCH, DATA_MISMATCH = "assertion.dataHash.match", "assertion.dataHash.mismatch"
WIDE = "assertion.dataHash.additionalExclusionsPresent"
STATEMENT_MISMATCH = "assertion.hashedURI.mismatch"
MISMATCHES = {
    "assertion.boxesHash.unknownBox",
    "assertion.collectionHash.incorrectFileCount",
    "assertion.missing",
    "assertion.undeclared",
}
"""What the signed list and the file do not have in common, besides every code that ends in ``.mismatch``."""
FAMILIES: tuple[tuple[str, Fault], ...] = (
    ("cawg.", "identity"),
    ("ingredient.", "ingredient"),
    ("signingCredential.", "signer"),
    ("claimSignature.outsideValidity", "signer"),
    (SIGNATURE_DISPUTED, "signer"),
    ("timeStamp.", "time"),
    ("timeOfSigning.", "time"),
    ("assertion.timestamp.", "time"),
)
BOUND = {
    "assertion.dataHash.match",
    "assertion.bmffHash.match",
    "assertion.boxesHash.match",
    "assertion.collectionHash.match",
}
"""Successes that say: the content of the file is what was signed."""


def is_conflict(code: str) -> bool:
    """Whether the failure *code* of an ingredient says that it does not match, not only that it is odd."""
    of_ingredient = code.startswith("ingredient.")
    return (
        code == "ingredient.manifest.missing"
        or (of_ingredient and code.endswith(".mismatch"))
        or (fault_of(code) == "mismatch")
    )


def fault_of(code: str) -> Fault:
    """What the failure *code* speaks of."""
    for start, fault in FAMILIES:
        if code.startswith(start):
            return fault
    if code in MISMATCHES or code.endswith(".mismatch"):
        return "mismatch"
    return "unreadable"


@dataclass(frozen=True)
class Judgement:
    """What the bytes are by the codes: ``mismatches`` accuse, ``unreadable`` say what could not be checked.

    ``objections`` are what c2pa has against the signer (its trust in it left out).
    """

    mismatches: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()


Signature = Literal["intact", "mismatch", "unreadable"]


def judge(
    failures: Iterable[str],
    successes: Iterable[str],
    *,
    c2pa_says_no: bool,
    signature: Signature,
    uncomputed: Collection[str] = (),
) -> Judgement:
    """Sort c2pa's *failures* of the active manifest; *signature* is our own check of the claim signature.

    Both checks have to agree: a signature that c2pa rejects and that verifies here is nobody's change, and
    nothing that may be trusted either. Where c2pa says no and no code explains it, only our own signature
    check together with a matching content hash keeps the file from being unreadable. *uncomputed* are
    mismatches that nobody computed: c2pa gives them for a hash whose algorithm it does not know.
    """
    found: dict[Fault, list[str]] = {}
    passed = set(successes)
    for code in dict.fromkeys(_code(code, signature, uncomputed) for code in failures):
        found.setdefault(fault_of(code), []).append(code)
    mismatches, unreadable = found.get("mismatch", []), found.get("unreadable", [])
    if signature == "mismatch" and not mismatches:
        unreadable.append(GENERAL)  # c2pa and our own check contradict each other
    intact = signature == "intact" and bool(passed & BOUND)
    if c2pa_says_no and not intact and not mismatches and not unreadable:
        unreadable.append(GENERAL)
    objections = found.get("signer", [])
    return Judgement(
        tuple(mismatches),
        tuple(unreadable),
        tuple(code for kind in ("signer", "time", "identity") for code in found.get(kind, [])),
        tuple(code for code in objections if code != UNTRUSTED),
    )


def _code(code: str, signature: Signature, uncomputed: Collection[str]) -> str:
    """*code*, or what it comes to by our own checks."""
    if code == CLAIM_MISMATCH and signature != "mismatch":
        return SIGNATURE_DISPUTED if signature == "intact" else SIGNATURE_UNREADABLE
    return UNSUPPORTED if code in uncomputed and signature == "intact" else code
