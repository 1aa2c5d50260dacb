"""Changing one setting of a ``safegen.toml`` and nothing else: comments and order stay as they are."""

from __future__ import annotations

import json
import re
from typing import Any

from safegen.errors import UsageError

_HEADER = re.compile(r"\s*\[\s*ledger\s*\]\s*(#.*)?")
_TABLE = re.compile(r"\s*\[")
_URL = re.compile(r"\s*url\s*=")


def with_ledger_url(text: str, url: str | None) -> str:
    """The file's *text* with ``url`` under ``[ledger]`` set to *url*; None: without it.

    What comes out is read again and compared. Raises UsageError for a file that is written in a way this does
    not understand.
    """
    import tomllib

    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if _HEADER.fullmatch(line)), None)
    setting = [] if url is None else [f"url = {json.dumps(url)}"]
    if start is None:
        changed = [*lines, "", "[ledger]", *setting] if setting else lines
    else:
        end = next((n for n in range(start + 1, len(lines)) if _TABLE.match(lines[n])), len(lines))
        kept = [line for line in lines[start + 1 : end] if not _URL.match(line)]
        changed = [*lines[: start + 1], *setting, *kept, *lines[end:]]
    made = "\n".join(changed) + "\n"
    try:
        if tomllib.loads(made) == _expected(tomllib.loads(text), url):
            return made
    except tomllib.TOMLDecodeError:
        pass
    raise UsageError(
        "safegen.toml is written in a way that cannot be changed safely",
        hint="write [ledger] on a line of its own and `url` on one below it, or remove both",
    )


def _expected(settings: dict[str, Any], url: str | None) -> dict[str, Any]:
    """The parsed *settings* with that one changed."""
    section = {k: v for k, v in settings.get("ledger", {}).items() if k != "url"}
    if url is not None:
        section["url"] = url
    there = bool(section) or "ledger" in settings
    return {**settings, "ledger": section} if there else settings
