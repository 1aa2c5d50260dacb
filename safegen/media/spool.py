"""A clip written down once, read as often as wanted: frames stay on disk, not in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import GenerationFailed, Interrupted
from safegen.protocols import NoProgress, Progress
from safegen.types import Clip

if TYPE_CHECKING:
    from safegen.types import Frame


def spool(clip: Clip, file: Path, *, progress: Progress = NoProgress()) -> Clip:
    """Write the frames of *clip* to *file* (raw RGB) and return a clip that reads them from there.

    Raises GenerationFailed when there are no frames, or their sizes differ from the clip's.
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
                out.write(frame.tobytes())
                count += 1
    except OSError as error:
        raise GenerationFailed(
            f"the frames could not be written: {error.strerror}", hint="is there space on the disk?"
        ) from error
    if count == 0:
        raise GenerationFailed("the generator gave no frames")

    def read() -> Iterator[Frame]:
        import numpy as np

        yield from np.memmap(file, np.uint8, "r", shape=(count, *shape))

    return replace(clip, open=read, count=count)
