"""The text tracks beside a file: whether they match the ones its credentials name.

Captions, descriptions, chapters and the transcript lie in files of their own, which no hard binding covers.
The manifest of a release has the SHA-256 of each (``org.safegen.accessibility``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from safegen.accessibility.sidecar_names import names
from safegen.types import TextBeside
from safegen.verification.json_report import find_assertion

LABEL = "org.safegen.accessibility"
MAX_BYTES = 64 * 2**20
"""Text tracks are small; what is larger was never released as one."""


def check_text_tracks(path: Path, manifest: Mapping[str, Any] | None) -> tuple[TextBeside, ...]:
    """Each text track that the (intact) *manifest* names, and what lies beside *path* under its name.

    A file that cannot be read is ``unreadable``: it is neither what was released nor known to be another.
    """
    assertion = find_assertion(manifest, LABEL)
    if not isinstance(assertion, dict):
        return ()
    found = []
    for kind, name in names(path.name).items():
        track = assertion.get(kind)
        digest = track.get("sha256") if isinstance(track, dict) else None
        if isinstance(digest, str):
            found.append(TextBeside(kind, name, _state(path.with_name(name), digest)))
    return tuple(found)


def _state(file: Path, digest: str) -> Literal["as released", "changed", "absent", "unreadable"]:
    if not file.is_file():
        return "absent"
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError:
        return "unreadable"
    return "as released" if hashlib.sha256(data).hexdigest() == digest else "changed"


def describe_text_tracks(found: tuple[TextBeside, ...]) -> str:
    """What was found, for a person: changed files first and plainly, absent ones last."""
    words = {
        "changed": "CHANGED since the release",
        "unreadable": "cannot be read",
        "as released": "as released",
        "absent": "not beside the file",
    }
    parts = []
    for state, text in words.items():
        kinds = [t.kind if state in {"as released", "absent"} else t.name for t in found if t.state == state]
        if kinds:
            parts.append(f"{', '.join(kinds)} {text}")
    return "; ".join(parts)
