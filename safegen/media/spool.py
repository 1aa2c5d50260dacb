"""A clip written down once, read as often as wanted: frames stay on disk, not in memory."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, Interrupted, UnreadableInput
from safegen.media.handles import opened, read_media, write_media
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
    return GenerationFailed(f"{what}: {error.strerror}", hint="check for free disk space")


def start_digest(clip: Clip) -> Any:
    """The SHA-256 (a hashlib object) that ``spool`` goes on with: over one line of text with the size, the
    pixel format and the exact frame rate, then every frame's bytes. Sound is not part of it.
    """
    fps = f"{clip.fps.numerator}/{clip.fps.denominator}"
    return hashlib.sha256(f"safegen frames 1: {clip.width}x{clip.height} rgb24 {fps}\n".encode())


COMPACT_BYTES = 2**30
"""Raw size from which a spool is packed, without loss: a minute of 1080p is 9 GB raw."""


def spool(clip: Clip, file: Path, *, progress: Progress = NoProgress(), digest: Any = None) -> Clip:
    """Write the frames of *clip* to *file* and return a clip that reads exactly the same from there.

    Small clips are written raw, large ones (COMPACT_BYTES) as lossless H.264 in RGB. *digest*, made by
    ``start_digest``, takes in every frame on the way. Raises GenerationFailed when there are no frames, or
    their sizes differ from the clip's.
    """
    large = clip.width * clip.height * 3 * clip.count > COMPACT_BYTES
    write, read = (_write_packed, _read_packed) if large else (_write_raw, _read_raw)
    try:
        count = write(_checked(clip, progress, digest), file, clip)
    except OSError as error:
        raise _no_space("the frames could not be written", error) from error
    if count == 0:
        raise GenerationFailed("the generator returned no frames")
    return replace(clip, open=lambda: read(file, (count, clip.height, clip.width, 3)), count=count)


def pack(clip: Clip, file: Path, *, progress: Progress = NoProgress()) -> None:
    """Write the frames of *clip* to *file* (Matroska), without loss, for a player to show and ``unpack``.

    Raises as ``spool``.
    """
    try:
        _write_packed(_checked(clip, progress, None), file, clip)
    except OSError as error:
        raise _no_space("the frames could not be written", error) from error


def unpack(file: Path, width: int, height: int, fps: Fraction, count: int) -> Clip:
    """The clip that was ``pack``ed into *file*: *count* frames of *width* by *height* pixels, no sound."""
    shape = (count, height, width, 3)
    return Clip(lambda: _read_packed(file, shape), width, height, fps, count)


def _checked(clip: Clip, progress: Progress, digest: Any) -> Iterator[Frame]:
    """The frames, each looked at and taken into the digest."""
    shape = (clip.height, clip.width, 3)
    for frame in clip:
        if progress.cancelled():
            raise Interrupted("stopped while writing frames")
        if frame.shape != shape:
            raise GenerationFailed(f"a frame has shape {frame.shape}, but the clip states {shape}")
        if digest is not None:
            digest.update(frame.tobytes())
        yield frame


def _write_raw(frames: Iterable[Frame], file: Path, clip: Clip) -> int:
    count = 0
    with file.open("wb") as out:
        for frame in frames:
            out.write(frame.tobytes())
            count += 1
    return count


def _read_raw(file: Path, shape: tuple[int, ...]) -> Iterator[Frame]:
    import numpy as np

    yield from np.memmap(file, np.uint8, "r", shape=shape)


def _write_packed(frames: Iterable[Frame], file: Path, clip: Clip) -> int:
    """Lossless H.264 4:4:4 RGB: about three times faster than FFV1, and smaller than raw by far."""
    import av

    count = 0
    with opened(file, write=True) as out, write_media(out, "matroska") as box:
        stream = box.add_stream("libx264rgb", rate=clip.fps)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "rgb24"
        stream.options = {"qp": "0", "preset": "ultrafast"}
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = count, 1 / clip.fps
            box.mux(stream.encode(picture))
            count += 1
        box.mux(stream.encode(None))
    return count


def _read_packed(file: Path, shape: tuple[int, ...]) -> Iterator[Frame]:
    """Our own file, so it is decoded here."""
    import numpy as np

    with opened(file) as source, read_media(source) as box:
        box.streams.video[0].thread_type = "AUTO"
        for picture in box.decode(video=0):
            yield np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
