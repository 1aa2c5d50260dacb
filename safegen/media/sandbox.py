"""Decoding of files nobody vouches for, in a child process with limits on memory, time and pixels.

The parent never hands a foreign file to a demuxer or decoder; it reads plain pixels from a pipe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import UnreadableInput
from safegen.media import _start
from safegen.media._channel import HINT as _HINT
from safegen.media._channel import NoVideo, worker_messages
from safegen.types import AudioTrack, Clip, FrameSample

if TYPE_CHECKING:
    from safegen.types import Frame

__all__ = [
    "Limits",
    "MediaInfo",
    "NoVideo",
    "open_clip",
    "prepare",
    "probe",
    "read_audio",
    "sample_frames",
    "stream_frames",
]


@dataclass(frozen=True)
class Limits:
    """What a decoder may use: bytes of address space, seconds, pixels and frames.

    ``max_seconds`` bounds the CPU time of a job and the wait for any one answer; where every picture is
    wanted (``open_clip``, ``footage``) it is the CPU time without a new picture.
    """

    max_bytes: int = 6 * 2**30
    max_seconds: int = 300
    max_pixels: int = 8192 * 8192
    max_frames: int = 1_000_000
    max_samples: int = 48_000 * 3600
    """Audio samples per channel that are read at most (an hour at 48 kHz)."""
    dense_seconds: float = 90.0
    """Longer files are sampled at keyframes only."""


@dataclass(frozen=True)
class MediaInfo:
    """What the container says: ``fps`` exact (0 when unknown), ``frames`` 0 when unknown."""

    format: str
    codec: str
    width: int
    height: int
    fps: Fraction
    seconds: float
    frames: int
    audio: tuple[dict[str, Any], ...]
    streams: tuple[str, ...]


def prepare() -> None:
    """Get ready to decode, without waiting: called early, the decoder is there sooner."""
    _start.prepare("safegen.media._worker")


def probe(path: Path, limits: Limits = Limits()) -> MediaInfo:
    """What *path* contains. Raises UnreadableInput (NoVideo for sound only)."""
    for message, _ in _messages(path, "probe", 0, None, limits):
        if message["type"] == "info":
            return _info(message)
    raise UnreadableInput(f"{path}: not a readable video", hint=_HINT)


def sample_frames(
    path: Path, *, frames: int, short_side: int | None, limits: Limits = Limits()
) -> FrameSample:
    """At most *frames* pictures spread over the whole of *path*, scaled down to *short_side* pixels.

    Raises UnreadableInput when nothing can be decoded (NoVideo for sound only).
    """
    import numpy as np

    info: MediaInfo | None = None
    pictures: list[Frame] = []
    times: list[float] = []
    keys: list[bool] = []
    for message, picture in _messages(path, "sample", frames, short_side, limits):
        if message["type"] == "info":
            info = _info(message)
        elif picture is not None:
            pictures.append(picture)
            times.append(float(message["time"]))
            keys.append(bool(message["key"]))
    if info is None or not pictures:
        raise UnreadableInput(f"{path}: no frame in it can be decoded", hint=_HINT)
    shape = pictures[0].shape
    same = [i for i, p in enumerate(pictures) if p.shape == shape]
    return FrameSample(
        np.stack([pictures[i] for i in same]),
        tuple(times[i] for i in same),
        tuple(keys[i] for i in same),
        info.width,
        info.height,
        float(info.fps),
        info.seconds or (max(times) + (1 / float(info.fps) if info.fps else 0.0)),
    )


def open_clip(path: Path, limits: Limits = Limits(), *, info: MediaInfo | None = None) -> Clip:
    """*path* as a re-iterable Clip; every pass decodes anew in a fresh child. Audio is not decoded.

    *info*: what ``probe`` said, where it was asked already. Raises UnreadableInput when the file has no
    readable video.
    """
    info = info or probe(path, limits)
    first = next(_frames(path, limits), None)
    if first is None:
        raise UnreadableInput(f"{path}: no frame in it can be decoded", hint=_HINT)
    fps = info.fps if info.fps > 0 else Fraction(24)
    count = info.frames or max(1, round(info.seconds * fps))
    height, width = first.shape[:2]
    return Clip(lambda: _frames(path, limits), width, height, fps, count)


def stream_frames(
    path: Path, *, rate: float, short_side: int | None, limits: Limits = Limits()
) -> Iterator[tuple[Frame, float, bool] | str]:
    """Pictures of the whole of *path*, at most *rate* a second, as (picture, seconds, keyframe); scaled down
    to *short_side*. A text among them says where decoding stopped early.

    Raises UnreadableInput (NoVideo for sound only).
    """
    for message, picture in _messages(path, "watch", 0, short_side, limits, rate):
        if picture is not None:
            yield picture, float(message["time"]), bool(message["key"])
        elif message["type"] == "warning":
            yield str(message["message"])


def read_audio(path: Path, limits: Limits = Limits()) -> AudioTrack | None:
    """The first sound track of *path*, mixed down to at most two channels; None when it has none.

    Raises UnreadableInput when it cannot be decoded or is longer than the limit.
    """
    import numpy as np

    blocks: list[bytes] = []
    rate = channels = 0
    for message, payload in _messages(path, "sound", 0, None, limits):
        if message["type"] == "sound" and payload is not None:
            rate, channels = int(message["rate"]), int(message["channels"])
            blocks.append(payload.tobytes())
    if not blocks:
        return None
    samples = np.frombuffer(b"".join(blocks), np.float32).reshape(-1, channels)
    return AudioTrack(samples, rate)


def _frames(path: Path, limits: Limits) -> Iterator[Frame]:
    """Every frame of *path*, one at a time. A file that breaks off in the middle raises UnreadableInput."""
    for message, picture in _messages(path, "stream", 0, None, limits):
        if picture is not None:
            yield picture
        elif message["type"] == "warning":
            raise UnreadableInput(f"{path}: {message['message']}", hint=_HINT)


def _info(message: dict[str, Any]) -> MediaInfo:
    """MediaInfo from the worker's message."""
    numerator, denominator = message["fps"]
    return MediaInfo(
        message["format"],
        message["codec"],
        message["width"],
        message["height"],
        Fraction(numerator, denominator or 1),
        float(message["seconds"]),
        int(message["frames"]),
        tuple(message["audio"]),
        tuple(message["streams"]),
    )


def _messages(
    path: Path, op: str, frames: int, short_side: int | None, limits: Limits, rate: float = 0.0
) -> Iterator[tuple[dict[str, Any], Frame | None]]:
    """Messages of one worker, with the bytes of each ``frame`` (a picture) or ``sound`` message."""
    import numpy as np

    job = {"op": op, "frames": frames, "short_side": short_side, "rate": rate, **vars(limits)}
    for message, data in worker_messages(path, job, limits.max_seconds):
        payload = None if data is None else np.frombuffer(data, np.uint8)
        if payload is not None and "shape" in message:
            payload = payload.reshape([int(x) for x in message["shape"]])
        yield message, payload
