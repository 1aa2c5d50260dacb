"""What a pipeline makes of a requested size and duration: rounded with a note, or refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safegen.errors import UsageError

if TYPE_CHECKING:
    from safegen.generators.diffusers.families import NativeFormat
    from safegen.generators.presets import Preset
    from safegen.types import Request

MAX_SIDE = 8192
_LONG = 2.0
"""How many times its native length a model can be asked for before we say that it was not made for it."""


@dataclass(frozen=True)
class OutputSpec:
    """One clip to be made: pixels (``None``) and frames (0) the pipeline decides, rate, and what to say."""

    width: int | None
    height: int | None
    frames: int
    fps: int
    notes: tuple[str, ...] = ()


def with_preset(preset: Preset, native: NativeFormat) -> NativeFormat:
    """The pipeline's own sizes and rules with the preset's choice where it has one."""
    return replace(
        native,
        width=preset.width or native.width,
        height=preset.height or native.height,
        frames=preset.frames or native.frames,
        fps=preset.fps if preset.frames else native.fps,
    )


def resolve_output(
    request: Request, native: NativeFormat, *, shape: tuple[int, int] | None = None
) -> OutputSpec:
    """Size, frames and rate for a request; *shape* (width, height) of an input decides where it does not.

    Raises UsageError for what cannot be made, saying what can.
    """
    requested = (request.width, request.height)
    width, height = _size(requested, native, shape)
    fps = request.fps or native.fps
    frames = native.frames or 0
    if request.seconds is not None:
        frames = nearest_frame_count(request.seconds * fps, native)
    if native.fixed:
        _refuse_fixed(request, native, width, height, frames)
        frames = native.frames or frames
    notes = _notes(request, native, (width, height), frames, fps)
    return OutputSpec(width, height, frames, fps, notes)


def nearest_frame_count(count: float, native: NativeFormat) -> int:
    """The possible number of frames nearest to *count*, at least two."""
    steps = round((count - native.first) / native.step)
    return native.first + max(0 if native.first > 1 else 1, _fewest(native), steps) * native.step


def frame_count_at_most(count: int, native: NativeFormat) -> int:
    """The largest possible number of frames up to *count*; the smallest possible one if there is none."""
    return native.first + max(_fewest(native), (count - native.first) // native.step) * native.step


def frame_count_at_least(count: int, native: NativeFormat) -> int:
    """The smallest possible number of frames from *count* on."""
    return native.first + max(_fewest(native), -((native.first - count) // native.step)) * native.step


def _fewest(native: NativeFormat) -> int:
    """Steps beyond the first frames of the shortest clip."""
    return max(0, -((native.first - native.least) // native.step))


def describe_size(width: int | None, height: int | None, frames: int, fps: int) -> str:
    """Size, frames and duration in words."""
    size = f"{width}x{height}, " if width and height else ""
    return f"{size}{frames} frames ({frames / fps:.3g} s at {fps} fps)"


def _size(
    requested: tuple[int | None, int | None], native: NativeFormat, shape: tuple[int, int] | None
) -> tuple[int | None, int | None]:
    """Sides as multiples: the asked ones, else the shape's in the native area, else the native ones."""
    width, height = requested
    like = shape or ((native.width, native.height) if native.width and native.height else None)
    if native.fixed and native.width and native.height and requested == (None, None):
        return native.width, native.height
    if width is None and height is None:
        if like is None:
            return None, None
        if shape is None or not native.width or not native.height:
            width, height = like
        else:
            scale = (native.width * native.height / (shape[0] * shape[1])) ** 0.5
            width, height = round(shape[0] * scale), round(shape[1] * scale)
    elif like is None:
        width, height = width or height, height or width
    elif width is None and height is not None:
        width = round(height * like[0] / like[1])
    elif height is None and width is not None:
        height = round(width * like[1] / like[0])
    assert width is not None and height is not None
    for side in (width, height):
        if side < native.side / 2 or side > MAX_SIDE:
            raise UsageError(
                f"this model cannot make {width}x{height} pixels",
                hint=f"sides must be multiples of {native.side} from {native.side} to {MAX_SIDE}",
            )
    return _multiple(width, native.side), _multiple(height, native.side)


def _multiple(value: int, of: int) -> int:
    return max(1, round(value / of)) * of


def _refuse_fixed(
    request: Request, native: NativeFormat, width: int | None, height: int | None, frames: int
) -> None:
    wrong_size = (request.width or request.height) and (width, height) != (native.width, native.height)
    if wrong_size or (request.seconds is not None and frames != native.frames):
        only = describe_size(native.width, native.height, native.frames or 0, native.fps)
        raise UsageError(
            f"this model makes {only} only",
            hint="omit --width, --height and --seconds",
        )


def _notes(
    request: Request, native: NativeFormat, size: tuple[int | None, int | None], frames: int, fps: int
) -> tuple[str, ...]:
    notes = []
    sides = ((request.width, size[0]), (request.height, size[1]))
    rounded = any(requested is not None and requested != made for requested, made in sides)
    if request.seconds is not None:
        rounded = rounded or abs(frames - request.seconds * fps) > 0.5
    if rounded:
        rule = (
            f"sides must be multiples of {native.side}, frames {native.first} more than one of {native.step}"
        )
        notes.append(f"will make {describe_size(*size, frames, fps)}: {rule}")
    if native.frames and frames > _LONG * native.frames:
        notes.append(
            f"the model was made for {native.frames} frames: longer clips may drift and need more memory"
        )
    if fps != native.fps and not native.timed:
        notes.append(
            f"the model was made for {native.fps} fps: at {fps} "
            f"everything moves {fps / native.fps:.2g} times as fast"
        )
    return tuple(notes)
