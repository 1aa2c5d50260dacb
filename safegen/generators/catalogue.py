"""What ``safegen models`` reports: rows for the list, one model in full, and the embedded world."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen import plugins
from safegen.errors import UsageError
from safegen.generators import estimate
from safegen.generators.hub import lockfile
from safegen.generators.modes import MODES
from safegen.generators.presets import PRESETS, Preset, preset_for_source
from safegen.generators.registry import embedded_names, named_models
from safegen.generators.tiny.vocabulary import group_vocabulary

if TYPE_CHECKING:
    from safegen.generators.hub.lockfile import PinnedModel
    from safegen.generators.pull import PullPlan
    from safegen.protocols import Generator


def list_models() -> list[dict[str, Any]]:
    """One row for every model with a name and every pulled one: name, whether it is here, bytes, licence.

    ``bytes`` is None while nobody has asked the hub. Raises GenerationFailed when the embedded weights or a
    record are damaged.
    """
    named = {p.source for p in PRESETS.values()}
    others = [preset_for_source(source) for source in lockfile.list_sources() if source not in named]
    found = []
    for row in (*named_models(), *(preset.describe() for preset in others)):
        if row["name"] in embedded_names():
            found.append({**_short(row), "here": "comes with safegen", "bytes": None, "commit": None})
            continue
        record = lockfile.read_record(row["source"])
        if record is not None and row["licence"] == "not stated":
            row["licence"] = record.licence or "not stated"
        found.append({**_short(row), **_here(record)})
    return found


def describe_model(name: str) -> dict[str, Any]:
    """Everything known about a model by name, hub id or folder, without network access. Raises UsageError."""
    if name in embedded_names():
        generator = plugins.load_generator(name)
        row = {**generator.describe(), "ways_of_working": _modes(generator)}
        words = row.pop("words", [])
        return {**row, "here": "comes with safegen", "world": row.get("world") or group_vocabulary(words)}
    from safegen.generators.diffusers.generator import DiffusersGenerator

    preset = resolve_preset(name)
    record = None if Path(preset.source).is_dir() else lockfile.read_record(preset.source)
    details = {**preset.details(), "ways_of_working": _modes(DiffusersGenerator(preset))}
    if record is not None:
        details["licence"] = preset.licence or record.licence or "not stated"
        details["pipeline"] = record.pipeline
    needs = estimate.estimate_memory(preset, width=None, height=None, frames=None)
    return {**details, **_here(record), "estimate": needs.describe()}


def _modes(generator: Generator) -> list[str]:
    """What a model can do, in one order; before it is pulled by its name alone."""
    return [mode for mode in MODES if mode in generator.modes]


def resolve_preset(name: str) -> Preset:
    """The preset for a name, hub id or folder. Raises UsageError for anything else and embedded models."""
    from safegen.generators.diffusers.generator import DiffusersGenerator
    from safegen.generators.registry import find_generator

    if name in embedded_names():
        raise UsageError(
            f"{name} comes with safegen",
            hint="no action is needed: it cannot be pulled, verified or unpinned",
        )
    if name in PRESETS:
        return PRESETS[name]
    generator = find_generator(name)
    if not isinstance(generator, DiffusersGenerator):
        raise UsageError(f"{name} cannot run here", hint="give a preset name, a hub id or a folder")
    return generator.preset


def pull_plan_json(plan: PullPlan) -> dict[str, Any]:
    """A planned pull as JSON values: what a user should know before agreeing."""
    listing = plan.listing
    return {
        "source": listing.source,
        "pipeline": listing.pipeline,
        "licence": listing.licence or "not stated",
        "licence_link": listing.licence_link,
        "terms": plan.terms,
        "gated": listing.gated not in ("", "False"),
        "revision": plan.revision,
        "commit": listing.commit,
        "pinned_before": plan.pinned_commit,
        "files": len(listing.files),
        "bytes": listing.bytes,
        "bytes_to_fetch": plan.bytes_to_fetch,
    }


def pinned_model_json(record: PinnedModel) -> dict[str, Any]:
    """A pulled model, as JSON values."""
    return {
        "source": record.source,
        "revision": record.revision,
        "commit": record.commit,
        "pulled": record.pulled,
        "licence": record.licence or "not stated",
        "accepted": record.accepted,
        "files": len(record.files),
        "bytes": record.bytes,
    }


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("name", "summary", "source", "licence")}


def _here(record: PinnedModel | None) -> dict[str, Any]:
    if record is None:
        return {"here": "no", "bytes": None, "commit": None}
    return {"here": "pulled", "bytes": record.bytes, "commit": record.commit}
