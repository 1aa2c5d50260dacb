"""Files that commands write."""

from __future__ import annotations

from pathlib import Path

from safegen.errors import UsageError


def write_new(path: Path, data: bytes) -> None:
    """Write *data* to *path*, which must not exist. Raises UsageError."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise UsageError(f"{path} exists", hint="choose another name or remove it") from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="choose another folder"
        ) from error
