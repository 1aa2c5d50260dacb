"""The header of a safetensors file, read without the library: its length (u64, little endian), and JSON."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

MAX_HEADER = 100_000_000
"""Bytes that the format allows a header."""


def read_header(path: Path) -> dict[str, Any]:
    """``dtype`` and ``shape`` by tensor name. Raises ValueError for another kind of file, OSError."""
    with path.open("rb") as stream:
        start = stream.read(8)
        if len(start) < 8:
            raise ValueError("it is too short")
        (length,) = struct.unpack("<Q", start)
        if length > MAX_HEADER:
            raise ValueError("its header is too long")
        table = json.loads(stream.read(length))
    if not isinstance(table, dict):
        raise ValueError("its header is not a table")
    return {name: value for name, value in table.items() if name != "__metadata__"}
