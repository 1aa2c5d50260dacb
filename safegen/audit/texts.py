"""Read captions and labelled prompts: text files (one text per line), JSON lines, CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from safegen.errors import UnreadableInput, UsageError

_TEXT = ("text", "prompt", "caption")
_LABEL = ("label",)
MAX_LINE = 1_000_000


@dataclass(frozen=True)
class Row:
    """A text and its label; "" where it has none."""

    text: str
    label: str = ""


def read(paths: Sequence[Path], *, text: str | None = None, label: str | None = None) -> Iterator[Row]:
    """Every row of the files, in order. *text* and *label* name their columns (default: the usual names).

    Raises UnreadableInput for a file or line that cannot be read, UsageError for a column that is not there.
    """
    for path in paths:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from _rows(file, path, text, label)
        except OSError as error:
            raise UnreadableInput(f"{path}: {error.strerror}", hint="check the path") from error
        except UnicodeDecodeError as error:
            raise UnreadableInput(f"{path} is not text in UTF-8", hint="convert it to UTF-8 first") from error


def _rows(file: IO[str], path: Path, text: str | None, label: str | None) -> Iterator[Row]:
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        yield from _json_lines(file, path, text, label)
    elif suffix == ".csv":
        try:
            table = csv.DictReader(file, strict=True)
            for number, row in enumerate(table, 2):
                yield _row(dict(row), path, number, text, label)
        except csv.Error as error:
            raise UnreadableInput(
                f"{path.name}: {error}", hint="save it as CSV with a header line"
            ) from error
    elif suffix in (".txt", ".md", ""):
        if text or label:
            raise UsageError(f"{path.name} has no columns", hint="omit --text and --label")
        yield from (Row(line.strip()) for line in file if line.strip())
    else:
        raise UsageError(f"{path.name}: {suffix} files cannot be read", hint="give .txt, .jsonl or .csv")


def _json_lines(file: IO[str], path: Path, text: str | None, label: str | None) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line) if len(line) <= MAX_LINE else None
        except (ValueError, RecursionError) as error:
            raise UnreadableInput(
                f"{path.name}, line {number}: not JSON", hint="write one JSON object per line"
            ) from error
        if isinstance(value, str) and text is None:
            yield Row(value)
        elif isinstance(value, dict):
            yield _row(value, path, number, text, label)
        else:
            raise UnreadableInput(
                f"{path.name}, line {number}: not an object", hint="write one JSON object per line"
            )


def _row(value: dict[str, object], path: Path, number: int, text: str | None, label: str | None) -> Row:
    found = _column(value, (text,) if text else _TEXT)
    if not isinstance(found, str):
        wanted = text or ", ".join(_TEXT)
        raise UsageError(
            f"{path.name}, line {number}: no text field {wanted}", hint="name the field with --text"
        )
    said = _column(value, (label,) if label else _LABEL)
    if label and said is None:
        raise UsageError(f"{path.name}, line {number}: no field {label}", hint="check --label")
    return Row(found, "" if said is None else str(said))


def _column(value: dict[str, object], wanted: Sequence[str]) -> object:
    return next((value[name] for name in wanted if value.get(name) is not None), None)
