"""Files for what is no file: standard input, a pipe or a process substitution is spooled, within a limit."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from safegen.errors import SafegenError, UnreadableInput

STDIN = Path("-")
MAX_BYTES = 4 * 2**30
"""Bytes of one stream that are written down at most."""
_BLOCK = 1 << 20


@contextmanager
def standing_in(paths: tuple[Path, ...], max_bytes: int = MAX_BYTES) -> Iterator[dict[Path, Path]]:
    """Each of *paths* that is a stream (``-``, a pipe, ``/dev/stdin``) with a temporary file of its bytes.

    A file or folder stands for itself and is not in the answer. ``-`` is standard input even where a file is
    called so: ``./-`` is the file. The temporary files are gone after the block, and an error in it names
    the stream. Raises UnreadableInput: nothing comes, or more than *max_bytes*.
    """
    with ExitStack() as stack:
        found: dict[Path, Path] = {}
        for path in dict.fromkeys(paths):
            if path == STDIN or _is_stream(path):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="safegen-"))
                found[path] = Path(folder) / "stream"
                _spool(path, found[path], max_bytes)
        yield found


@contextmanager
def named_as(path: Path, copy: Path) -> Iterator[None]:
    """What goes wrong in the block is said of *path* and not of our *copy* of it."""
    try:
        yield
    except SafegenError as error:
        error.args = tuple(str(part).replace(str(copy), _name(path)) for part in error.args)
        raise


def _name(path: Path) -> str:
    return "standard input" if path == STDIN else str(path)


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or path in (Path("/dev/stdin"), Path("/dev/fd/0"))


def _spool(path: Path, target: Path, max_bytes: int) -> None:
    """Write all that comes from *path* to *target*. Raises UnreadableInput."""
    try:
        with _opened(path) as source, target.open("xb") as out:
            size = 0
            while block := source.read(_BLOCK):
                size += len(block)
                if size > max_bytes:
                    raise UnreadableInput(
                        f"more than {max_bytes / 2**30:.0f} GB come from {_name(path)}",
                        hint="save it to a file, and give its name",
                    )
                out.write(block)
    except OSError as error:
        raise UnreadableInput(
            f"{_name(path)} cannot be read or written down: {error.strerror}",
            hint="save it to a file, and give its name",
        ) from error
    if not size:
        raise UnreadableInput(f"nothing comes from {_name(path)}", hint="check the command before the pipe")


def _opened(path: Path) -> BinaryIO:
    """The stream; standard input by its own descriptor, which stays open."""
    if path == STDIN:
        return os.fdopen(sys.stdin.fileno(), "rb", closefd=False)
    return path.open("rb")
