"""Where a guard's checkpoint lies, and the hash over it. Nothing is downloaded."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from safegen.errors import CheckUnavailable

_READ = frozenset({".safetensors", ".json", ".model", ".txt", ".jinja"})


def folder_of(model: str, revision: str | None, what: str = "guard") -> tuple[Path, str]:
    """Folder and version (a commit, or ``local``) of the checkpoint *model*: a folder, or a hub id.

    A hub id is looked up in the Hugging Face cache only. Raises CheckUnavailable, which calls it *what*,
    when it is not there.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path, "local"
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise _not_installed(what) from error
    try:
        found = Path(snapshot_download(model, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        pin = f" --revision {revision}" if revision else ""
        raise CheckUnavailable(
            f"the {what} {model!r} is not on this machine, and screening downloads nothing",
            hint=f"fetch it first: hf download {model}{pin}",
        ) from error
    return found, found.name


def digest_of(folder: Path) -> str:
    """SHA-256 (hex) over the names and contents of all files that loading reads.

    Hashed once per process and again when a file's size or time changes. Raises CheckUnavailable without
    weights: pickled ones (``.bin``) are never loaded.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix in _READ and p.is_file())
    if not any(p.suffix == ".safetensors" for p in files):
        raise CheckUnavailable(
            "the guard's folder has no weights as .safetensors", hint="download the model again"
        )
    return _digest(folder, tuple((p, p.stat().st_size, p.stat().st_mtime_ns) for p in files))


@lru_cache(maxsize=8)
def _digest(folder: Path, files: tuple[tuple[Path, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for path, size, _ in files:
        whole.update(f"{path.relative_to(folder).as_posix()}\0{size}\0".encode())
        with path.open("rb") as stream:
            while piece := stream.read(1 << 20):
                whole.update(piece)
    return whole.hexdigest()


def _not_installed(what: str = "guard") -> CheckUnavailable:
    return CheckUnavailable(f"the policy asks for a {what}, which needs transformers and torch",
                            hint="pip install 'safegen[video]'")  # fmt: skip
