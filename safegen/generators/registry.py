"""Generators: the embedded model, presets of known ones, and any diffusers video pipeline.

``find_generator`` turns the value of ``--model`` into a generator; ``named_models`` lists those with a name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import UsageError

if TYPE_CHECKING:
    from safegen.protocols import Generator

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w.-]+)?")


def find_generator(model: str) -> Generator:
    """The generator for ``model``: an embedded or preset name, a local pipeline folder,
    ``ORG/NAME[@REVISION]``, or ``URL#NAME`` for a model on a server.

    Raises UsageError for anything else. Nothing is loaded or downloaded yet.
    """
    from safegen import plugins
    from safegen.generators.diffusers.generator import DiffusersGenerator
    from safegen.generators.hub.listing import INDEX
    from safegen.generators.presets import PRESETS, preset_for_source

    if model.lower().startswith(("http://", "https://")):
        from safegen.generators.remote.generator import RemoteGenerator

        return RemoteGenerator(model)
    if model in embedded_names():
        return plugins.load_generator(model)
    if model in PRESETS:
        return DiffusersGenerator(PRESETS[model])
    if model and (Path(model) / INDEX).is_file():
        return DiffusersGenerator(preset_for_source(model))
    if model and Path(model).exists():
        raise UsageError(
            f"{model} is not a diffusers pipeline", hint="a pipeline folder contains a model_index.json"
        )
    if _HUB_ID.fullmatch(model):
        return DiffusersGenerator(preset_for_source(model))
    known = ", ".join(str(row["name"]) for row in named_models())
    raise UsageError(
        f"there is no model called {model!r}",
        hint=f"known: {known}; or a pipeline folder, ORGANISATION/NAME, or URL#NAME",
    )


def embedded_names() -> tuple[str, ...]:
    """Names of the generators that come with their weights: the plug-ins of this package."""
    from safegen import plugins

    return plugins.names("generator")


def named_models() -> list[dict[str, Any]]:
    """One row for every model with a name: ``name``, ``summary``, ``licence``, sizes and defaults.

    Raises GenerationFailed when embedded weights are missing or altered.
    """
    from safegen import plugins
    from safegen.generators.presets import PRESETS

    rows = [plugins.load_generator(name).describe() for name in embedded_names()]
    return [*rows, *(preset.describe() for preset in PRESETS.values())]
