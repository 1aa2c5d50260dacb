"""Models from a hub: pulled once, with the terms shown first, pinned to a commit, checked at every load.

``pull`` is the only function here that goes out. ``folder_of`` gives a generator the pulled files, offline.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.hashing import sha256_of
from safegen._util.time import utc_now
from safegen.errors import GenerationFailed, UsageError
from safegen.generators.hub import digests, download, lockfile
from safegen.generators.hub import listing as _listing
from safegen.generators.hub.errors import disk_full, hub_cache
from safegen.generators.hub.lockfile import PinnedModel
from safegen.generators.presets import Preset
from safegen.protocols import NoProgress
from safegen.types import Json, JsonResult

if TYPE_CHECKING:
    from safegen.generators.hub.listing import ModelListing
    from safegen.protocols import Progress

DEFAULT_REVISION = "main"
_HUNYUAN = "Tencent's Hunyuan licences do not apply in the European Union, the United Kingdom and South Korea"
_SPARE = 64 * 1_000_000
"""Bytes that stay free on the disk."""


@dataclass(frozen=True)
class PullPlan(JsonResult):
    """What a pull would do: the model as the hub lists it, how much is left to download, from which commit.

    ``before`` is the commit that is pinned now, ``terms`` what has to be accepted by name.
    """

    listing: ModelListing
    revision: str
    bytes_to_fetch: int
    pinned_commit: str | None
    terms: str

    def __repr__(self) -> str:
        """The model and how much is to come."""
        return f"<PullPlan {self.listing.source}: {self.bytes_to_fetch} bytes to fetch>"

    def to_dict(self) -> Json:
        """What a user should know before agreeing, as ``safegen models pull`` prints it."""
        listing = self.listing
        return {
            "source": listing.source,
            "pipeline": listing.pipeline,
            "licence": listing.licence or "not stated",
            "licence_link": listing.licence_link,
            "terms": self.terms,
            "gated": listing.gated not in ("", "False"),
            "revision": self.revision,
            "commit": listing.commit,
            "pinned_before": self.pinned_commit,
            "files": len(listing.files),
            "bytes": listing.bytes,
            "bytes_to_fetch": self.bytes_to_fetch,
        }


def verified_folder(preset: Preset) -> tuple[Path, str]:
    """Folder of a preset's files and their commit (``local`` for a folder of the user's own).

    Nothing is downloaded. Raises GenerationFailed when the model was not pulled, or its files are missing,
    truncated or altered.
    """
    local = Path(preset.source)
    if local.is_dir():
        return local, "local"
    record = require_pinned(preset)
    if preset.revision not in (None, record.revision, record.commit):
        raise GenerationFailed(
            f"{preset.source} is pinned to {record.commit} ({record.revision}), not to {preset.revision}",
            hint=f"run `safegen models pull {preset.source} --revision {preset.revision}`",
        )
    verify_model(record)
    return download.snapshot_folder(record.source, record.commit), record.commit


def require_pinned(preset: Preset) -> PinnedModel:
    """The record of a pulled model. Raises GenerationFailed when it was never pulled, or is damaged."""
    record = lockfile.read_record(preset.source)
    if record is None:
        raise GenerationFailed(
            f"{preset.name} is not on this machine", hint=f"run `safegen models pull {preset.name}`"
        )
    return record


def weights_digest(preset: Preset, folder: Path) -> str:
    """Combined SHA-256 (hex) of a pipeline's files: from the record of what was checked, else computed."""
    record = None if Path(preset.source).is_dir() else lockfile.read_record(preset.source)
    if record is None:
        return digests.combined_digest(digests.file_digests(folder))
    return digests.combined_digest({path: file.sha256 for path, file in record.files.items()})


def verify_model(record: PinnedModel, *, fully: bool = False, progress: Progress = NoProgress()) -> int:
    """Compare a model's files with what was recorded; returns how many were hashed.

    Files that look as they did when they were last hashed are taken as unchanged, unless *fully*. Raises
    GenerationFailed when a file is missing, truncated, altered or was added.
    """
    folder = download.snapshot_folder(record.source, record.commit)
    looks = _file_states(record, folder)
    due = {p for p, look in looks.items() if fully or tuple(record.seen.get(p, ())) != look}
    progress.stage("checking MB", sum(record.files[p].size for p in due) // download.MEGABYTE)
    meter = download.DownloadProgress(progress)
    for path in sorted(due):
        if sha256_of(folder / path) != record.files[path].sha256:
            raise _broken(record, f"{path} was altered")
        meter.update(record.files[path].size)
    if due:
        lockfile.update_file_states(record, looks)
    return len(due)


def plan_pull(preset: Preset, *, revision: str | None = None, update: bool = False) -> PullPlan:
    """What ``pull`` would do. Asks the hub and stores nothing. Raises as ``pull`` does."""
    if Path(preset.source).is_dir():
        raise UsageError(f"{preset.source} is a local folder: there is nothing to pull")
    record = lockfile.read_record(preset.source)
    asked = revision or preset.revision
    if record is not None and asked in (None, record.revision) and not update:
        wanted, name = record.commit, record.revision
    else:
        name = asked or (record.revision if record else DEFAULT_REVISION)
        wanted = name
    listing = _listing.fetch_listing(preset.source, wanted)
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
        folder = download.snapshot_folder(listing.source, listing.commit)
        record = PinnedModel(**{**vars(record), "seen": _file_states(record, folder)})
        lockfile.write_record(record)
    return record


def find_pinned(source: str) -> PinnedModel | None:
    """The record of a pulled model; None when there is none. Raises GenerationFailed for a damaged one."""
    return lockfile.read_record(source)


def list_pulled() -> list[str]:
    """Hub ids of all pulled models."""
    return lockfile.list_sources()


def unpin_model(source: str) -> None:
    """Forget which commit a model is pinned to; its files stay in the cache. Raises UsageError."""
    if not lockfile.remove_record(source):
        raise UsageError(f"{source} is not pinned", hint="see `safegen models list`")


def _file_states(record: PinnedModel, folder: Path) -> Mapping[str, tuple[int, ...]]:
    """How the files look now. Raises GenerationFailed for missing, truncated and added ones."""
    looks = {}
    for path, file in record.files.items():
        try:
            looks[path] = download.file_state(folder / path)
        except OSError as error:
            raise _broken(record, f"{path} is missing") from error
        if looks[path][0] != file.size:
            raise _broken(record, f"{path} has {looks[path][0]} bytes, not {file.size}")
    added = _loadable(record, folder) - set(record.files)
    if added:
        raise _broken(record, f"{min(added)} was added")
    return looks


def _loadable(record: PinnedModel, folder: Path) -> set[str]:
    """Files in the pipeline's folders that loading would read."""
    folders = {path.split("/")[0] for path in record.files if "/" in path}
    return {
        f"{name}/{p.name}"
        for name in folders
        for p in (folder / name).iterdir()
        if _listing.is_loadable_file(p.name)
    }


def _broken(record: PinnedModel, what: str) -> GenerationFailed:
    """The error for files that are not the pulled ones."""
    return GenerationFailed(
        f"{record.source} differs from what was pulled: {what}",
        hint=f"fetch missing or altered files again with `safegen models pull {record.source}`",
    )


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
