"""A clip that another system made and signed for us: its file as an ingredient of ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safegen.pipeline.stages import IngredientFile

LABEL = "upstream"
TITLE = "the clip as the server sent it"


def add_upstream(parts: tuple[IngredientFile, ...], file: Path | None) -> tuple[IngredientFile, ...]:
    """*parts* with the *file* that another system sent as their parent; its manifest store stays in it.

    C2PA 2.4: ``parentOf`` is the asset that this one is a rendition of, and there is one at most. What the
    request itself was built on went into the other system's model, so it is ``inputTo``. Nothing in the
    clip was filmed beyond what the inputs hold: it was made on this request.
    """
    if file is None:
        return parts
    inputs = tuple(replace(part, relationship="inputTo") for part in parts)
    return (*inputs, IngredientFile(file, TITLE, "parentOf", LABEL, generated=True))
