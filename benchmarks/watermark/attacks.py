"""What happens to clips in the wild, as functions: frames in, the frames a detector would see out.

Every attack is deterministic. ``ATTACKS`` maps a name to an ``Attack``; pictures are changed first and
then encoded, so that "crop_50" means cropped *and* re-encoded with H.264 CRF 23, as a sharing site does.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from fractions import Fraction

import av
import av.error
import numpy as np

from benchmarks.watermark.edits import Edit, Frames, resize_one
from safegen.types import FrameSample


@dataclass(frozen=True)
class Codec:
    """An encoder of PyAV with its options; ``None`` fields are left to the encoder."""

    name: str = "libx264"
    crf: int = 23
    preset: str | None = "medium"
    extra: dict[str, str] = field(default_factory=dict)

    def options(self) -> dict[str, str]:
        """Options for one thread, so that times compare."""
        out = {"crf": str(self.crf), "threads": "1", **self.extra}
        if self.preset is not None:
            out["preset"] = self.preset
        return out


@dataclass(frozen=True)
class Attack:
    """An edit of the frames, then a codec (``None``: the edited frames as they are)."""

    edit: Edit
    codec: Codec | None = field(default_factory=Codec)
    fps_scale: float = 1.0


def encode(frames: Frames, fps: float, codec: Codec) -> bytes:
    """Frames as an in-memory file (Matroska, which takes every codec); odd sides lose one pixel."""
    height, width = (side // 2 * 2 for side in frames.shape[1:3])
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream(codec.name, rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = codec.options()
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[:height, :width]), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return buffer.getvalue()


def decode(data: bytes, limit: int | None = None) -> tuple[Frames, tuple[bool, ...]]:
    """Frames and key-frame flags of an in-memory file."""
    frames, keys = [], []
    with av.open(io.BytesIO(data)) as container:
        for picture in container.decode(video=0):
            frames.append(picture.to_ndarray(format="rgb24"))
            keys.append(bool(picture.key_frame))
            if limit is not None and len(frames) == limit:
                break
    return np.stack(frames), tuple(keys)


def available(codec: Codec) -> bool:
    """Whether this build of PyAV has the encoder."""
    try:
        av.codec.Codec(codec.name, "w")
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def sample(
    frames: Frames, keys: tuple[bool, ...] | None, fps: float, count: int = 64, short: int | None = 360
) -> FrameSample:
    """Evenly spaced frames (and every keyframe among them counts as such), scaled down to *short*."""
    index = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
    height, width = frames.shape[1:3]
    scale = 1.0 if short is None else min(1.0, short / min(height, width))
    chosen = [resize_one(frames[i], scale, scale) for i in index]
    flags = keys if keys is not None else tuple(i == 0 for i in range(len(frames)))
    return FrameSample(
        frames=np.stack(chosen),
        times=tuple(float(i / fps) for i in index),
        keyframe=tuple(flags[i] for i in index),
        width=width,
        height=height,
        fps=fps,
        seconds=len(frames) / fps,
    )


def apply(
    attack: Attack, frames: Frames, fps: float, count: int = 64, short: int | None = 360
) -> tuple[FrameSample, int]:
    """Carry out *attack*: what the detector sees, and the size of the file in bytes (0 without codec)."""
    edited = attack.edit(frames)
    fps = fps * attack.fps_scale
    if attack.codec is None:
        return sample(edited, None, fps, count, short), 0
    data = encode(edited, fps, attack.codec)
    decoded, keys = decode(data)
    return sample(decoded, keys, fps, count, short), len(data)
