"""Which files a batch covers, and the moment at which it judges them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from safegen.errors import SafegenError, UnreadableInput, UsageError

MAX_FILES = 100_000


@dataclass(frozen=True)
class Batch:
    """``files`` to verify, in order; ``passed_over``: how many files in folders are no known medium."""

    files: tuple[Path, ...]
    ignored: int = 0


def collect_files(paths: Sequence[Path]) -> Batch:
    """Files as they are named, and every medium inside the folders among *paths*, each file once.

    In a folder a file counts when its first bytes are those of a known container, whatever its name
    says. Hidden names and links are left alone: a link can lead out of the folder or round in circles.
    Raises UnreadableInput for a folder that cannot be listed, UsageError for more than MAX_FILES.
    """
    files: dict[Path, None] = {}
    passed_over = 0
    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        for file in _inside(path):
            if _is_medium(file):
                files[file] = None
            else:
                passed_over += 1
            if len(files) > MAX_FILES:
                raise UsageError(f"{path}: more than {MAX_FILES} files", hint="verify one folder at a time")
    return Batch(tuple(files), passed_over)


def _inside(folder: Path) -> Iterator[Path]:
    """Regular files under *folder* in a stable order."""

    def refuse(error: OSError) -> None:
        raise UnreadableInput(f"{error.filename}: {error.strerror}", hint="check its permissions") from error

    for where, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(where) / name
            if not name.startswith(".") and not file.is_symlink() and file.is_file():
                yield file


def _is_medium(file: Path) -> bool:
    """Whether the first bytes are a known container's; an unreadable file counts, so that it is reported."""
    from safegen.credentials.formats import detect

    try:
        return detect(file).mime is not None
    except SafegenError:
        return file.suffix.lower() in {
            ".mp4",
            ".mov",
            ".m4v",
            ".m4a",
            ".avi",
            ".wav",
            ".png",
            ".jpg",
            ".webp",
        }


def parse_moment(text: str) -> datetime:
    """A time in ISO 8601 (``2027-03-01``, ``2027-03-01T12:00:00+01:00``); UTC where it names no zone.

    Raises UsageError.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a time", hint="write it like 2027-03-01 or 2027-03-01T12:00:00Z"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
