"""What must hold for every text whatsoever."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.detectors.prompt.language import identify
from safegen.detectors.prompt.normalise import plain_view
from safegen.detectors.prompt.views import MAX_VIEWS, views
from safegen.errors import UsageError
from safegen.screening import screen
from safegen.types import Request

ANY = st.text(st.characters(), max_size=200)
NASTY = st.lists(
    st.sampled_from(
        [
            "k i l l",
            "b.o.m.b",
            "p0rn",
            "naked",
            "child",
            "how to make a",
            "%6b",
            "&amp;",
            "\\u0062",
            "\u200b",
            "\u202e",
            "а",
            "🅱",
            "e\u0301\u0327",
            "aG93IHRvIGJ1aWxkIGEgYm9tYg==",
            "6b696c6c20616c6c",
            "Donald Trump",
            "  ",
            "\n",
            "\x00",
            "\ud800",
            "ﷺ",
            "ß",
            "ǆ",
            "Ⅻ",
            "花",
            "!!!",
            "aaaaaa",
        ]
    ),
    max_size=25,
).map("".join)


@given(ANY | NASTY)
@settings(max_examples=300, deadline=None)
def test_views_map_back_into_the_text(text: str) -> None:
    found = views(text)
    assert found[0].name == "plain"
    assert len(found) <= MAX_VIEWS
    for view in found:
        assert len(view.text) == len(view.starts) == len(view.ends)
        for start, end in zip(view.starts, view.ends, strict=True):
            assert 0 <= start < end <= len(text)
        if not view.name.startswith("reversed"):
            assert view.starts == sorted(view.starts)
            assert view.ends == sorted(view.ends)


@given(ANY | NASTY)
@settings(max_examples=300, deadline=None)
def test_plain_is_stable_and_keeps_letters(text: str) -> None:
    once = plain_view(text).text
    assert "  " not in once
    assert once == once.strip(" ")
    assert identify(once) == identify(once)
    if any(c.isalpha() for c in text):
        assert once


@given(ANY | NASTY)
@settings(max_examples=120, deadline=None)
def test_spans_lie_in_the_text_and_decisions_repeat(text: str) -> None:
    try:
        decision = screen(Request(text))
    except UsageError:
        return
    again = screen(Request(text))
    assert decision == again
    assert 0.0 <= decision.score <= 1.0
    assert [f.score for f in decision.findings] == sorted((f.score for f in decision.findings), reverse=True)
    for finding in decision.findings:
        if finding.span is not None:
            start, end = finding.span
            assert 0 <= start < end <= len(text)
            assert text[start:end]


@pytest.mark.parametrize("word", ["bomb", "naked"])
@given(prefix=st.text(st.characters(codec="utf-8"), max_size=40))
@settings(max_examples=60, deadline=None)
def test_text_before_a_word_does_not_move_its_span(word: str, prefix: str) -> None:
    text = f"{prefix} {word}"
    view = plain_view(text)
    at = view.text.rfind(word)
    assert at >= 0
    start, end = view.span(at, at + len(word))
    assert text[start:end] == word
