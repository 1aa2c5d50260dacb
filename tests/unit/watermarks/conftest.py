"""Clips made here, and an H.264 round trip, for the watermark's tests."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import cv2
import numpy as np
import pytest

from safegen.types import FrameSample
from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import TileWatermark

PAYLOAD = 0x5AFE_0123_89AB_CDEF


def ball(size: int = 512, count: int = 24, seed: int = 0) -> np.ndarray:
    """Flat ground, one moving ball: the hardest kind for a watermark, and what the small model makes."""
    rng = np.random.default_rng(seed)
    top, bottom = rng.integers(90, 230, 3), rng.integers(40, 200, 3)
    mix = np.linspace(0, 1, size)[:, None, None]
    ground = np.broadcast_to(top * (1 - mix) + bottom * mix, (size, size, 3)).astype(np.uint8)
    out = np.empty((count, size, size, 3), np.uint8)
    for n in range(count):
        frame = ground.copy()
        x = int(size * (0.25 + 0.5 * n / max(1, count - 1)))
        cv2.circle(frame, (x, int(size * (0.4 + 0.1 * seed))), size // 8, (220, 40, 40), -1, cv2.LINE_AA)
        out[n] = cv2.GaussianBlur(frame, (0, 0), 1.2)
    return out


def mark(frames: np.ndarray, payload: int = PAYLOAD, key: bytes = PUBLIC_KEY) -> np.ndarray:
    return np.stack(list(TileWatermark().embed(iter(frames), payload=payload, key=key)))


def sample(frames: np.ndarray, fps: float = 24.0, keys: list[bool] | None = None) -> FrameSample:
    n, height, width = frames.shape[:3]
    scale = min(1.0, 360 / min(height, width))
    small = [cv2.resize(f, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for f in frames]
    seen = np.stack(small) if scale < 1 else frames
    times = tuple(i / fps for i in range(n))
    return FrameSample(seen, times, tuple(keys or [i == 0 for i in range(n)]), width, height, fps, n / fps)


def h264(frames: np.ndarray, crf: int, fps: int = 24) -> tuple[np.ndarray, list[bool]]:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as box:
        stream = box.add_stream("libx264", rate=fps)
        stream.height, stream.width = (s // 2 * 2 for s in frames.shape[1:3])
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf), "preset": "veryfast", "threads": "1"}
        for f in frames:
            even = np.ascontiguousarray(f[: stream.height, : stream.width])
            box.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        box.mux(stream.encode())
    with av.open(io.BytesIO(buffer.getvalue())) as box:
        pictures = [(p.to_ndarray(format="rgb24"), bool(p.key_frame)) for p in box.decode(video=0)]
    return np.stack([p[0] for p in pictures]), [p[1] for p in pictures]


@pytest.fixture(scope="session")
def clean() -> np.ndarray:
    return ball()


@pytest.fixture(scope="session")
def marked(clean: np.ndarray) -> np.ndarray:
    return mark(clean)


@pytest.fixture(scope="session")
def tools() -> dict[str, Callable]:
    """The helpers above, for tests collected without package imports."""
    return {"ball": ball, "mark": mark, "sample": sample, "h264": h264}
