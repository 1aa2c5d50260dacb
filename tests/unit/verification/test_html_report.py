"""The HTML report: everything is said, nothing from a file gets out of its place."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.types import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    LedgerEvidence,
    NotChecked,
    Report,
    Verdict,
    WatermarkReading,
    WatermarkSegment,
)
from safegen.verification.html_report import ReportItem, render

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></head><body onload=alert(1)>",
    "javascript:alert(1)",
    "{style}{0}{__class__}",
    "&lt;b&gt;",
    "\u202egpj.exe",
    "\x00\x1b[31m\u200b",
    "'/><svg/onload=alert(1)>",
    "]]><!--",
]
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer"),
    *("h1", "h2", "h3", "p", "strong", "bdi", "a", "ul", "li", "dl", "dt", "dd", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td", "figure", "img", "figcaption", "svg", "rect"),
}


class Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def report(word: str) -> Report:
    segments = tuple(WatermarkSegment(i, i + 1, i != 1, -9.0) for i in range(3))
    manifest = {
        "title": word,
        "assertions": [
            {"label": "org.safegen.generation", "data": {"model": {"name": word, "version": word}}},
            {
                "label": "org.safegen.policy",
                "data": {"policy": {"name": word}, "outcome": word, "checks": [{"name": word}]},
            },
        ],
    }
    credentials = CredentialsEvidence(
        CredentialState.VALID, signer=word, issuer=word, codes=(word,), notes=(word,), manifest=manifest,
        manifest_id=word, reason=word, signed_at=word,
    )  # fmt: skip
    return Report(
        Path(word.replace("\0", "") or "x"),
        "0" * 64,
        Verdict.CONFLICT,
        word,
        (word,),
        credentials,
        watermarks=(WatermarkReading(word, True, 0xABC, -30.0, segments=segments),),
        ledger=LedgerEvidence(True, False, "sidecar", word, 3, {}),
        content=ContentMatch(False, 0.2, 0.9, 0.5, differs=True),
        trusted_by=word,
        not_checked=(NotChecked(word, word),),
    )


def check(page: str) -> Reader:
    """Only our own tags, no handlers, no addresses but anchors and data pictures."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert {tag for tag, _ in reader.tags} <= ALLOWED
    for _, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
        assert (attributes.get("src") or "data:image/").startswith("data:image/")
    return reader


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_strings_stay_text(word: str) -> None:
    items = [ReportItem(Path("a"), report(word)), ReportItem(Path("b"), error=word)]
    page = render(items, when="now")
    check(page)
    assert "<script" not in page and "\u202e" not in page and "\x1b" not in page and "\u200b" not in page


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_string_stays_text(word: str) -> None:
    plain = [tag for tag, _ in check(render([ReportItem(Path("a"), report("x"))], when="now")).tags]
    assert [
        tag for tag, _ in check(render([ReportItem(Path("a"), report("a" + word + "a"))], when="now")).tags
    ] == plain


def test_everything_is_said() -> None:
    item = ReportItem(Path("clip.mp4"), report("WORD"), thumbnail=("image/jpeg", b"\xff\xd8\xffdata"))
    page = render([item], when="2026-11-22")
    reader = check(page)
    for wanted in (
        "CONFLICT",
        "0000000000000abc",
        "0-1 s, 2-3 s",
        "do not match the recorded ones",
        "Not checked",
        "2026-11-22",
    ):
        assert wanted in reader.text
    images = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert images and images[0]["alt"]
    assert "default-src 'none'" in page


def test_it_is_accessible() -> None:
    reader = check(
        render([ReportItem(Path("a"), report("x")), ReportItem(Path("b"), report("y"))], when="now")
    )
    attributes = dict(reader.tags)
    assert attributes["html"]["lang"] == "en"
    assert [tag for tag, _ in reader.tags].count("h1") == 1
    assert all(a.get("role") == "img" and a.get("aria-label") for tag, a in reader.tags if tag == "svg")
    ids = [a["id"] for _, a in reader.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert all(a["aria-labelledby"] in ids for tag, a in reader.tags if tag == "section")
    assert all(a.get("scope") == "col" for tag, a in reader.tags if tag == "th")


def test_every_verdict_renders() -> None:
    for verdict in Verdict:
        assert verdict.name in render(
            [ReportItem(Path("a"), replace(report("x"), verdict=verdict))], when="now"
        )
