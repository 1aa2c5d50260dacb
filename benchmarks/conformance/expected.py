"""The right answers that come with the cases (``expected.json``), where they are about ``verify``."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.conformance.corpus import CASES_AT

VERIFY, PROTECT_FIRST = "safegen verify", "safegen protect FILE -o p.mp4; safegen verify FILE"


def check_cases(shared: Path) -> Iterator[str]:
    """Every case about ``verify`` whose answer is not the expected one, in a sentence.

    Raises ValueError on a row that is about ``verify`` and is not understood: none is passed over in silence.
    """
    folder = shared / "data/cases"
    for row in json.loads((folder / "expected.json").read_text(encoding="utf-8"))["cases"]:
        command = str(row.get("command", ""))
        if "file" not in row or "verify" not in command or command.endswith("verify FOLDER"):
            continue
        if command == PROTECT_FIRST:
            yield from _after_protect(folder / row["file"], row)
        elif command.startswith(VERIFY):
            yield from _verdicts(folder, row)
        else:
            raise ValueError(f"expected.json: {command!r} is not understood")


def _verdicts(folder: Path, row: dict[str, Any]) -> Iterator[str]:
    """``VERDICT (code); with --trust FILE VERDICT (code)``."""
    from safegen import Verdict, verify

    text = str(row["expected"])
    wanted: list[tuple[list[Path], str]] = []
    names = "|".join(v.name for v in Verdict)
    if (plain := re.match(rf"({names})\b", text)) is None:
        raise ValueError(f"expected.json: {text!r} names no verdict")
    wanted.append(([], plain[1]))
    for trusted in re.finditer(rf"with --trust (\S+) ({names})\b", text):
        wanted.append(([folder / trusted[1]], trusted[2]))
    at = datetime.fromisoformat(CASES_AT)
    for trust, verdict in wanted:
        with tempfile.TemporaryDirectory() as work:
            report = verify(
                folder / row["file"], workspace=Path(work) / "w", trust=trust, watermark=False, at=at
            )
        if report.verdict.name != verdict:
            pinned = f" with {trust[0].name}" if trust else ""
            yield f"cases/{row['file']}{pinned}: {report.verdict.name}, and {verdict} is right"


def _after_protect(path: Path, row: dict[str, Any]) -> Iterator[str]:
    """The source of a release is not called stripped."""
    import safegen

    quoted = re.search(r"not '([^']+)'", str(row["expected"]))
    if quoted is None:
        raise ValueError(f"expected.json: {row['expected']!r} is not understood")
    with tempfile.TemporaryDirectory() as work:
        space = Path(work) / "workspace"
        safegen.protect(path, Path(work) / "p.mp4", workspace=space)
        report = safegen.verify(path, workspace=space)
    said = " ".join([report.summary, *report.reasons])
    if quoted[1].lower() in said.lower():
        yield f"cases/{path.name}: after protect the source is told {quoted[1]!r}"
