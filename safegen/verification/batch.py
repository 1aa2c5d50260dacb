"""Which files a batch covers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from safegen.errors import SafegenError, UnreadableInput, UsageError

MAX_FILES = 100_000


@dataclass(frozen=True)
class Batch:
    """``files`` to verify, in order; ``ignored``: how many files in folders are no known medium."""

    files: tuple[Path, ...]
    ignored: int = 0


def collect_files(paths: Sequence[Path]) -> Batch:
    """Files as they are named, and every medium inside the folders among *paths*, each file once.

    In a folder a file counts when its first bytes are those of a known container, whatever its name
    says. Hidden names and links are left alone: a link can lead out of the folder or round in circles.
    Raises UnreadableInput for a folder that cannot be listed, UsageError for more than MAX_FILES.
    """
    files: dict[Path, None] = {}
    ignored = 0
    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        for file in _inside(path):
            if _is_medium(file):
                files[file] = None
            else:
                ignored += 1
            if len(files) > MAX_FILES:
                raise UsageError(f"{path}: more than {MAX_FILES} files", hint="verify one folder at a time")
    return Batch(tuple(files), ignored)


def _inside(folder: Path) -> Iterator[Path]:
    """Regular files under *folder* in a stable order."""

    def refuse(error: OSError) -> None:
        raise UnreadableInput(f"{error.filename}: {error.strerror}", hint="check its permissions") from error

    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(root) / name
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
