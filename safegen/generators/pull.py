"""Pulling a model from a hub: planned first, with the terms shown, then fetched and pinned to a commit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.time import utc_now
from safegen.errors import GenerationFailed, UsageError
from safegen.generators.diffusers.repository import check_pipeline_class, select_files
from safegen.generators.hub import download, lockfile
from safegen.generators.hub.cache import hub_cache, snapshot_folder
from safegen.generators.hub.errors import disk_full
from safegen.generators.hub.listing import fetch_listing
from safegen.generators.hub.lockfile import PinnedModel
from safegen.generators.hub.pinned import file_states
from safegen.generators.presets import Preset
from safegen.protocols import NoProgress

if TYPE_CHECKING:
    from safegen.generators.hub.listing import ModelListing
    from safegen.protocols import Progress

DEFAULT_REVISION = "main"
# For copies under another name: the preset names the one licence, families/hunyuan only warns of it.
_HUNYUAN = "Tencent's Hunyuan licences do not apply in the European Union, the United Kingdom and South Korea"
_SPARE = 64 * 1_000_000
"""Bytes that stay free on the disk."""


@dataclass(frozen=True)
class PullPlan:
    """What a pull would do: the model as the hub lists it, how much is left to download, from which commit.

    ``pinned_commit`` is the commit that is pinned now, ``terms`` what has to be accepted by name.
    """

    listing: ModelListing
    revision: str
    bytes_to_fetch: int
    pinned_commit: str | None
    terms: str


def plan_pull(preset: Preset, *, revision: str | None = None, update: bool = False) -> PullPlan:
    """What ``pull_model`` would do. Asks the hub and stores nothing.

    Raises UsageError, and GenerationFailed as well when the repository is no video pipeline that safegen can
    run, has no safetensors or needs code of its own.
    """
    if Path(preset.source).is_dir():
        raise UsageError(f"{preset.source} is a local folder: there is nothing to pull")
    record = lockfile.read_record(preset.source)
    requested = revision or preset.revision
    if record is not None and requested in (None, record.revision) and not update:
        commit, name = record.commit, record.revision
    else:
        name = requested or (record.revision if record else DEFAULT_REVISION)
        commit = name
    listing = fetch_listing(preset.source, commit)
    check_pipeline_class(listing.source, listing.index)
    paths = {file.path: file for file in listing.files}
    listing = listing.only(select_files(listing.source, paths, listing.index))
    to_fetch = download.bytes_missing(preset.source, listing.files)
    return PullPlan(
        listing, name, to_fetch, record.commit if record else None, _required_terms(preset, listing)
    )


def pull_model(plan: PullPlan, *, accepted: bool = False, progress: Progress = NoProgress()) -> PinnedModel:
    """Fetch what is planned into the Hugging Face cache, compare it with the hub's hashes, and pin it.

    Raises GenerationFailed (no network, gated, disk full, altered files, terms not *accepted*), UsageError,
    Interrupted; what has arrived by then is kept for the next try.
    """
    listing = plan.listing
    if plan.terms and not accepted:
        raise GenerationFailed(
            f"{listing.source} is under terms that must be accepted: {plan.terms}",
            hint="read them; if they allow your use, pull with --accept-licence",
        )
    with lockfile.exclusive_pull(listing.source):
        _check_disk_space(plan)
        progress.stage("downloading MB", plan.bytes_to_fetch // download.MEGABYTE)
        meter = download.DownloadProgress(progress)
        files = {i.path: download.fetch_file(listing.source, listing.commit, i, meter) for i in listing.files}
        record = PinnedModel(
            source=listing.source,
            revision=plan.revision,
            commit=listing.commit,
            pulled=utc_now().isoformat(timespec="seconds"),
            files=files,
            licence=listing.licence,
            pipeline=listing.pipeline,
            accepted=plan.terms if accepted else "",
        )
        folder = snapshot_folder(listing.source, listing.commit)
        record = PinnedModel(**{**vars(record), "seen": file_states(record, folder)})
        lockfile.write_record(record)
    return record


def _check_disk_space(plan: PullPlan) -> None:
    """Raise GenerationFailed when the disk has no room for what is to come."""
    folder = hub_cache()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if plan.bytes_to_fetch + _SPARE > free:
        raise disk_full(hub_cache(), plan.bytes_to_fetch, free)


def _required_terms(preset: Preset, listing: ModelListing) -> str:
    """What must be accepted by name before a download: a licence that does not hold everywhere."""
    if preset.terms:
        return preset.terms
    if "hunyuan" in f"{listing.licence} {listing.source}".lower():
        return _HUNYUAN
    return ""
