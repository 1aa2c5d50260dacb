"""``results.csv``: the outcome of every row, written as the run goes and read again on resume.

A row that is done again (``--resume``) has a later line, which counts. A last line that was cut off by a
power failure is ignored.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeAlias

from safegen._text import one_line
from safegen._util.files import lock_exclusive
from safegen.errors import ReleaseFailed, UsageError
from safegen.types import Json, JsonResult

RESULTS_FILE = "results.csv"
COLUMNS = ("row", "line", "status", "path", "content_id", "seed", "error", "key", "run")
Status: TypeAlias = Literal["done", "failed", "refused", "held", "would do"]
MAX_KEPT = 100


@dataclass(frozen=True)
class Row:
    """The outcome of one row. ``path`` is the file's name in the output folder; ``prompt`` is set
    by a dry run only: results hold no prompts.
    """

    row: int
    line: int
    status: Status
    path: str = ""
    content_id: str = ""
    seed: int | None = None
    error: str = ""
    hint: str = ""
    key: str = ""
    notes: tuple[str, ...] = ()
    prompt: str = ""


@dataclass(frozen=True)
class RunReport(JsonResult):
    """The outcome of all rows: counts, where the results are, the first failures (at most 100)."""

    template: str
    rows: int
    done: int
    skipped: int
    failed: int
    results: Path | None
    failures: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """0, or 8 when some rows failed."""
        return 8 if self.failed else 0

    def to_dict(self) -> Json:
        """As ``safegen.template-run/1``."""
        return {
            "schema": "safegen.template-run/1",
            "template": self.template,
            "dry_run": self.dry_run,
            "rows": self.rows,
            "done": self.done,
            "skipped": self.skipped,
            "failed": self.failed,
            "results": str(self.results) if self.results else None,
            "failures": [
                {"row": r.row, "line": r.line, "status": r.status, "error": r.error, "hint": r.hint}
                for r in self.failures
            ],
            "notes": list(self.notes),
            "exit_code": self.exit_code,
        }


class Journal:
    """The open results file of one run; made by ``journal``."""

    def __init__(self, file: IO[str], path: Path, run: str, done: dict[str, str]) -> None:
        """*done*: file name by key of the rows that earlier runs finished."""
        self.path, self.run, self.done = path, run, done
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")

    def write(self, row: Row) -> None:
        """Append *row*, on the disk before this returns. Raises ReleaseFailed."""
        why = f"{row.error} ({row.hint})" if row.status == "failed" and row.hint else row.error
        values = {**vars(row), "error": why, "run": self.run}
        try:
            self._writer.writerow([_cell(values[name]) for name in COLUMNS])
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise ReleaseFailed(f"{self.path} cannot be written: {error.strerror}") from error


@contextmanager
def open_journal(folder: Path, *, run: str, resume: bool) -> Iterator[Journal]:
    """The results file in *folder*, which is made if need be; one run at a time. *run* names what is run.

    Raises UsageError: there are results already (and no *resume*), they are of another run, or a run is
    under way.
    """
    path = folder / RESULTS_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and not resume:
            raise UsageError(
                f"{folder} already contains the results of a run",
                hint="continue it with --resume, or choose another folder",
            )
        file = path.open("a+", encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="choose another folder"
        ) from error
    with file:
        lock_exclusive(file, folder)
        done = _read_finished(file, path, run)
        yield Journal(file, path, run, done)


def _read_finished(file: IO[str], path: Path, run: str) -> dict[str, str]:
    """Finished rows, name by key; the header is written into a new file, a cut-off last line is removed."""
    file.seek(0)
    text = file.read()
    whole = text[: text.rfind("\n") + 1]
    if len(whole) < len(text):
        file.truncate(len(whole.encode("utf-8")))
    if not whole:
        csv.writer(file, lineterminator="\n").writerow(COLUMNS)
        file.flush()
        return {}
    rows = csv.DictReader(io.StringIO(whole, newline=""))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise UsageError(f"{path} is not the results of a run", hint="choose another folder")
    done: dict[str, str] = {}
    for row in rows:
        if row["run"] != run:
            raise UsageError(
                "the template, the model or an option has changed since the last run",
                hint="choose another folder, or use the same options as before",
            )
        if row["status"] == "done":
            done[row["key"]] = row["path"]
    return done


def _cell(value: object) -> str:
    """A value as text that no spreadsheet takes for a formula."""
    text = "" if value is None else one_line(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
