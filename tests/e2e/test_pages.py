"""Reports as a browser lays them out, on a wide screen, a narrow one and a phone: words stay whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from safegen.audit import html_report as audit_page
from safegen.moderation import html_report as moderation_page
from safegen.moderation.gate import RuledFinding
from safegen.types import Action, Finding
from safegen.verification import html_report as verify_page
from tests.e2e import browser
from tests.support import results

WIDTHS = (1280, 640, 360)
BROKEN = """
[...document.querySelectorAll('h1, h2, h3, h4, th, td, p, li')].flatMap(cell => {
  const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), broken = [];
  for (let text; text = walk.nextNode();)
    for (const word of text.data.matchAll(/[^\\s-]+/g)) {
      if (word[0].length > 24) continue;
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1) broken.push(word[0]);
    }
  return broken;
})
"""
"""Words of at most 24 letters that stand on more than one line."""


def moderated() -> str:
    shown = results.moderation()
    reasons = ("flashes more than three times a second over 100% of the visual field", "w" * 90)
    findings = [
        RuledFinding(Finding(category, 1.0, check, reason, threshold=0.5, time=time), action)
        for category, check, time, action in (
            ("flash_general", "flash", 0.7, Action.BLOCK),
            ("misinformation_political", "shieldgemma", 1.5, Action.PIXELATE),
        )
        for reason in reasons
    ]
    shown = replace(shown, gate=replace(shown.gate, findings=tuple(findings)))
    return moderation_page.render([moderation_page.ReportItem(shown.path, shown)], when="2026-01-02")


def verified() -> str:
    items = [verify_page.ReportItem(r.path, r) for r in (results.report(), results.bare_report())]
    return verify_page.render(items, when="2026-01-02")


def audited() -> str:
    return audit_page.table(
        "Shares", ("Attribute", "Share", "Interval"), [("gender_presentation", 0.5, "0.4")]
    )


@pytest.mark.slow
@pytest.mark.skipif(browser.PROGRAM is None, reason="there is no Chromium")
@pytest.mark.parametrize("page", [moderated, verified])
def test_words_stay_whole_and_nothing_is_wider_than_the_page(page: Callable[[], str], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(), encoding="utf-8")
    with browser.served(tmp_path) as address, browser.browser() as tab:
        for width in WIDTHS:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            tab.call("Emulation.setDeviceMetricsOverride", **size)
            tab.call("Page.navigate", url=f"{address}/page.html")
            tab.until(f"document.readyState === 'complete' && innerWidth === {width} && document.title", 300)
            assert tab.evaluate(BROKEN) == [], width
            assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("page", [moderated, audited])
def test_every_table_can_scroll_and_is_named(page: Callable[[], str]) -> None:
    html = page()
    assert (
        html.count("<table") == html.count('<div class="scroll" tabindex="0" role="group" aria-label="') > 0
    )
