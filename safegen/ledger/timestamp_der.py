"""A time stamp's certificates in the order DER requires.

``SignedData.certificates`` is a SET, whose members DER sorts (X.690 section 11.6); authorities built on
OpenSSL leave them in the order of their configuration, and the strict parser behind ``stamp`` then takes
nothing. The field is outside the signature, so sorting it changes nothing that is signed.
"""

from __future__ import annotations

SEQUENCE, CONTEXT_0 = 0x30, 0xA0


def with_sorted_certificates(token: bytes) -> bytes:
    """*token* (DER TimeStampResp) with its certificates sorted; unchanged where it is not shaped like one."""
    try:
        start, end = _certificates(token)
        found = _members(token, start, end)
    except (ValueError, IndexError):
        return token
    return token[:start] + b"".join(sorted(token[a:b] for a, _, b in found)) + token[end:]


def _certificates(token: bytes) -> tuple[int, int]:
    """Where the content of ``SignedData.certificates`` begins and ends. Raises ValueError."""
    response = _content(token, (0, 0, len(token)), SEQUENCE)
    content_info = _content(token, response[1], SEQUENCE)
    explicit = _content(token, content_info[1], CONTEXT_0)
    signed_data = _content(token, explicit[0], SEQUENCE)
    for member in signed_data:
        if token[member[0]] == CONTEXT_0:
            return member[1], member[2]
    raise ValueError("no certificates")


def _content(token: bytes, where: tuple[int, int, int], tag: int) -> list[tuple[int, int, int]]:
    """The members of the element at *where*, which MUST have *tag*."""
    at, _, end = where
    if token[at] != tag:
        raise ValueError("another tag")
    _, start, stop = _element(token, at, end)
    return _members(token, start, stop)


def _members(token: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """(begin, begin of content, end) of each element between *start* and *end*."""
    found = []
    while start < end:
        found.append(_element(token, start, end))
        start = found[-1][2]
    return found


def _element(token: bytes, at: int, limit: int) -> tuple[int, int, int]:
    """One element with a one-byte tag and a definite length (X.690 section 8.1.3). Raises ValueError."""
    length, body = token[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("a length that is not DER")
        length, body = int.from_bytes(token[body : body + count], "big"), body + count
    if body + length > limit:
        raise ValueError("an element that is cut off")
    return at, body, body + length
