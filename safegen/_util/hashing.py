"""A file's SHA-256, computed in parallel: hashing and c2pa's reading run at the same time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from safegen.errors import UnreadableInput


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file. Raises UnreadableInput."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check its permissions") from error


def require_readable(path: Path) -> None:
    """Refuse (UnreadableInput) anything that is not a file, is empty or cannot be read."""
    try:
        if not path.is_file():
            raise UnreadableInput(f"{path}: no such file", hint="check the path")
        if path.stat().st_size == 0:
            raise UnreadableInput(f"{path}: the file is empty", hint="fetch or create it again")
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check its permissions") from error


@contextmanager
def hash_in_background(path: Path) -> Iterator[Callable[[], str]]:
    """Hash *path* in the background; what is yielded waits for the answer and raises as ``file_sha256``."""
    answers: list[str] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            answers.append(file_sha256(path))
        except Exception as error:  # handed to whoever waits
            errors.append(error)

    thread = Thread(target=work, name="sha256", daemon=True)
    thread.start()

    def wait() -> str:
        thread.join()
        if errors:
            raise errors[0]
        return answers[0]

    try:
        yield wait
    finally:
        thread.join()
