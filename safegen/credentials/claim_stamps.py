"""Time stamps inside a claim signature, checked here against the time stamp anchors and nothing else.

``sigTst2`` holds tokens over the signature; they prove that it existed. ``sigTst``, of claims of version 1,
holds whole responses over the claim and the protected header: they prove that what was signed existed.
Sources: C2PA 2.x section 10.3.2.5 (which bytes a stamp covers), RFC 3161.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from safegen.credentials.cose import Sign1, byte_string, signed_bytes

if TYPE_CHECKING:
    from cryptography import x509

MAX_TOKENS = 8
GRANTED = b"\x30\x03\x02\x01\x00"
"""PKIStatusInfo: granted. A bare token is put behind it to be a response (RFC 3161 section 2.4.2)."""


def stamps_of(message: Sign1, claim: bytes, *, version: int) -> tuple[tuple[bytes, bytes], ...]:
    """The time stamps of the signature *message* over *claim*: response (DER) and the bytes it covers."""
    if version == 1:
        body = signed_bytes("CounterSignature", message.protected, claim)
        return tuple((token, body) for token in _tokens(message.unprotected.get("sigTst")))
    body = signed_bytes("CounterSignature", message.protected, byte_string(message.signature))
    return tuple((_response(token), body) for token in _tokens(message.unprotected.get("sigTst2")))


def prove_time(
    stamps: Sequence[tuple[bytes, bytes]],
    signer: x509.Certificate | None,
    anchors: Sequence[x509.Certificate],
) -> datetime | None:
    """The earliest time (UTC) that one of *stamps* proves, by an authority under the TSA *anchors*.

    Only a time at which the *signer*'s certificate was valid counts. None: nothing proves any time.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    from safegen.ledger.timestamp import StampRejected, verify_stamp

    if signer is None or not anchors:
        return None
    pems = [anchor.public_bytes(Encoding.PEM) for anchor in anchors]
    proven: list[datetime] = []
    for token, body in stamps:
        try:
            stamped_at = verify_stamp(token, body, pems)
        except StampRejected:
            continue  # as good as none: the file is then judged by the present time
        if signer.not_valid_before_utc <= stamped_at <= signer.not_valid_after_utc:
            proven.append(stamped_at)
    return min(proven, default=None)


def _tokens(header: Any) -> Iterator[bytes]:
    """The values in C2PA's ``tstContainer``."""
    entries = header.get("tstTokens") if isinstance(header, dict) else None
    for entry in entries[:MAX_TOKENS] if isinstance(entries, list) else ():
        value = entry.get("val") if isinstance(entry, dict) else None
        if isinstance(value, bytes):
            yield value


def _response(token: bytes) -> bytes:
    """The bare *token* as a TimeStampResp that was granted."""
    body = GRANTED + token
    size = len(body)
    if size < 128:
        return bytes([0x30, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x30, 0x80 | len(length)]) + length + body
