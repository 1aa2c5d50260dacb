"""Pages hold what files say, so nothing in them may be more than text."""

from __future__ import annotations

import pytest

from safegen._text import LIMIT
from safegen._util.html import escape, render_page


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<script>alert('x')</script>", "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;"),
        ('" onload="x', "&quot; onload=&quot;x"),
        ("gpj.\u202egnp", "gpj.\\u202egnp"),
        ("a\u200bb\x00c\u2028d", "a\\u200bb\\u0000c\\u2028d"),
        ("Zoë & 東京", "Zoë &amp; 東京"),
        (17, "17"),
    ],
)
def test_text_is_text(raw: object, shown: str) -> None:
    assert escape(raw) == shown


def test_long_text_is_cut() -> None:
    assert escape("x" * LIMIT) == "x" * LIMIT
    assert escape("x" * (LIMIT + 1)) == "x" * (LIMIT - 1) + "…"


def test_a_page_stands_alone() -> None:
    page = render_page("<b>", "<p>body</p>", "<a>foot</a>", about="a & b", style="p { color: red; }")
    assert page.startswith("<!doctype html>") and '<html lang="en">' in page
    assert "<title>&lt;b&gt;</title>" in page and "<p>a &amp; b</p>" in page
    assert "<p>body</p>" in page and "<a>foot</a>" in page and "p { color: red; }" in page
    assert "default-src 'none'" in page and "<script" not in page and "http-equiv" in page
    assert "src=" not in page.replace("img-src", ""), "nothing is fetched"
