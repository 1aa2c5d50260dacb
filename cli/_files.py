"""Files that commands write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from safegen.errors import UsageError


def write_new(path: Path, data: bytes) -> None:
    """Write *data* to *path*, which must not exist. Raises UsageError."""
    with open_new(path) as file:
        file.write(data)


@contextmanager
def open_new(path: Path) -> Iterator[BinaryIO]:
    """*path*, which must not exist, open for writing; removed again when that fails. Raises UsageError."""
    try:
        file = path.open("xb")
    except FileExistsError as error:
        raise UsageError(f"{path} exists", hint="choose another name, or remove the existing file") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror}", hint="choose another folder")
