"""Three readers of credentials side by side: ``python -m benchmarks.conformance`` (docs/conformance.md).

Every credentialed file at hand through c2pa, encypher-c2pa and ``safegen verify``. Exit code 1 where they
differ without a reason on file, where a reason is no longer needed, where safegen's verdict is not the one
that is known to be right or not the same each time, or where a reader does not answer in time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.conformance import corpus, expected, outcome, reasons
from benchmarks.conformance.asking import Readers
from benchmarks.conformance.tools import TOOLS

LIMIT_S, REPEATS = 30.0, 6


def subjects(wanted: argparse.Namespace, work: Path) -> Iterator[corpus.Subject]:
    """Every file to be looked at."""
    if wanted.shared.joinpath("data").is_dir():
        yield from corpus.field_files(wanted.shared)
        yield from corpus.case_files(wanted.shared)
    for folder in wanted.corpus:
        yield from corpus.folder_files(folder, folder.resolve().name)
    if not wanted.no_samples:
        yield from corpus.own_files(work)


def run(wanted: argparse.Namespace) -> outcome.Outcome:
    """Ask every reader about every file."""
    tools = list(TOOLS)
    known = [r for file in wanted.reasons for r in reasons.load_reasons(file, tools)]
    rows = []
    with tempfile.TemporaryDirectory() as work, Readers(wanted.limit) as readers:
        for subject in subjects(wanted, Path(work)):
            answers, steady = readers.ask_all(subject, wanted.repeat)
            rows.append(outcome.judge_row(subject, answers, steady, known))
    more = []
    if wanted.shared.joinpath("data/cases").is_dir():
        more = list(expected.check_cases(wanted.shared))
    return outcome.conclude(rows, known, more)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description=__doc__)
    shared = Path(os.environ.get("SAFEGEN_SHARED", "../shared"))
    found.add_argument("--shared", type=Path, default=shared, help="the shared test data")
    found.add_argument("--corpus", type=Path, action="append", default=[], help="another folder (repeatable)")
    found.add_argument(
        "--reasons", type=Path, action="append", default=[reasons.SHIPPED], help="more reasons"
    )
    found.add_argument("--limit", type=float, default=LIMIT_S, help="seconds per file and reader")
    found.add_argument(
        "--repeat", type=int, default=REPEATS, help="how often safegen is asked about each file"
    )
    found.add_argument("--no-samples", action="store_true", help="without signed samples of our own")
    found.add_argument("--json", type=Path, help="write everything to this file")
    found.add_argument("--page", type=Path, help="write an HTML page to this file")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 where nothing is wrong."""
    wanted = parser().parse_args(arguments)
    found = run(wanted)
    print(outcome.as_text(found))
    _write(wanted.json, json.dumps(outcome.as_json(found), indent=2, ensure_ascii=False) + "\n")
    _write(wanted.page, outcome.as_html(found))
    return 1 if found.everything_wrong or not found.rows else 0


def _write(file: Path | None, text: str) -> None:
    """Write *text* where a file was named."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
