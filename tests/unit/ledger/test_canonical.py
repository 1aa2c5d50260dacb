"""Canonical JSON (RFC 8785) and the leaf's form."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest

from safegen.errors import UsageError
from safegen.ledger.canonical import (
    MAX_LEAF,
    NotCanonical,
    canonical,
    commitment,
    make_leaf,
    parse,
    parse_leaf,
    timestamp,
)

# RFC 8785 appendix B, less the integers beyond 2**53 that the ledger refuses.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize("bits", NUMBERS)
def test_numbers(bits: str) -> None:
    value = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert canonical(value).decode() == NUMBERS[bits]
    assert json.loads(NUMBERS[bits]) == value


def test_rfc_8785_example() -> None:
    value = {
        "numbers": [333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f",
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(value).decode() == expected


def test_keys_are_sorted_by_utf_16() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    order = list(json.loads(canonical(dict.fromkeys(keys, 0))))
    assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, -(2**53), 1e17, b"x", {1: 2}, "\ud800", {"\ud800": 1}, object()],
)
def test_values_without_canonical_form(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


def test_depth_is_limited() -> None:
    value: list[object] = []
    for _ in range(100):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical(value)
    with pytest.raises(NotCanonical):
        parse(b"[" * 100_000)


@pytest.mark.parametrize(
    "data",
    [
        b"{} ",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b"1.0",
        b"1e2",
        b'"\\u0041"',
        b"NaN",
        b"\xff",
        b"",
        b"9" * 5000,
    ],
)
def test_only_one_form_is_read(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse(data)


def test_timestamp() -> None:
    moment = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-05-06T05:08:09.123Z"
    with pytest.raises(UsageError):
        timestamp(datetime(2026, 5, 6))


def test_leaf_round_trip() -> None:
    leaf = make_leaf(
        "audit", timestamp(datetime(2026, 1, 1, tzinfo=UTC)), {"n": 1.5}, commitment(b"s", b"null")
    )
    assert parse_leaf(leaf)["public"] == {"n": 1.5}


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"kind": "party"},
        {"kind": 1},
        {"time": "yesterday"},
        {"commitment": "00"},
        {"public": []},
        {"more": 1},
    ],
)
def test_wrong_leaves(change: dict[str, object]) -> None:
    leaf = {"v": 1, "kind": "audit", "time": "2026-01-01T00:00:00.000Z", "public": {}, "commitment": "0" * 64}
    parse_leaf(canonical(leaf))
    with pytest.raises(NotCanonical):
        parse_leaf(canonical(leaf | change))


def test_unrecordable() -> None:
    with pytest.raises(UsageError, match="unknown kind"):
        make_leaf("party", "", {}, "")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="bytes"):
        make_leaf("audit", "", {"x": "y" * MAX_LEAF}, "")
    with pytest.raises(UsageError, match="recorded"):
        make_leaf("audit", "", {"x": float("nan")}, "")
