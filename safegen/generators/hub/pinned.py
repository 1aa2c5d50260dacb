"""Pulled models: found without network access, and compared with what was recorded before every use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.hashing import sha256_of
from safegen.errors import GenerationFailed, UsageError
from safegen.generators.hub import digests, download, lockfile
from safegen.generators.hub.cache import snapshot_folder
from safegen.generators.hub.lockfile import PinnedModel, is_loadable_file
from safegen.protocols import NoProgress

if TYPE_CHECKING:
    from safegen.generators.presets import Preset
    from safegen.protocols import Progress


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
    return snapshot_folder(record.source, record.commit), record.commit


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
    folder = snapshot_folder(record.source, record.commit)
    states = file_states(record, folder)
    due = {p for p, state in states.items() if fully or tuple(record.seen.get(p, ())) != state}
    progress.stage("checking MB", sum(record.files[p].size for p in due) // download.MEGABYTE)
    meter = download.DownloadProgress(progress)
    for path in sorted(due):
        if sha256_of(folder / path) != record.files[path].sha256:
            raise _broken(record, f"{path} was altered")
        meter.update(record.files[path].size)
    if due:
        lockfile.update_file_states(record, states)
    return len(due)


def unpin_model(source: str) -> None:
    """Forget which commit a model is pinned to; its files stay in the cache. Raises UsageError."""
    if not lockfile.remove_record(source):
        raise UsageError(f"{source} is not pinned", hint="see `safegen models list`")


def file_states(record: PinnedModel, folder: Path) -> Mapping[str, tuple[int, ...]]:
    """What the files look like now. Raises GenerationFailed for missing, truncated and added ones."""
    states = {}
    for path, file in record.files.items():
        try:
            states[path] = file_state(folder / path)
        except OSError as error:
            raise _broken(record, f"{path} is missing") from error
        if states[path][0] != file.size:
            raise _broken(record, f"{path} has {states[path][0]} bytes, not {file.size}")
    added = _loadable(record, folder) - set(record.files)
    if added:
        raise _broken(record, f"{min(added)} was added")
    return states


def file_state(path: Path) -> tuple[int, ...]:
    """What changes when a file's content changes: size, times (ns) and inode. Raises OSError."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _loadable(record: PinnedModel, folder: Path) -> set[str]:
    """Files in the pipeline's folders that loading would read."""
    folders = {path.split("/")[0] for path in record.files if "/" in path}
    return {
        f"{name}/{p.name}" for name in folders for p in (folder / name).iterdir() if is_loadable_file(p.name)
    }


def _broken(record: PinnedModel, what: str) -> GenerationFailed:
    """The error for files that are not the pulled ones."""
    return GenerationFailed(
        f"{record.source} differs from what was pulled: {what}",
        hint=f"fetch missing or altered files again with `safegen models pull {record.source}`",
    )
