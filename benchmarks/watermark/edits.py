"""What is done to pictures: frames in, frames out, every one deterministic."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
"""uint8 RGB, shape (n, height, width, 3)."""
Edit = Callable[[Frames], Frames]


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


def perspective(shift: float) -> Edit:
    """As filmed from the side: the right edge loses a *shift* share of its height at both ends."""

    def tilt(f: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = f.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        moved = corners + np.array([[0, 0], [0, 1], [0, -1], [0, 0]], np.float32) * shift * height
        matrix = cv2.getPerspectiveTransform(corners, moved)
        flags, edge = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpPerspective(f, matrix, (width, height), flags=flags, borderMode=edge))

    return each(tilt)


def repeat(times: int) -> Edit:
    """Every frame shown *times* times: a higher frame rate without new pictures."""
    return lambda frames: np.repeat(frames, times, axis=0)


def sharpen(amount: float) -> Edit:
    """Unsharp masking, sigma 1.5."""

    def crisp(f: NDArray[np.uint8]) -> NDArray[np.uint8]:
        soft = cv2.GaussianBlur(f, (0, 0), 1.5)
        return np.asarray(cv2.addWeighted(f, 1 + amount, soft, -amount, 0), dtype=np.uint8)

    return each(crisp)


def denoise(frames: Frames) -> Frames:
    """A bilateral filter, as phones and sharing sites apply."""
    return each(lambda f: np.asarray(cv2.bilateralFilter(f, 7, 25, 3), dtype=np.uint8))(frames)
