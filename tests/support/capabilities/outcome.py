"""What becomes of a case: handled, handled with a note, or refused with a reason."""

from __future__ import annotations

import re
from pathlib import Path

from safegen.errors import SafegenError
from safegen.media.still import read_still, write_still
from safegen.media.still_facts import notes_on
from safegen.pipeline.protect import media_type
from safegen.pipeline.protect_still import STILL_SUFFIXES
from tests.support.capabilities.make import Case
from tests.support.films import facts, through

HANDLED, NOTED, REFUSED, NOT_MADE = "handled", "handled with a note", "refused", "not made"


def outcome(case: Case, folder: Path) -> tuple[str, str]:
    """(what became of it, notes or reason). ``NOT_MADE`` where this FFmpeg cannot write such a file."""
    path = folder / f"source.{case.suffix}"
    try:
        case.write(path)
    except Exception as error:
        return NOT_MADE, f"{type(error).__name__}: {error}"
    try:
        mime = media_type(path)
        if mime in STILL_SUFFIXES:
            still = read_still(path)
            write_still(still, folder / f"out{STILL_SUFFIXES[mime]}")
            notes = "; ".join((*still.notes, *notes_on(path.read_bytes())))
        else:
            released, notes = through(path, folder)
            assert facts(released)["frames"] > 0
    except SafegenError as error:
        return REFUSED, _plain(str(error), folder)
    return (NOTED, _plain(notes, folder)) if notes else (HANDLED, "")


def _plain(text: str, folder: Path) -> str:
    """Without the names of this run's files."""
    return re.sub(r"\s+", " ", text.replace(f"{folder}/", "")).strip()
