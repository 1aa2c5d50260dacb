"""Parts of a text that are encoded: base64, hexadecimal, percent, escapes, HTML entities, tag characters.

Depth, number and size of what is decoded are bounded, so that ten thousand nested escapes cost no more than a
few passes over the text.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

from safegen.detectors.prompt.normalise import View, plain_view

MAX_DEPTH = 3
MAX_PARTS = 8
MAX_BYTES = 64 * 1024

# Single character classes with possessive-like use: no alternation, no nesting, hence linear.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"[0-9A-Fa-f]{16,}")
_SPACED_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,]?){8,}")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")


def decoded_views(text: str, depth: int = 0) -> list[View]:
    """Plain views of what decodes to readable text in *text*; at most MAX_PARTS."""
    out: list[View] = []
    if depth >= MAX_DEPTH:
        return out
    for content, start, end in _candidates(text[:MAX_BYTES]):
        if len(out) >= MAX_PARTS:
            break
        if not content.strip() or content == text[start:end]:
            continue
        inner = plain_view(content)
        out.append(_whole(inner, start, end))
        out += (_whole(v, start, end) for v in decoded_views(content, depth + 1))
    return out[:MAX_PARTS]


def _whole(view: View, start: int, end: int) -> View:
    """*view*, every character of it standing for the encoded range."""
    n = len(view.text)
    return View("decoded", view.text, [start] * n, [end] * n)


def _candidates(text: str) -> Iterator[tuple[str, int, int]]:
    """Decoded content and the range it was found in."""
    if "%" in text:
        yield unquote(text, errors="replace"), 0, len(text)
    if "&" in text and ";" in text:
        yield html.unescape(text), 0, len(text)
    if "\\" in text:
        yield _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), text), 0, len(text)
    hidden = [] if text.isascii() else [
        (i, chr(ord(c) - 0xE0000)) for i, c in enumerate(text) if 0xE0020 <= ord(c) <= 0xE007E
    ]  # fmt: skip
    if hidden:
        yield "".join(c for _, c in hidden), hidden[0][0], hidden[-1][0] + 1
    for pattern in (_SPACED_HEX, _HEX):
        for match in pattern.finditer(text):
            content = _readable(_from_hex(match[0]))
            if content:
                yield content, *match.span()
    for match in _BASE64.finditer(text):
        content = _readable(_from_base64(match[0]))
        if content:
            yield content, *match.span()


def _from_hex(token: str) -> bytes:
    digits = token.replace("0x", "").replace("\\x", "").replace(" ", "").replace(",", "")
    try:
        return binascii.unhexlify(digits[: len(digits) // 2 * 2])
    except ValueError:
        return b""


def _from_base64(token: str) -> bytes:
    body = token.rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) // 4 * 4 + (len(body) % 4 if len(body) % 4 > 1 else 0)]
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""


def _readable(data: bytes) -> str:
    """*data* as text if it reads like text, else empty. Ordinary words that happen to be base64 do not."""
    if len(data) < 4:
        return ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    good = sum(c.isalpha() or c == " " for c in text)
    printable = all(c.isprintable() or c in "\n\t" for c in text)
    return text if printable and good >= 0.7 * len(text) else ""
