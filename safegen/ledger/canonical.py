"""Canonical JSON (RFC 8785) and the leaf of the tree.

A leaf is the canonical JSON of ``{"commitment", "kind", "public", "time", "v"}``. The commitment is
HMAC-SHA-256(salt, canonical private part) in hex with 32 random bytes of salt for every entry, so that
nobody can guess a prompt from it, and deleting salt and private part later leaves the tree whole.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Any, get_args

from safegen.errors import UsageError
from safegen.ledger.records import Kind
from safegen.types import Json

VERSION = 1
SALT_BYTES = 32
MAX_LEAF = 256 * 1024
"""Bytes of the largest leaf that is written or accepted."""
KINDS: frozenset[str] = frozenset(get_args(Kind))

_SAFE_INTEGER = 2**53 - 1
_MAX_DEPTH = 64
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_COMMITMENT = re.compile(r"[0-9a-f]{64}")


class NotCanonical(ValueError):
    """Bytes that are not the canonical JSON of a leaf, or a value that has no canonical JSON."""


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of *value*: str, bool, None, int within +-(2**53 - 1), finite float, list, tuple, dict.

    Raises NotCanonical for anything else: larger integers (write them as strings), NaN, lone
    surrogates, keys that are not str, more than 64 levels.
    """
    parts: list[str] = []
    _write(value, parts, 0)
    try:
        return "".join(parts).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a string contains an unpaired surrogate") from error


def _write(value: Any, out: list[str], depth: int) -> None:
    """Append the canonical text of *value*."""
    if depth > _MAX_DEPTH:
        raise NotCanonical("more than 64 levels of nesting")
    if value is None or isinstance(value, bool):
        out.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        out.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, int):
        if abs(value) > _SAFE_INTEGER:
            raise NotCanonical(f"{value} is beyond 2**53: write it as a string")
        out.append(str(value))
    elif isinstance(value, float):
        out.append(_number(value))
    elif isinstance(value, dict):
        _write_object(value, out, depth)
    elif isinstance(value, list | tuple):
        out.append("[")
        for i, item in enumerate(value):
            out.append("," if i else "")
            _write(item, out, depth + 1)
        out.append("]")
    else:
        raise NotCanonical(f"{type(value).__name__} has no JSON form")


def _write_object(value: dict[Any, Any], out: list[str], depth: int) -> None:
    """An object, its keys in the order of their UTF-16 code units (RFC 8785 section 3.2.3)."""
    if not all(isinstance(key, str) for key in value):
        raise NotCanonical("a key is not a string")
    out.append("{")
    for i, key in enumerate(sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))):
        out.append(("," if i else "") + json.dumps(key, ensure_ascii=False) + ":")
        _write(value[key], out, depth + 1)
    out.append("}")


def _number(value: float) -> str:
    """A float as ECMAScript prints it (RFC 8785 section 3.2.2.3); Python finds the same shortest digits."""
    if value != value or value in (float("inf"), float("-inf")):
        raise NotCanonical("NaN and infinity have no JSON form")
    if _SAFE_INTEGER < abs(value) < 1e21:
        raise NotCanonical(f"{value} would be read back as an integer beyond 2**53")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, exponent = f"{abs(value)!r}e0".split("e")[:2]
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent)
    digits = whole + fraction
    point -= len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"


def parse(data: bytes) -> Any:
    """The value of canonical JSON *data*. Raises NotCanonical when any byte could be different."""
    if len(data) > MAX_LEAF:
        raise NotCanonical(f"more than {MAX_LEAF} bytes")
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise NotCanonical("not JSON") from error
    if canonical(value) != data:
        raise NotCanonical("not in canonical form")
    return value


def timestamp(moment: datetime) -> str:
    """*moment* (aware) as RFC 3339 in UTC with milliseconds. Raises UsageError for a naive one."""
    if moment.tzinfo is None:
        raise UsageError("the ledger's clock returned a time without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def commitment(salt: bytes, private: bytes) -> str:
    """HMAC-SHA-256 under *salt* of the canonical private part, hex."""
    return hmac.new(salt, private, hashlib.sha256).hexdigest()


def make_leaf(kind: Kind, time: str, public: Json, committed: str) -> bytes:
    """The leaf's bytes. Raises UsageError for an unknown kind, a value without JSON form, or over 256 KiB."""
    if kind not in KINDS:
        raise UsageError(f"unknown kind of entry {kind!r}", hint=f"known: {', '.join(sorted(KINDS))}")
    try:
        leaf = canonical(
            {"v": VERSION, "kind": kind, "time": time, "public": public, "commitment": committed}
        )
    except NotCanonical as error:
        raise UsageError(f"the entry cannot be recorded: {error}") from error
    if len(leaf) > MAX_LEAF:
        raise UsageError(f"the entry has {len(leaf)} bytes; the ledger accepts at most {MAX_LEAF}")
    return leaf


def parse_leaf(data: bytes) -> Json:
    """The object of a leaf, its five members checked. Raises NotCanonical."""
    value = parse(data)
    if not isinstance(value, dict) or set(value) != {"v", "kind", "time", "public", "commitment"}:
        raise NotCanonical("not a ledger entry")
    if value["v"] != VERSION or isinstance(value["v"], bool):
        raise NotCanonical(f"an entry of version {value['v']!r}; this safegen supports version {VERSION}")
    if not isinstance(value["kind"], str) or value["kind"] not in KINDS:
        raise NotCanonical("an entry of unknown kind")
    if not isinstance(value["time"], str) or not _TIME.fullmatch(value["time"]):
        raise NotCanonical("an entry without a time")
    if not isinstance(value["commitment"], str) or not _COMMITMENT.fullmatch(value["commitment"]):
        raise NotCanonical("an entry without a commitment")
    if not isinstance(value["public"], dict):
        raise NotCanonical("an entry without a public part")
    return value
