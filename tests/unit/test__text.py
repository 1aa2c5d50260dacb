"""Text from elsewhere: one line, nothing hidden, and JSON that reads back the same."""

from __future__ import annotations

import json
import logging
import os
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safegen._text import LIMIT, is_hidden, one_line, own_text, to_json
from safegen._util.html import escape
from safegen._util.logs import logger
from safegen.errors import SafegenError, UsageError
from tests.support.hostile import HOSTILE, controls

ANY = st.text(st.characters(codec=None), max_size=40)
"""Any code points, lone surrogates among them."""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_value_is_one_line(text: str) -> None:
    for shown in (one_line(text), escape(text), str(UsageError(text)), UsageError("x", hint=text).hint):
        assert not controls(shown) and len(shown.splitlines()) <= 1
        shown.encode("utf-8")
    assert len(one_line(text, 10)) <= 10 * len("\\U000e0001")


@given(ANY)
def test_no_character_gets_through(text: str) -> None:
    shown = one_line(text)
    assert not controls(shown)
    assert one_line(shown) == shown, "twice is once"
    assert len(shown.splitlines()) <= 1


def test_what_is_hidden() -> None:
    """Of all code points: whatever Python would not print, but for spaces, and letters drawn as nothing."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if character.isprintable() or unicodedata.category(character) == "Zs":
            assert is_hidden(character) == (character in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
        else:
            assert is_hidden(character), f"U+{code:04X}"


def test_ordinary_text_is_left_alone() -> None:
    for text in ("Zoë & 東京 [bold]x[/bold] 100 % ½", "", " a  b ", "C:\\new\\text"):
        assert one_line(text) == text == own_text(text)
    assert one_line(None) == "None"
    assert one_line("x" * LIMIT) == "x" * LIMIT
    assert one_line("x" * (LIMIT + 1)) == "x" * (LIMIT - 1) + "…"
    assert one_line("\U000e0001\x07") == "\\U000e0001\\u0007"


def test_our_own_lines_stay() -> None:
    assert own_text("a\nb\n\nc\n") == "a\nb\n\nc\n"
    assert own_text("a\r\n\x1b[2Jb\u2028c") == "a\\u000d\n\\u001b[2Jb\\u2028c"


@given(st.recursive(ANY | st.none() | st.integers(), lambda v: st.lists(v) | st.dictionaries(ANY, v)))
def test_json_hides_nothing_and_reads_back(value: object) -> None:
    for text in (to_json(value), to_json(value, indent=2), to_json(value, ascii_only=True)):
        text.encode("utf-8")
        assert not controls(text.replace("\n", ""))
        assert json.loads(text) == value
    assert "\n" not in to_json(value)


def test_a_name_that_is_not_utf8_comes_back_from_json() -> None:
    name = b"clip-\xff\xfe\n.mp4"
    shown = to_json({"path": os.fsdecode(name)})
    assert shown == '{"path": "clip-\\udcff\\udcfe\\n.mp4"}'
    assert os.fsencode(json.loads(shown)["path"]) == name


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whoever_listens_to_the_logs_gets_lines(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """An application's own handler, too: the values are escaped before any handler sees them."""
    log = logger("safegen.test__text")
    with caplog.at_level(logging.INFO, "safegen"):
        log.info(
            "asked %(host)s %(error)s %(count)d", {"host": text, "error": SafegenError(text), "count": 3}
        )
        log.info("nothing to fill in")
    first, second = caplog.messages
    assert not controls(first) and first.endswith(" 3") and second == "nothing to fill in"
