"""What became of a run: a row for each file, and everything that makes the run fail."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.conformance.answers import Answer, agree
from benchmarks.conformance.corpus import Subject
from benchmarks.conformance.reasons import Reason, applies, left_over, reason_for


@dataclass(frozen=True)
class Row:
    """A file, what each reader said, why they differ (the reason on file), and what is wrong with it."""

    subject: Subject
    answers: Mapping[str, Answer]
    why: str = ""
    problems: tuple[str, ...] = ()

    @property
    def differ(self) -> bool:
        """Whether the readers do not agree."""
        return not agree(list(self.answers.values()))


@dataclass(frozen=True)
class Outcome:
    """Every row, and problems that belong to no row."""

    rows: Sequence[Row]
    problems: Sequence[str] = field(default_factory=tuple)

    @property
    def everything_wrong(self) -> list[str]:
        """What makes the run fail, one line each."""
        return [f"{r.subject.name}: {p}" for r in self.rows for p in r.problems] + list(self.problems)

    @property
    def disagreements(self) -> list[Row]:
        """Rows in which the readers differ."""
        return [row for row in self.rows if row.differ]


def judge_row(
    subject: Subject, answers: Mapping[str, Answer], steady: bool, reasons: Sequence[Reason]
) -> Row:
    """One file's row: the answers against each other, against the reasons, and against what is known."""
    problems = []
    reason = reason_for(subject.name, reasons)
    if not agree(list(answers.values())):
        if reason is None:
            problems.append("the readers differ, and no reason is on file")
        elif not applies(reason, answers):
            said = ", ".join(f"{tool} {text}" for tool, text in reason.said.items())
            problems.append(f"the reason on file is about other answers ({said})")
    if not steady:
        problems.append("safegen's verdict is not the same each time")
    if subject.expected is not None and str(answers["safegen"]) != subject.expected:
        problems.append(f"safegen says {answers['safegen']}, and {subject.expected} is right")
    return Row(subject, answers, "" if reason is None else reason.why, tuple(problems))


def conclude(rows: Sequence[Row], reasons: Sequence[Reason], more: Sequence[str] = ()) -> Outcome:
    """The outcome of *rows*; reasons that nothing needs any more are problems, and so are *more*."""
    used = {row.subject.name for row in rows if row.differ}
    looked_at = {row.subject.name.partition("/")[0] for row in rows}
    stale = [
        f"{name}: a reason is on file, and nobody disagrees" for name in left_over(reasons, used, looked_at)
    ]
    return Outcome(rows, [*stale, *more])


def as_text(outcome: Outcome) -> str:
    """The disagreements as a table for the terminal, then what is wrong, then a line of figures."""
    lines = []
    rows = [row for row in outcome.rows if row.differ or row.problems]
    if rows:
        tools = list(rows[0].answers)
        table = [
            ["file", *tools],
            *([_shown(r.subject.name), *(str(r.answers[t]) for t in tools)] for r in rows),
        ]
        widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
        for number, line in enumerate(table):
            lines.append(
                "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            )
            if number and rows[number - 1].why:
                lines.append(f"    {rows[number - 1].why}")
        lines.append("")
    lines += [f"WRONG  {_shown(line)}" for line in outcome.everything_wrong]
    lines.append(summary(outcome))
    return "\n".join(lines)


def summary(outcome: Outcome) -> str:
    """How many files, disagreements and problems."""
    return (
        f"{len(outcome.rows)} files, {len(outcome.disagreements)} disagreements, "
        f"{len(outcome.everything_wrong)} problems"
    )


def _shown(text: str) -> str:
    """*text* on one line, whatever a file is called."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Everything, ``safegen.conformance/1``."""
    return {
        "schema": "safegen.conformance/1",
        "files": len(outcome.rows),
        "disagreements": len(outcome.disagreements),
        "problems": outcome.everything_wrong,
        "rows": [
            {
                "file": row.subject.name,
                "answers": {
                    tool: {"says": str(answer), "detail": answer.detail}
                    for tool, answer in row.answers.items()
                },
                "expected": row.subject.expected,
                "differ": row.differ,
                "why": row.why or None,
                "problems": list(row.problems),
            }
            for row in outcome.rows
        ],
    }


def as_html(outcome: Outcome) -> str:
    """One page without scripts or outside resources; disagreements first."""
    rows = sorted(outcome.rows, key=lambda row: (not row.problems, not row.differ))
    tools = list(rows[0].answers) if rows else []
    head = "".join(f"<th>{html.escape(tool)}</th>" for tool in tools)
    body = "\n".join(_html_row(row, tools) for row in rows)
    wrong = "".join(f"<li>{html.escape(_shown(line))}</li>" for line in outcome.everything_wrong)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Credentials, three readers side by side</title>
<style>
body {{ font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 72em; color: #222; background: #fff }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border: 1px solid #aaa; padding: .3em .5em; text-align: left; vertical-align: top }}
tr.differ {{ background: #fff4d6 }} tr.wrong {{ background: #fbdada }} small {{ color: #444 }}
</style>
<h1>Credentials, three readers side by side</h1>
<p>{html.escape(summary(outcome))}</p>
<ul>{wrong}</ul>
<table><tr><th>file</th>{head}<th>why they differ</th></tr>
{body}
</table></html>
"""


def _html_row(row: Row, tools: Sequence[str]) -> str:
    kind = "wrong" if row.problems else "differ" if row.differ else "same"
    cells = "".join(
        f"<td>{html.escape(str(row.answers[t]))}<br><small>{html.escape(_shown(row.answers[t].detail))}</small></td>"
        for t in tools
    )
    words = html.escape(_shown(" ".join([row.why, *row.problems]).strip()))
    return f'<tr class="{kind}"><td>{html.escape(_shown(row.subject.name))}</td>{cells}<td>{words}</td></tr>'
