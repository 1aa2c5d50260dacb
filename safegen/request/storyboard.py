"""Storyboards as files (YAML or JSON) and as command line options."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from safegen.errors import UsageError
from safegen.request.settings import settings_for
from safegen.types import Shot

if TYPE_CHECKING:
    from safegen._util.yaml import Document
    from safegen.request.build import RequestSettings

MAX_SHOTS = 100


@dataclass(frozen=True)
class Storyboard:
    """The shots, and settings for the whole clip."""

    shots: tuple[Shot, ...]
    settings: RequestSettings


def load_storyboard(file: Path | None, options: Sequence[str]) -> Storyboard:
    """The storyboard in *file*, or that of ``SECONDS:PROMPT`` *options*. Raises UsageError."""
    if (file is None) == (not options):
        raise UsageError("a storyboard is either a file or --shot options", hint="give one or the other")
    if file is None:
        return Storyboard(tuple(_option(text) for text in options), {})
    return read_file(file)


def read_file(file: Path) -> Storyboard:
    """The storyboard in a YAML or JSON file: ``shots``, each with ``at`` and ``prompt``, and settings.

    Raises UsageError, naming the line.
    """
    from safegen._util import yaml

    document = yaml.read(file)
    data = {"shots": document.data} if isinstance(document.data, list) else document.data
    if not isinstance(data, dict) or not isinstance(data.get("shots"), list):
        raise document.error(
            (), "a storyboard must contain `shots`", "write shots: [{at: 0, prompt: ...}, ...]"
        )
    if len(data["shots"]) > MAX_SHOTS:
        raise document.error(("shots",), f"more than {MAX_SHOTS} shots", "split it into several clips")
    top = () if isinstance(document.data, list) else ("shots",)
    shots = tuple(_shot(document, (*top, i), row) for i, row in enumerate(data["shots"]))
    settings = {k: _setting(document, k, v) for k, v in data.items() if k != "shots"}
    return Storyboard(shots, cast("RequestSettings", settings))


def _shot(document: Document, place: tuple[str | int, ...], row: Any) -> Shot:
    """One row of the file."""
    if not isinstance(row, dict) or set(row) != {"at", "prompt"}:
        raise document.error(
            place, "a shot must have `at` and `prompt` and nothing else", "write {at: 0, prompt: ...}"
        )
    at, prompt = row["at"], row["prompt"]
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise document.error(
            (*place, "at"), f"{at!r} is not a time", "give seconds from the start, such as 2.5"
        )
    if not isinstance(prompt, str):
        raise document.error((*place, "prompt"), "the prompt is not text", "put it in quotes")
    return Shot(float(at), prompt)


def _setting(document: Document, name: str, value: Any) -> Any:
    """A setting of the whole clip."""
    known = {setting.name: setting for setting in settings_for("storyboard")}
    if name not in known:
        raise document.error((name,), f"there is no setting {name!r}", f"known: {', '.join(known)}")
    try:
        known[name].check(value)
    except UsageError as error:
        raise document.error((name,), str(error), error.hint) from error
    return value


def _option(text: str) -> Shot:
    """``SECONDS:PROMPT``."""
    at, colon, prompt = text.partition(":")
    try:
        seconds = float(at)
    except ValueError:
        seconds = math.nan
    if not colon or not math.isfinite(seconds):
        raise UsageError(
            f"--shot {text!r} is not SECONDS:PROMPT", hint='write it like --shot 2.5:"a red ball"'
        )
    return Shot(seconds, prompt.strip())
