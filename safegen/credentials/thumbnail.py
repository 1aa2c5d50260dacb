"""The small picture that a manifest carries of its content; for showing only."""

from __future__ import annotations

import io
from pathlib import Path

MAX_BYTES = 512 * 1024
KINDS = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/webp": b"RIFF",
}
"""Picture formats that are shown, and how their bytes begin; never SVG, which can hold scripts."""


def read_thumbnail(path: Path) -> tuple[str, bytes] | None:
    """MIME type and bytes of the active manifest's thumbnail; None without a small one of a known kind.

    Nothing is checked here: show it only beside a verdict. Never raises for a bad file.
    """
    import c2pa

    from safegen.credentials import library

    try:
        with (
            path.open("rb") as file,
            c2pa.Reader(None, file, context=library.context(verify=False)) as reader,
        ):
            stated = (reader.get_active_manifest() or {}).get("thumbnail")
            if not isinstance(stated, dict):
                return None
            kind, name = str(stated.get("format")), str(stated.get("identifier"))
            found = io.BytesIO()
            reader.resource_to_stream(name, found)
    except (c2pa.C2paError, OSError, ValueError, TypeError, KeyError):  # then there is no picture to show
        return None
    data = found.getvalue()
    if len(data) > MAX_BYTES or not data.startswith(KINDS.get(kind, b"\0nothing")):
        return None
    return kind, data
