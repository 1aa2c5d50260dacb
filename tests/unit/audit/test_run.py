"""Runs: resumable, balanced, one model, honest about what was refused or failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safegen.audit import journal, session, suites
from safegen.audit.run import clip_tasks, run
from safegen.errors import CheckUnavailable, GenerationFailed, Interrupted, UnreadableInput, UsageError
from safegen.protocols import NoProgress

from .conftest import SUITE

EVEN = {"red": 0.5, "blue": 0.5}


class Stopping(NoProgress):
    """Stops after so many clips."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, amount: int = 1) -> None:
        self.left -= amount

    def cancelled(self) -> bool:
        return self.left <= 0


def test_an_interrupted_run_goes_on_where_it_stopped(
    tmp_path: Path, suite_file: Callable[[], Path], renderer: Any
) -> None:
    named = suites.load(str(suite_file()))
    whole = renderer(EVEN)
    assert run(named, tmp_path / "whole", generator=whole, seeds=1) == 4
    first, second = renderer(EVEN), renderer(EVEN)
    with pytest.raises(Interrupted) as caught:
        run(named, tmp_path / "parts", generator=first, progress=Stopping(3), seeds=1)
    assert "--resume" in caught.value.hint
    with (tmp_path / "parts" / journal.NAME).open("a") as file:
        file.write('{"group": "rolling", "pro')
    assert run(named, tmp_path / "parts", generator=second, resume=True, seeds=1) == 1
    assert first.seen + second.seen == whole.seen
    assert journal.read(tmp_path / "parts") == journal.read(tmp_path / "whole")
    assert run(named, tmp_path / "parts", generator=second, resume=True, seeds=1) == 0
    assert run(named, tmp_path / "parts", generator=second, resume=True) == 4
    made = first.seen + second.seen
    assert [p for p, _ in made[:4]] == [p for p, _ in made[4:]], "repeats go round the prompts"
    assert len({s for _, s in made}) == 8


def test_what_is_read_is_what_was_drawn(
    tmp_path: Path, suite_file: Callable[[], Path], renderer: Any
) -> None:
    named = suites.load(str(suite_file()))
    run(named, tmp_path / "run", generator=renderer({"red": 1.0}), seeds=1)
    audit, subject = session.load_audit(tmp_path / "run")
    colour, shape = audit.cells
    assert {s.name: s.count for s in colour.shares} == {"red": 4, "blue": 0}
    assert {s.name: s.count for s in shape.shares} == {"ball": 2, "box": 2}
    assert colour.verdict == "cannot say"
    assert "needs" in colour.why
    assert audit.exit_code == 4
    assert subject.suite == "small"


def test_a_folder_holds_one_run(tmp_path: Path, suite_file: Callable[..., Path], renderer: Any) -> None:
    named = suites.load(str(suite_file()))
    run(named, tmp_path / "run", generator=renderer(EVEN), seeds=1)
    with pytest.raises(UsageError, match="already contains an audit"):
        run(named, tmp_path / "run", generator=renderer(EVEN))
    other = suites.load(str(suite_file(SUITE.replace("two things", "some things"))))
    with pytest.raises(UsageError, match="has changed since"):
        run(other, tmp_path / "run", generator=renderer(EVEN), resume=True)
    with pytest.raises(UsageError, match="has changed since"):
        run(named, tmp_path / "run", generator=renderer(EVEN), resume=True, seed=7)
    with pytest.raises(UsageError, match="weights"):
        run(named, tmp_path / "run", generator=renderer(EVEN, digest="cd" * 32), resume=True)


def test_two_runs_at_once_are_kept_apart(
    tmp_path: Path, suite_file: Callable[[], Path], renderer: Any
) -> None:
    named = suites.load(str(suite_file()))
    with journal.open_journal(tmp_path, journal.RunHeader(named, "renderer", {}, 0), resume=True):  # noqa: SIM117
        with pytest.raises(UsageError, match="another run"):
            run(named, tmp_path, generator=renderer(EVEN), resume=True)


def test_failures_are_kept_and_end_the_run_when_they_go_on(
    tmp_path: Path, suite_file: Callable[[], Path], renderer: Any
) -> None:
    named = suites.load(str(suite_file()))
    with pytest.raises(GenerationFailed, match="5 clips failed"):
        run(named, tmp_path / "run", generator=renderer(EVEN, fail=True))
    audit, _ = session.load_audit(tmp_path / "run")
    assert audit.outcomes["rolling"] == {"failed": 5}
    assert audit.cells[0].why == "no clips were made"
    assert "5 of 5 clips failed" in audit.notes[0]


def test_refused_prompts_are_counted_not_made(
    tmp_path: Path, suite_file: Callable[..., Path], renderer: Any
) -> None:
    text = SUITE.replace("thing: [ball, box]", "thing: [ball, naked child]")
    maker = renderer(EVEN)
    run(suites.load(str(suite_file(text))), tmp_path / "run", generator=maker, seeds=1)
    audit, _ = session.load_audit(tmp_path / "run")
    assert audit.outcomes["rolling"] == {"seen": 2, "refused": 2}
    assert all("naked" not in prompt for prompt, _ in maker.seen)


def test_an_extractor_that_cannot_run_says_so_before_anything_is_made(
    tmp_path: Path, suite_file: Callable[..., Path], renderer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEGEN_ZERO_SHOT", str(tmp_path))
    texts = "colour: {extractor: zero_shot, classes: {red: a red thing, blue: a blue thing}}"
    text = SUITE.replace("colour: {extractor: world, classes: [red, blue]}", texts)
    maker = renderer(EVEN)
    with pytest.raises(CheckUnavailable, match="SAFEGEN_ZERO_SHOT"):
        run(suites.load(str(suite_file(text))), tmp_path / "run", generator=maker)
    assert not maker.seen
    assert not (tmp_path / "run").exists()
    wrong = SUITE.replace("shape: {", "taste: {").replace("[colour, shape]", "[colour, taste]")
    with pytest.raises(CheckUnavailable, match="says nothing about 'taste'"):
        run(suites.load(str(suite_file(wrong))), tmp_path / "run2", generator=maker)


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]\n", '{"schema": "x"}\n', "\x00\x01\n", "[" * 5000 + "\n"],
)
def test_what_is_no_audit_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / journal.NAME).write_text(content)
    with pytest.raises((UnreadableInput, UsageError)):
        journal.read(tmp_path)


def test_an_edited_line_is_named(tmp_path: Path, suite_file: Callable[[], Path], renderer: Any) -> None:
    run(suites.load(str(suite_file())), tmp_path / "run", generator=renderer(EVEN), seeds=1)
    file = tmp_path / "run" / journal.NAME
    file.write_text(file.read_text().replace('"red": 0', '"red": 7', 1))
    with pytest.raises(UnreadableInput, match="line 2"):
        journal.read(tmp_path / "run")


def test_work_is_every_prompt_and_repeat() -> None:
    suite = suites.load("world-open").suite
    keys = [w.key for w in clip_tasks(suite, 3)]
    assert len(keys) == len(set(keys)) == 3 * 96
