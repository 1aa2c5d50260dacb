"""Every result with every text of it hostile, as the terminal, pages, JSON and reprs show it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from safegen.cli import (
    _audit_view,
    _detect_view,
    _models,
    _moderate_view,
    _policy_view,
    _release,
    _review_view,
    _verify_view,
    comply,
    reproduce,
    screen,
)
from safegen.cli._audit_data import _show as show_texts
from safegen.cli._output import console, print_json, say, show_rows
from safegen.types import Allowed, Held, Refused
from tests.support import results
from tests.support.hostile import HOSTILE, check_output, controls, poison

EVERY = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def _case(text: str) -> None:
    shown = {
        **poison(results.case().to_dict(), text),
        "redacted": False,
        "findings": [{"category": text, "score": text, "detector": text, "reason": text, "at": text}],
        "prompt": text,
        "negative_prompt": text,
        "storyboard": [{"at": text, "prompt": text}],
        "prompt_absent": text,
        "reasons": {"5": text},
        "clip": text,
        "output": {"frames_sha256": text},
        "steps": [{"index": 5, "time": text, "act": text, "reviewer": text, "reason": text}],
    }
    _review_view.print_case(shown)
    _review_view.print_case({**shown, "prompt": None})
    _review_view.print_case({**shown, "output": {"source_sha256": text}})


def _screened(text: str) -> None:
    for kind in (Allowed, Held, Refused):
        screen._show(poison(results.decision(kind), text), text, console(), private=False)


def _models_lists(text: str) -> None:
    row = {"name": text, "licence": text, "summary": text, "here": text, "bytes": 3}
    values = {"a": text, "b": [text, text], "c": [{"d": text}], "e": {"f": text, text: text}, "bytes": 1}
    for line in (*_models.table([row]), *_models.lines(values)):
        say(line)


def _policies(text: str) -> None:
    class Policy:
        name, digest = text, text

    class Change:
        key, before, after = text, text, text

    seen = poison(results.comparison(), text)
    _policy_view.show_diff(Policy(), Policy(), [Change()], seen, 20)  # type: ignore[arg-type,list-item]
    _policy_view.show_standing(text, poison(results.standings(), text))


def _audits(text: str) -> None:
    """The verdict of an audit is one of three words, which its colours are looked up by."""
    done = poison(results.audit_result(), text)
    _audit_view.show(done, plain=False)
    texts = poison(results.text_audit(), text)
    object.__setattr__(texts, "speaking", {text: 30})
    show_texts(texts, False)


VIEWS: dict[str, Callable[[str], None]] = {
    "verify": lambda t: _verify_view.show(poison(results.report(), t), console(), explain=True),
    "verify nothing": lambda t: _verify_view.show(poison(results.bare_report(), t), console(), explain=True),
    "verify unreadable": lambda t: _verify_view.show_item(_unreadable(t), console(), explain=True),
    "detect": lambda t: _detect_view.show(poison(results.detection(), t), console(), per_second=True),
    "moderate": lambda t: _moderate_view.show(_moderated(t), plain=False),
    "moderate failed": lambda t: _moderate_view.show(poison(results.failed_moderation(), t), plain=False),
    "comply": lambda t: comply._show(_compliance(t), console()),
    "release": lambda t: _release.show_release(_released(t), as_json=False, plain=False),
    "variation kept": lambda t: _release.show_variation(poison(results.variation("kept"), t), plain=False),
    "variation failed": lambda t: _release.show_variation(poison(results.variation("failed"), t), plain=True),
    "reproduce": lambda t: reproduce._show(_reproduced(t), plain=False),
    "review": _case,
    "screen": _screened,
    "models": _models_lists,
    "policy": _policies,
    "audit": _audits,
    "rows": lambda t: show_rows({"name": t, "list": [t], "number": 3}, as_json=False),
}


def _unreadable(text: str) -> Any:
    from safegen.verification.html_report import ReportItem

    return ReportItem(Path(text), error=text)


def _moderated(text: str) -> Any:
    from safegen.moderation.batch import FileOutcome

    found = poison(results.moderation(), text)
    return FileOutcome(found.path, moderation=found)


def _compliance(text: str) -> Any:
    """The rule is ours; what was found is not."""
    made = poison(results.compliance(), text)
    object.__setattr__(made, "rule", results.compliance().rule)
    return made


def _released(text: str) -> Any:
    made = poison(results.release(), text)
    object.__setattr__(made, "sidecars", (Path(text + ".tlog-proof"),))
    return made


def _reproduced(text: str) -> Any:
    made = poison(results.reproduction(), text)
    object.__setattr__(made, "release", _released(text))
    return made


REAL = {"verify": ["VERIFIED"], "verify nothing": ["NO_PROVENANCE"]}


@EVERY
@pytest.mark.parametrize("view", VIEWS)
def test_on_the_terminal(view: str, text: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    VIEWS[view](text)
    out, err = capsysbinary.readouterr()
    assert out
    shown = check_output(out, real=REAL.get(view, ()), about=view)
    check_output(err, about=view)
    assert shown.count("\n") < 80, "no text makes lines of its own"


@EVERY
def test_number_of_lines_is_that_of_harmless_texts(
    text: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for view, show in VIEWS.items():
        counts = []
        for value in ("harmless", text):
            show(value)
            out, err = capsysbinary.readouterr()
            counts.append(len((out + err).decode().splitlines()))
        if view != "models":  # a list whose texts have spaces is shown one below the other
            assert counts[0] == counts[1], view


def _pages(text: str) -> Sequence[str]:
    from safegen.audit import html_report as audits
    from safegen.moderation import html_report as moderations
    from safegen.screening.calibration import Calibration, render_reliability_plot
    from safegen.verification import html_report as verdicts

    reports = [poison(results.report(), text), poison(results.bare_report(), text)]
    items = [*(verdicts.ReportItem(r.path, r) for r in reports), _unreadable(text)]
    moderated = [
        moderations.ReportItem(Path(text), poison(results.moderation(), text), ""),
        moderations.ReportItem(Path(text), None, text),
    ]
    return (
        verdicts.render(items, when=text),
        moderations.render(moderated, when=text),
        audits.render(poison(results.audit(), text), poison(results.subject(), text), when=text),
        render_reliability_plot(Calibration(0, 0, 0, 0.0, 0.0, ()), text),
    )


@EVERY
def test_on_pages(text: str) -> None:
    """Nothing hidden, no tag that the template has not, and UTF-8 whatever the texts are."""
    for shown, harmless in zip(_pages(text), _pages("harmless"), strict=True):
        shown.encode("utf-8")
        assert not controls(shown.replace("\n", ""))
        tags = [re.findall(r"<[^>]*?(?=[\s>])", page) for page in (shown, harmless)]
        assert tags[0] == tags[1]


@EVERY
def test_in_json(text: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """What is printed reads back as what was in the result, and shows nothing hidden."""
    for sample, make in results.SAMPLES.items():
        made = poison(make(), text)
        print_json(made.to_dict())
        body = json.loads(check_output(capsysbinary.readouterr().out, about=sample))
        assert body == json.loads(made.to_json()) == json.loads(made.to_json(indent=None))
