"""Hashes in a manifest whose algorithm nobody here knows: c2pa calls them mismatches, and computed nothing.

Source: C2PA 2.x section 13.1 (SHA2-256, SHA2-384 and SHA2-512, by the names below).
"""

from __future__ import annotations

from typing import Any

from safegen.credentials.cbor import decode
from safegen.credentials.claim_signature import assertion_box, claim_box
from safegen.credentials.status_codes import STATEMENT_MISMATCH

KNOWN = {"sha256", "sha384", "sha512"}
BINDINGS = {
    "c2pa.hash.data": "assertion.dataHash.mismatch",
    "c2pa.hash.bmff": "assertion.bmffHash.mismatch",
    "c2pa.hash.boxes": "assertion.boxesHash.mismatch",
    "c2pa.hash.collection.data": "assertion.collectionHash.mismatch",
}
LISTS = ("assertions", "created_assertions", "gathered_assertions")


def uncomputed_mismatches(store: bytes, label: str) -> frozenset[str]:
    """Mismatch codes that say nothing about the manifest *label*: its algorithm is unknown. Never raises.

    Only what the claim itself states counts for its statements, so that nobody but the signer can say so.
    """
    try:
        claim = decode(claim_box(store, label))
        entries = [entry for name in LISTS for entry in claim.get(name) or ()]
        usual = claim.get("alg", "sha256")
        if any(entry.get("alg", usual) not in KNOWN for entry in entries):
            return frozenset({STATEMENT_MISMATCH, *BINDINGS.values()})
        found = set()
        for entry in entries:
            name = str(entry.get("url")).rpartition("/")[2]
            code = BINDINGS.get(_base(name))
            if code is not None and not _known(decode(assertion_box(store, label, name)), usual):
                found.add(code)
        return frozenset(found)
    except Exception:  # hostile input: the codes stand as they are
        return frozenset()


def _base(name: str) -> str:
    """The label without its version and instance."""
    parts = name.split("__")[0].split(".")
    return ".".join(parts[:-1] if parts[-1][:1] == "v" and parts[-1][1:].isdigit() else parts)


def _known(binding: Any, usual: str) -> bool:
    return not isinstance(binding, dict) or binding.get("alg", usual) in KNOWN
