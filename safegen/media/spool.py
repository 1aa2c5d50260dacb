"""A clip written down once, read as often as wanted: frames stay on disk, not in memory."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, Interrupted, UnreadableInput
from safegen.protocols import NoProgress, Progress
from safegen.types import Clip

if TYPE_CHECKING:
    from safegen.types import Frame


def copy_file(source: Path, target: Path) -> None:
    """Copy *source* to *target*. Raises UnreadableInput, or GenerationFailed when the disk is full."""
    try:
        with source.open("rb") as file, target.open("xb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
    except PermissionError as error:
        raise UnreadableInput(f"{source}: {error.strerror}", hint="check its permissions") from error
    except OSError as error:
        raise _no_space("the source could not be copied", error) from error


def _no_space(what: str, error: OSError) -> GenerationFailed:
    """The error of a disk that takes no more."""
    return GenerationFailed(f"{what}: {error.strerror}", hint="is there space on the disk?")


def begin_digest(clip: Clip) -> Any:
    """The SHA-256 (a hashlib object) that ``spool`` goes on with: over one line of text with the size, the
    pixel format and the exact frame rate, then every frame's bytes. Sound is not part of it.
    """
    fps = f"{clip.fps.numerator}/{clip.fps.denominator}"
    return hashlib.sha256(f"safegen frames 1: {clip.width}x{clip.height} rgb24 {fps}\n".encode())


def spool(clip: Clip, file: Path, *, progress: Progress = NoProgress(), digest: Any = None) -> Clip:
    """Write the frames of *clip* to *file* (raw RGB) and return a clip that reads them from there.

    *digest*, made by ``begin_digest``, takes in every frame on the way. Raises GenerationFailed when there
    are no frames, or their sizes differ from the clip's.
    """
    shape = (clip.height, clip.width, 3)
    count = 0
    try:
        with file.open("wb") as out:
            for frame in clip:
                if progress.cancelled():
                    raise Interrupted("stopped while writing frames")
                if frame.shape != shape:
                    raise GenerationFailed(f"a frame is {frame.shape}, the clip says {shape}")
                data = frame.tobytes()
                out.write(data)
                if digest is not None:
                    digest.update(data)
                count += 1
    except OSError as error:
        raise _no_space("the frames could not be written", error) from error
    if count == 0:
        raise GenerationFailed("the generator gave no frames")

    def read() -> Iterator[Frame]:
        import numpy as np

        yield from np.memmap(file, np.uint8, "r", shape=(count, *shape))

    return replace(clip, open=read, count=count)
