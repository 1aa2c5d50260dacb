"""A small CBOR reader (RFC 8949) for claim signatures: enough for COSE, strict about limits."""

from __future__ import annotations

import struct
from typing import Any

MAX_DEPTH = 16
MAX_ITEMS = 100_000


class CborError(ValueError):
    """The bytes are not CBOR that we accept."""


def decode(data: bytes) -> Any:
    """The one CBOR item that fills *data*; tags are dropped. Raises CborError.

    Maps become dicts (a key given twice is an error), byte strings ``bytes``. Indefinite lengths are
    refused: nothing that signs a claim writes them.
    """
    reader = _Reader(data)
    value = reader.item(0)
    if reader.at != len(data):
        raise CborError("bytes after the end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.items = data, 0, 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise CborError("truncated")
        self.at += count
        return self.data[self.at - count : self.at]

    def argument(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise CborError("indefinite or reserved length")
        return int.from_bytes(self.take(1 << (info - 24)), "big")

    def item(self, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise CborError("too deep or too large")
        first = self.take(1)[0]
        kind, info = first >> 5, first & 31
        if kind == 7:
            return self.simple(info)
        argument = self.argument(info)
        if kind in (0, 1):
            return argument if kind == 0 else -1 - argument
        if kind in (2, 3):
            raw = self.take(argument)
            return raw if kind == 2 else self.text(raw)
        if kind == 4:
            return [self.item(depth + 1) for _ in range(self.count(argument))]
        if kind == 5:
            return self.map(self.count(argument), depth)
        return self.item(depth + 1)

    def count(self, argument: int) -> int:
        if argument > len(self.data) - self.at:
            raise CborError("truncated")
        return argument

    def map(self, count: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(count):
            key = self.item(depth + 1)
            if not isinstance(key, int | str | bytes) or key in found:
                raise CborError("a map key is repeated or of an unsupported type")
            found[key] = self.item(depth + 1)
        return found

    def text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise CborError("a text is not UTF-8") from error

    def simple(self, info: int) -> Any:
        if info in (25, 26, 27):
            code = {25: ">e", 26: ">f", 27: ">d"}[info]
            return struct.unpack(code, self.take(1 << (info - 24)))[0]
        if info in (20, 21, 22, 23):
            return {20: False, 21: True}.get(info)
        raise CborError("unknown simple value")
