"""What happens to clips in the wild, as functions: frames in, the frames a detector would see out.

Every attack is deterministic. ``ATTACKS`` maps a name to an ``Attack``; pictures are changed first and
then encoded, so that "crop_50" means cropped *and* re-encoded with H.264 CRF 23, as a sharing site does.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import av
import av.error
import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.types import FrameSample

Frames = NDArray[np.uint8]
"""uint8 RGB, shape (n, height, width, 3)."""
Edit = Callable[[Frames], Frames]


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


# --- edits ---------------------------------------------------------------------------------------


def resize_one(frame: NDArray[np.uint8], sx: float, sy: float) -> NDArray[np.uint8]:
    """One frame scaled by (sx, sy)."""
    if sx == sy == 1.0:
        return frame
    size = (max(2, round(frame.shape[1] * sx)), max(2, round(frame.shape[0] * sy)))
    interpolation = cv2.INTER_AREA if sx * sy < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, size, interpolation=interpolation), dtype=np.uint8)


def each(function: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Edit:
    """Apply *function* to every frame."""
    return lambda frames: np.stack([np.ascontiguousarray(function(f)) for f in frames])


def same(frames: Frames) -> Frames:
    """Nothing."""
    return frames


def resize(sx: float, sy: float | None = None) -> Edit:
    """Scale by sx, sy."""
    return each(lambda f: resize_one(f, sx, sx if sy is None else sy))


def crop(keep: float, x: float = 0.37, y: float = 0.61) -> Edit:
    """Keep a *keep* share of both sides; x, y in [0, 1] place the window off the centre."""

    def cut(f: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = f.shape[:2]
        h, w = round(height * keep), round(width * keep)
        top, left = round((height - h) * y), round((width - w) * x)
        return f[top : top + h, left : left + w]

    return each(cut)


def rotate(degrees: float) -> Edit:
    """Turn about the centre, black corners."""

    def turn(f: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = f.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
        return np.asarray(cv2.warpAffine(f, matrix, (width, height), flags=cv2.INTER_CUBIC), dtype=np.uint8)

    return each(turn)


def letterbox(aspect: float = 1.0) -> Edit:
    """Black bars until width / height = *aspect*."""

    def pad(f: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = f.shape[:2]
        tall, wide = max(0, round(width / aspect) - height), max(0, round(height * aspect) - width)
        edges = (tall // 2, tall - tall // 2, wide // 2, wide - wide // 2)
        return np.asarray(cv2.copyMakeBorder(f, *edges, cv2.BORDER_CONSTANT), dtype=np.uint8)

    return each(pad)


def gain(factor: float, offset: float = 0.0, gamma: float = 1.0) -> Edit:
    """Contrast, brightness (grey levels), gamma."""
    x = np.arange(256) / 255
    table = np.clip(255 * factor * x**gamma + offset, 0, 255).round().astype(np.uint8)
    return each(lambda f: np.asarray(cv2.LUT(f, table), dtype=np.uint8))


def grey(f: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without colour."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def noise(sigma: float) -> Edit:
    """White Gaussian noise, fresh per frame."""

    def add(frames: Frames) -> Frames:
        rng = np.random.default_rng(7)
        out = np.empty_like(frames)
        for i, f in enumerate(frames):
            out[i] = np.clip(f + rng.normal(0, sigma, f.shape), 0, 255).astype(np.uint8)
        return out

    return add


def blur(sigma: float) -> Edit:
    """Gaussian blur."""
    return each(lambda f: np.asarray(cv2.GaussianBlur(f, (0, 0), sigma), dtype=np.uint8))


def logo(share: float = 0.25) -> Edit:
    """A flat rectangle over a *share* of the area, bottom right."""

    def cover(f: NDArray[np.uint8]) -> NDArray[np.uint8]:
        out = f.copy()
        height, width = f.shape[:2]
        out[height - round(height * share**0.5) :, width - round(width * share**0.5) :] = (200, 30, 40)
        return out

    return each(cover)


def drop(keep: float) -> Edit:
    """Keep a *keep* share of the frames, evenly spaced."""
    return lambda frames: frames[
        np.linspace(0, len(frames) - 1, max(1, round(len(frames) * keep))).round().astype(int)
    ]


def trim(count: int) -> Edit:
    """*count* frames from the middle."""
    return lambda frames: frames[max(0, len(frames) // 2 - count // 2) :][:count]


def jpeg(quality: int) -> Edit:
    """The middle frame alone, as a JPEG."""

    def one(frames: Frames) -> Frames:
        middle = cv2.cvtColor(frames[len(frames) // 2], cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", middle, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))[None]

    return one


def then(*edits: Edit) -> Edit:
    """One edit after the other."""

    def run(frames: Frames) -> Frames:
        for edit in edits:
            frames = edit(frames)
        return frames

    return run
