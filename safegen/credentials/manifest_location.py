"""Where a manifest goes: into the file, beside it, or to an address that the file names."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from safegen.errors import UsageError


def check_manifest_location(location: str) -> None:
    """Refuse (UsageError) what is neither ``embedded``, ``sidecar`` nor an https address."""
    if location in {"embedded", "sidecar"}:
        return
    try:
        parts = urlsplit(location)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or parts.username or " " in location:
        raise UsageError(
            f"{location!r:.80} is not a place for a manifest",
            hint="use embedded, sidecar, or the https address where the manifest will be published",
        )


def set_manifest_location(builder: Any, location: str) -> None:
    """Tell c2pa's *builder* where the manifest goes."""
    if location != "embedded":
        builder.set_no_embed()
    if location not in {"embedded", "sidecar"}:
        builder.set_remote_url(location)
