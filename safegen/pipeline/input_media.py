"""An input's pictures: our own copy of the file, decoded in the sandbox within limits, spooled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.credentials import formats
from safegen.errors import UnreadableInput
from safegen.media import sandbox
from safegen.media.spool import copy_file, spool
from safegen.protocols import Progress
from safegen.types import Clip, Input

if TYPE_CHECKING:
    from safegen.types import Frame

MAX_BYTES = 2**30
MAX_SIDE, MIN_SIDE = 8192, 16
MAX_PIXELS = 1_200_000_000
"""Pixels of all frames together: about 24 s of 1080p at 24 fps, 3.6 GB when spooled."""
LIMITS = sandbox.Limits(max_pixels=MAX_SIDE * MAX_SIDE, max_seconds=120)
STILL_ROLES = frozenset({"first_frame", "last_frame"})
"""Roles that a still picture plays; the others are for videos."""


def copy_input(item: Input, temporary: Callable[[str], Path], number: int) -> Path:
    """Our own copy of an input. Raises UnreadableInput: missing, a folder, empty, huge, of no known kind."""
    container = formats.detect(item.path)
    if container.mime is None:
        raise UnreadableInput(
            f"{item.path} is {container.name}",
            hint="use a picture (PNG, JPEG, WebP) or a video (MP4, MOV, WebM, MKV, AVI)",
        )
    size = item.path.stat().st_size
    if size > MAX_BYTES:
        raise UnreadableInput(
            f"{item.path} is {size / 2**20:.0f} MB; the limit is {MAX_BYTES // 2**20} MB",
            hint="cut or shrink it first",
        )
    suffix = container.mime.rpartition("/")[2].removeprefix("x-")
    copy = temporary(f"input-{number}.{suffix}")
    copy_file(item.path, copy)
    return copy


@contextmanager
def original_name(path: Path, copy: Path) -> Iterator[None]:
    """What the block finds unreadable is named as the user's file *path*, not as our *copy* of it."""
    try:
        yield
    except UnreadableInput as error:
        raise type(error)(str(error).replace(str(copy), str(path)), hint=error.hint) from error


def decode_input(item: Input, copy: Path, raw: Path, progress: Progress) -> Clip:
    """The frames of *copy*, spooled to *raw*; a picture is a clip of one frame.

    Raises UnreadableInput (damaged, too small, too large, too long, a picture where a video belongs or the
    reverse), GenerationFailed when the disk is full, Interrupted.
    """
    picture = item.role in STILL_ROLES
    with original_name(item.path, copy):
        clip = sandbox.open_clip(copy, LIMITS)
        _check_size(item, clip, picture)
        limited = replace(clip, open=lambda: _limit_frames(item, clip, picture))
        spooled = spool(limited, raw, progress=progress)
    if not picture and spooled.count < 2:
        raise UnreadableInput(f"{item.path} is a picture, but a video is needed", hint="give a video file")
    return spooled


def has_sound(item: Input, copy: Path) -> bool:
    """Whether an input is a video with a sound track. Raises UnreadableInput."""
    return item.role not in STILL_ROLES and bool(sandbox.probe(copy, LIMITS).audio)


def _check_size(item: Input, clip: Clip, picture: bool) -> None:
    """Refuse what is too small or too large before all of it is decoded."""
    small, large = min(clip.width, clip.height), max(clip.width, clip.height)
    if small < MIN_SIDE or large > MAX_SIDE:
        raise UnreadableInput(
            f"{item.path}: {clip.width}x{clip.height} pixels",
            hint=f"an input must have sides of {MIN_SIDE} to {MAX_SIDE} pixels",
        )
    if picture and clip.count > 1:
        raise _not_a_still(item)
    if not picture and not 1 <= clip.fps <= 240:
        raise UnreadableInput(
            f"{item.path}: {float(clip.fps):g} frames a second", hint="use an input with 1 to 240"
        )
    if not picture and clip.width * clip.height * clip.count > MAX_PIXELS:
        raise _too_long(item, clip)


def _not_a_still(item: Input) -> UnreadableInput:
    return UnreadableInput(
        f"{item.path} is a video or an animation, but a picture is needed", hint="save one frame as PNG"
    )


def _too_long(item: Input, clip: Clip) -> UnreadableInput:
    seconds = MAX_PIXELS / float(clip.width * clip.height * clip.fps)
    return UnreadableInput(
        f"{item.path} is too long or too large",
        hint=f"cut it or scale it down: at this size and frame rate the limit is {seconds:.0f} s",
    )


def _limit_frames(item: Input, clip: Clip, picture: bool) -> Iterator[Frame]:
    """The frames, stopping with UnreadableInput at the first that is too many or of another size."""
    for count, frame in enumerate(clip, 1):
        if frame.shape != (clip.height, clip.width, 3):
            raise UnreadableInput(
                f"{item.path}: its frames differ in size", hint="encode it again with one frame size"
            )
        if picture and count > 1:
            raise _not_a_still(item)
        if count * clip.width * clip.height > MAX_PIXELS:
            raise _too_long(item, clip)
        yield frame
