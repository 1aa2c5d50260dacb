"""Rows of a table, streamed from CSV as written by programs and spreadsheets.

UTF-8 with or without a byte order mark, UTF-16 with one; commas, semicolons, tabs or bars; quotes. A row
that cannot be read is an error of its own and the next one goes on: a quote that is never closed takes one
line with it, not the rest of the file.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from safegen.errors import UnreadableInput, UsageError

MAX_LINE = 100_000
MAX_JOINED = 20
"""Lines that a quoted value may go over."""
MAX_COLUMNS = 500
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Record:
    """A row: ``number`` from 1, the ``line`` it starts at in the file (the header is in line 1), its values
    by column. ``error`` says why it could not be read.
    """

    number: int
    line: int
    values: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


class Table:
    """An open table: ``columns`` and, once, its ``records``. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open *path* and read its header. Raises UnreadableInput, UsageError for an unusable header."""
        self._file = _open(path)
        self._path = path
        self._ahead: deque[tuple[int, str]] = deque()
        self._line = 0
        try:
            self.columns, self._delimiter = self._header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Table:
        """The table."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def records(self) -> Iterator[Record]:
        """The rows in order, empty lines left out; nothing is held in memory but the row at hand."""
        number = 0
        while (following := self._next()) is not None:
            line, text = following
            if not text.strip(self._delimiter + " \t\r\n"):
                continue
            number += 1
            yield self._record(number, line, text)

    def _record(self, number: int, line: int, text: str) -> Record:
        """The row that starts with *text*, with the lines after it where a quoted value goes on there."""
        if len(text) > MAX_LINE:
            return Record(number, line, error=f"the line is longer than {MAX_LINE} characters")
        cells = self._cells(text)
        if cells is None:
            cells = self._joined(text)
        if cells is None:
            return Record(number, line, error="a quote is unclosed or in the wrong place")
        if len(cells) > len(self.columns) and any(cells[len(self.columns) :]):
            return Record(number, line, error=f"{len(cells)} values for {len(self.columns)} columns")
        return Record(number, line, dict(zip(self.columns, cells, strict=False)))

    def _joined(self, text: str) -> list[str] | None:
        """*text* with following lines until its quotes close and the columns fit; else they stay unread."""
        tried: list[tuple[int, str]] = []
        while len(tried) < MAX_JOINED and len(text) <= MAX_LINE:
            following = self._next()
            if following is None:
                break
            tried.append(following)
            text += following[1]
            cells = self._cells(text)
            if cells is not None and len(cells) == len(self.columns):
                return cells
        self._ahead.extendleft(reversed(tried))
        return None

    def _cells(self, text: str) -> list[str] | None:
        """The values of one record; None when its quotes do not close or stand wrong."""
        try:
            rows = list(csv.reader(text.splitlines(keepends=True), delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None
        return [cell.strip() for cell in rows[0]] if len(rows) == 1 else None

    def _next(self) -> tuple[int, str] | None:
        """The next line and its number. What is beyond the limit of a line is passed over."""
        if self._ahead:
            return self._ahead.popleft()
        try:
            text = self._file.readline(MAX_LINE + 2)
            rest = text
            while rest and len(rest) > MAX_LINE and not rest.endswith("\n"):
                rest = self._file.readline(MAX_LINE + 2)
        except (OSError, UnicodeError) as error:
            raise UnreadableInput(f"{self._path} cannot be read: {error}", hint="check the file") from error
        if not text:
            return None
        self._line += 1
        return self._line, text

    def _header(self) -> tuple[list[str], str]:
        """Names of the columns, and the delimiter: the one that the first line has most of."""
        first = self._next()
        delimiter = ""
        if first is not None and first[1].lower().startswith("sep=") and len(first[1].strip()) == 5:
            delimiter, first = first[1].strip()[4], self._next()
        if first is None or not first[1].strip():
            raise UsageError(f"{self._path.name} has no header", hint="name the columns in the first line")
        text = first[1]
        self._delimiter = delimiter or max(_DELIMITERS, key=text.count)
        cells = self._cells(text) if len(text) <= MAX_LINE else None
        if cells is None or len(cells) > MAX_COLUMNS or any("\udc80" <= c <= "\udcff" for c in text):
            raise UsageError(
                f"{self._path.name}: the first line is not a table header",
                hint="name the columns in the first line, and save the table as CSV in UTF-8",
            )
        columns = [cell.casefold().replace(" ", "_").replace("-", "_") for cell in cells]
        twice = sorted({c for c in columns if c and columns.count(c) > 1})
        if twice:
            raise UsageError(f"{self._path.name}: the column {twice[0]!r} appears twice", hint="remove one")
        return columns, self._delimiter


def _open(path: Path) -> IO[str]:
    """*path* as text; bytes that are not UTF-8 come as surrogates, so that only their row fails."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        errors = "replace" if encoding == "utf-16" else "surrogateescape"
        return path.open(encoding=encoding, errors=errors, newline=None)
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check the path") from error
