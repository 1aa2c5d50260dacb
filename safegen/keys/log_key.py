"""Verifier keys of the log, ``<origin>+<key id>+<key>`` (C2SP signed note), as people hand them over.

The form itself is ``safegen.ledger.note``'s. Here it is read from text that was copied by hand: white space
around it and an id in capitals do no harm, and what is no key is the user's to mend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.errors import UsageError
from safegen.ledger.note import decode_vkey as decode_canonical_vkey
from safegen.ledger.note import encode_vkey, key_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["decode_vkey", "encode_vkey", "key_id"]


def decode_vkey(text: str) -> tuple[str, Ed25519PublicKey]:
    """The origin and the key of a verifier key. Raises UsageError when it is malformed or not Ed25519."""
    origin, plus, rest = text.strip().partition("+")
    identifier, second, body = rest.partition("+")
    identifier = "".join(identifier.split()).lower()
    try:
        return decode_canonical_vkey(f"{origin}{plus}{identifier}{second}{body}")
    except ValueError as error:  # NoteError is one, and so is what text that is no UTF-8 raises
        raise UsageError(
            "not a log key of the form origin+id+key (C2SP signed note, Ed25519)",
            hint="export it again with `safegen keys export-trust`",
        ) from error
