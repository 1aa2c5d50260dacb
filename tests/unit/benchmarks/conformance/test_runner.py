"""The corpus runner: what makes it fail, and that nothing is passed over in silence."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from benchmarks.conformance import corpus, expected, outcome, reasons
from benchmarks.conformance.answers import Answer, Content, agree
from benchmarks.conformance.asking import Readers
from benchmarks.conformance.corpus import Subject
from benchmarks.conformance.tools import TOOLS

YES, TRUSTED = Answer(Content.INTACT), Answer(Content.INTACT, trusted=True)
NO, SILENT = Answer(Content.ALTERED), Answer(Content.ABSTAINS)
WHY = "one two three four five six seven eight nine"


def subject(name: str = "ours/x", **more: str) -> Subject:
    return Subject(name, Path("x"), **more)


def reason(files: tuple[str, ...] = ("ours/x",), **said: str) -> reasons.Reason:
    return reasons.Reason(files, {"a": "intact", "safegen": "altered"} | said, WHY)


@pytest.mark.parametrize(
    ("answers", "same"),
    [
        ([YES, YES, YES], True),
        ([YES, SILENT, YES], True),
        ([YES, TRUSTED, YES], False),
        ([YES, NO, YES], False),
        ([NO, Answer(Content.ALTERED, trusted=True)], True),
        ([Answer(Content.LATE), Answer(Content.LATE)], False),
        ([SILENT, SILENT], True),
    ],
)
def test_who_agrees(answers: list[Answer], same: bool) -> None:
    assert agree(answers) is same


def test_a_disagreement_needs_a_reason_about_these_answers() -> None:
    answers = {"a": YES, "safegen": NO}
    bare = outcome.judge_row(subject(), answers, True, ())
    assert "no reason is on file" in bare.problems[0]
    assert not outcome.judge_row(subject(), answers, True, [reason()]).problems
    other = outcome.judge_row(subject(), answers, True, [reason(a="none")])
    assert "about other answers (a none, safegen altered)" in other.problems[0]


def test_a_reason_that_nothing_needs_is_a_problem() -> None:
    row = outcome.judge_row(subject(), {"a": YES, "safegen": YES}, True, [reason()])
    found = outcome.conclude([row], [reason()])
    assert found.everything_wrong == ["ours/x: a reason is on file, and nobody disagrees"]
    gone = outcome.conclude([row], [reason(("ours/gone",))])
    assert gone.everything_wrong == ["ours/gone: a reason is on file, and nobody disagrees"]
    elsewhere = outcome.conclude([row], [reason(("another/x",))])
    assert not elsewhere.everything_wrong, "that collection was not looked at"


def test_a_known_answer_and_a_steady_one() -> None:
    row = outcome.judge_row(subject(expected="intact"), {"safegen": NO}, False, ())
    assert len(row.problems) == 2
    assert "not the same each time" in row.problems[0] and "intact is right" in row.problems[1]


def test_reasons_are_read_strictly(tmp_path: Path) -> None:
    file = tmp_path / "reasons.toml"
    good = f'[[reason]]\nfiles = ["a/b"]\nsafegen = "none"\nwhy = "{WHY}"\n'
    file.write_text(good)
    assert reasons.load_reasons(file, ["safegen"])[0].said == {"safegen": "none"}
    for bad in (good + good, good.replace(WHY, "because")):
        file.write_text(bad)
        with pytest.raises(ValueError, match="a/b"):
            reasons.load_reasons(file, ["safegen"])
    file.write_text(good)
    with pytest.raises(KeyError):
        reasons.load_reasons(file, ["safegen", "c2pa"])


def test_the_shipped_reasons_can_be_read() -> None:
    assert reasons.load_reasons(reasons.SHIPPED, list(TOOLS))


def test_shown_text_is_one_line_and_escaped() -> None:
    """A file may be called anything."""
    hostile = subject("x/<b>\nVERIFIED")
    found = outcome.conclude([outcome.judge_row(hostile, {"safegen": NO, "c2pa": YES}, True, ())], ())
    assert not any(line.startswith("VERIFIED") for line in outcome.as_text(found).splitlines())
    assert "<b>" not in outcome.as_html(found) and "&lt;b&gt;" in outcome.as_html(found)
    document = json.loads(json.dumps(outcome.as_json(found)))
    assert (document["files"], document["disagreements"], len(document["problems"])) == (1, 1, 1)


# --- asking


def says(subject: Subject) -> Answer:
    return TRUSTED if subject.anchors else YES


def sleeps(subject: Subject) -> Answer:
    time.sleep(300)
    return YES


def breaks(subject: Subject) -> Answer:
    raise RuntimeError("no")


def test_a_reader_that_takes_too_long_or_breaks_has_not_answered() -> None:
    with Readers(1.0, {"safegen": says, "slow": sleeps, "broken": breaks}) as readers:
        assert readers.ask("slow", subject()).content is Content.LATE
        readers.limit_s = 300.0
        assert readers.ask("safegen", subject()) == YES, "asked anew in a fresh process"
        assert readers.ask("safegen", subject(anchors="x")) == TRUSTED
        found = readers.ask("broken", subject())
        assert (found.content, found.detail) == (Content.LATE, "RuntimeError: no")


# --- which files


def test_the_anchors_beside_a_file(tmp_path: Path) -> None:
    for name in (
        "a.root.pem",
        "nord_root_v1.pem",
        "nord_root_shared.pem",
        "a.jpg",
        "x_v1.jpg",
        "shared_v2.jpg",
    ):
        (tmp_path / name).write_text(f"[{name}]")
    (tmp_path / ".hidden.jpg").write_text("x")
    found = {s.name: (s.anchors, s.tsa_anchors) for s in corpus.folder_files(tmp_path, "t")}
    assert found == {
        "t/a.jpg": ("[a.root.pem]", ""),
        "t/x_v1.jpg": ("[nord_root_v1.pem]", ""),
        "t/shared_v2.jpg": ("[nord_root_shared.pem]", "[nord_root_shared.pem]"),
    }


def test_cases_that_are_not_understood_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data/cases"
    folder.mkdir(parents=True)
    row = {"file": "x.jpg", "command": "safegen verify FILE", "expected": "as it should be"}
    for changed in (row, {**row, "command": "cp FILE b; safegen verify b"}):
        (folder / "expected.json").write_text(json.dumps({"cases": [changed]}))
        with pytest.raises(ValueError, match=r"expected\.json"):
            list(expected.check_cases(tmp_path))


def test_every_case_about_verify_is_looked_at(shared: Path) -> None:
    rows = json.loads((shared / "data/cases/expected.json").read_text())["cases"]
    about = [r for r in rows if "file" in r and "safegen verify" in str(r.get("command"))]
    looked = [
        r for r in about if r["command"].startswith(expected.VERIFY) or r["command"] == expected.PROTECT_FIRST
    ]
    passed = [r["file"] for r in about if r not in looked]
    assert len(looked) >= 3 and passed == ["avchd.MTS"], "which is about folders"
