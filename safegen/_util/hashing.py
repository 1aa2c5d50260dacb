"""SHA-256 of files and texts, as hex: the only place where a whole file is hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from safegen._util.files import not_a_file
from safegen.errors import UnreadableInput


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file of our own. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_descriptor(descriptor: int) -> str:
    """SHA-256 (hex) of an open file from where it stands; it stays open. Raises OSError."""
    with open(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file that a user named. Raises UnreadableInput."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check its permissions") from error


def text_sha256(text: str) -> str:
    """SHA-256 (hex) of a text as UTF-8; lone surrogates count as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def require_readable(path: Path) -> None:
    """Refuse (UnreadableInput) anything that is not a file, is empty or cannot be read."""
    try:
        if not path.is_file():
            raise not_a_file(path)
        if path.stat().st_size == 0:
            raise UnreadableInput(f"{path}: the file is empty", hint="fetch or create it again")
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check its permissions") from error


@contextmanager
def hash_in_background(path: Path) -> Iterator[Callable[[], str]]:
    """Hash *path* while c2pa reads it; what is yielded waits for the answer and raises as ``file_sha256``."""
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
