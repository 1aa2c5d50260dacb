"""What was pulled: the commit of each model, and the size and SHA-256 of each of its files.

One small JSON file per model in the user's own data folder (``models/`` beside the user's workspace), so that
no folder that came from somewhere else can say which weights are the right ones.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from safegen._util.files import lock_descriptor, write_durable
from safegen.errors import GenerationFailed

FORMAT = 1
_SMALL = frozenset({".json", ".txt", ".model", ".jinja"})
_PLAIN_WEIGHTS = re.compile(r"[A-Za-z0-9_]+(-\d{5}-of-\d{5})?\.safetensors")
_VARIANT_INDEX = re.compile(r"[A-Za-z0-9_]+\.(safetensors|bin)\.index\.[^.]+\.json|.*\.bin\.index\.json")


@dataclass(frozen=True)
class PinnedFile:
    """One file of a model: bytes and SHA-256 (hex), both compared with the hub's when it was fetched."""

    size: int
    sha256: str


@dataclass(frozen=True)
class PinnedModel:
    """A pulled model: hub id, the revision asked for, the commit it was, its licence, files by path.

    ``seen`` holds what a file looked like (size, times, inode) when its hash was last computed: while that
    is unchanged the hash is not computed again. ``accepted`` names the licence terms the user accepted.
    """

    source: str
    revision: str
    commit: str
    pulled: str
    files: Mapping[str, PinnedFile]
    licence: str = ""
    pipeline: str = ""
    accepted: str = ""
    seen: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.size for file in self.files.values())


def records_folder() -> Path:
    """Where the records are kept. The folder need not exist."""
    import platformdirs

    return Path(platformdirs.user_data_dir("safegen", appauthor=False)) / "models"


def record_path(source: str) -> Path:
    """File of a model's record."""
    return records_folder() / f"{quote(source.replace('/', '--'), safe='-._')}.json"


def read_record(source: str) -> PinnedModel | None:
    """The record of a hub id; None when it was never pulled. Raises GenerationFailed for a damaged one."""
    file = record_path(source)
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return _parsed(data)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GenerationFailed(
            f"the record of {source} cannot be read: {file.name}: {error}",
            hint=f"run `safegen models unpin {source}`, then pull it again: its files are kept",
        ) from error


def write_record(record: PinnedModel) -> None:
    """Keep a record: the old one or the new one, never half of it. Raises GenerationFailed."""
    file = record_path(record.source)
    data = json.dumps({"format": FORMAT, **asdict(record)}, indent=1, sort_keys=True).encode()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durable(file, data, mode=0o666)  # the folder is the user's own
    except OSError as error:
        raise GenerationFailed(
            f"the record of {record.source} cannot be written: {error.strerror}",
            hint=f"make {file.parent} writable",
        ) from error


def update_file_states(record: PinnedModel, seen: Mapping[str, tuple[int, ...]]) -> None:
    """Keep what the files look like now; where that cannot be written the next load hashes again."""
    with contextlib.suppress(GenerationFailed):
        write_record(replace(record, seen=dict(seen)))


def remove_record(source: str) -> bool:
    """Forget a model; its files stay in the cache. False when there was no record."""
    try:
        record_path(source).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise GenerationFailed(f"the record of {source} cannot be removed: {error.strerror}") from error
    return True


def list_sources() -> list[str]:
    """Hub ids of every record that can be read, sorted."""
    found = []
    for file in sorted(records_folder().glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found.append(str(json.loads(file.read_text(encoding="utf-8"))["source"]))
    return sorted(found)


def is_loadable_file(name: str) -> bool:
    """Whether loading reads a file of that name."""
    if name.endswith(".safetensors"):
        return _PLAIN_WEIGHTS.fullmatch(name) is not None
    return Path(name).suffix in _SMALL and _VARIANT_INDEX.fullmatch(name) is None


@contextlib.contextmanager
def exclusive_pull(source: str) -> Iterator[None]:
    """One pull of a model at a time (an advisory lock; a crash releases it). Raises GenerationFailed."""
    if os.name != "posix":  # no such locks here: the worst is a file downloaded twice
        yield
        return
    lock = record_path(source).with_suffix(".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise GenerationFailed(
            f"{lock.parent} cannot be written: {error.strerror}", hint="make it writable"
        ) from error
    try:
        try:
            lock_descriptor(handle, wait=False)
        except BlockingIOError as error:
            raise GenerationFailed(
                f"{source} is being pulled by another process", hint="wait for it to finish"
            ) from error
        yield
    finally:
        os.close(handle)


def _parsed(data: Mapping[str, Any]) -> PinnedModel:
    """A record from its JSON."""
    if data["format"] != FORMAT:
        raise ValueError(f"unknown format {data['format']!r}")
    files = {str(k): PinnedFile(int(v["size"]), str(v["sha256"])) for k, v in data["files"].items()}
    seen = {str(k): tuple(int(x) for x in v) for k, v in data["seen"].items()}
    texts = {k: str(data[k]) for k in ("source", "revision", "commit", "pulled", "licence", "pipeline")}
    return PinnedModel(**texts, accepted=str(data["accepted"]), files=files, seen=seen)
