"""One scheme on one clip: cost, quality, and what each attack leaves."""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.watermark import attacks as a
from benchmarks.watermark.attacks import Attack, Codec
from benchmarks.watermark.edits import Frames
from safegen.protocols import Watermark

DECOYS = 999
"""Other ids in the ledger when known ids are tested."""


@dataclass(frozen=True)
class Cost:
    """Quality and speed of embedding; frames per second of CPU time, one thread, this machine, now."""

    psnr_y: float
    ssim_y: float
    embed_fps: float
    x264_fps: float
    bitrate_delta: float
    """Relative size of the marked clip to the unmarked one, H.264 CRF 23 medium, minus one."""

    @property
    def share_of_x264(self) -> float:
        """Embedding time over x264 medium's time for the same frames."""
        return self.x264_fps / self.embed_fps


@dataclass(frozen=True)
class Outcome:
    """What was read after one attack: freely, and with the id among 1,000 known ones."""

    payload: bool
    known: bool
    wrong: bool
    log10_p: float
    seconds: float


def luma(frames: Frames) -> np.ndarray:
    """Full-range luma of RGB frames."""
    return np.stack([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in frames])


def psnr_y(clean: Frames, marked: Frames) -> float:
    """PSNR of luma over the clip, dB."""
    error = np.mean([(x.astype(float) - y) ** 2 for x, y in zip(luma(clean), luma(marked), strict=True)])
    return float(10 * np.log10(255**2 / max(float(error), 1e-9)))


def ssim_y(clean: Frames, marked: Frames) -> float:
    """Mean structural similarity of luma (Wang et al. 2004: Gaussian window, sigma 1.5), every 4th frame."""
    values = []
    for x, y in zip(luma(clean[::4]).astype(np.float64), luma(marked[::4]).astype(np.float64), strict=True):
        mx, my, xx, yy, xy = (cv2.GaussianBlur(v, (11, 11), 1.5) for v in (x, y, x * x, y * y, x * y))
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        top = (2 * mx * my + c1) * (2 * (xy - mx * my) + c2)
        values.append(float(np.mean(top / ((mx**2 + my**2 + c1) * (xx - mx**2 + yy - my**2 + c2)))))
    return float(np.mean(values))


def mark(
    scheme: Watermark,
    frames: Frames,
    fps: float,
    payload: int,
    key: bytes,
    x264: tuple[float, int] | None = None,
) -> tuple[Frames, Cost]:
    """Embed and measure; *x264* = (frames per second, bytes) of the unmarked clip, when known."""
    next(iter(scheme.embed(iter(frames[:1]), payload=payload, key=key)))  # imports and tables, once a process
    start = time.process_time()
    count = sum(1 for _ in scheme.embed(iter(frames), payload=payload, key=key))  # streaming, nothing kept
    embed_fps = count / (time.process_time() - start)
    marked = np.stack(list(scheme.embed(iter(frames), payload=payload, key=key)))
    speed, size = x264 if x264 is not None else baseline(frames, fps)
    delta = len(a.encode(marked, fps, Codec())) / size - 1
    return marked, Cost(psnr_y(frames, marked), ssim_y(frames, marked), embed_fps, speed, delta)


def baseline(frames: Frames, fps: float) -> tuple[float, int]:
    """x264 medium CRF 23 on the unmarked frames: frames per second, bytes."""
    start = time.process_time()
    size = len(a.encode(frames, fps, Codec()))
    return len(frames) / (time.process_time() - start), size


def outcome(
    scheme: Watermark, attack: Attack, marked: Frames, fps: float, payload: int, key: bytes
) -> Outcome:
    """Attack, then read with and without known ids."""
    seen, _ = a.apply(attack, marked, fps, scheme.sample_frames, scheme.sample_short_side)
    rng = np.random.default_rng(payload % (1 << 32))
    mask = (1 << scheme.payload_bits) - 1
    decoys = [int(v) & mask for v in rng.integers(0, 1 << 63, DECOYS)]
    start = time.process_time()
    tested = scheme.detect(seen, key=key, known=[payload & mask, *decoys])
    seconds = time.process_time() - start
    # Free reading needs more evidence than a known id, and a search that knew ids has read freely as well.
    free = scheme.detect(seen, key=key) if any(r.present for r in tested) else tested
    read = {r.payload for r in (*free, *tested) if r.present and r.payload is not None}
    return Outcome(
        payload=any(r.present and r.payload == payload & mask for r in free),
        known=any(r.present and r.payload == payload & mask for r in tested),
        wrong=bool(read - {payload & mask}),
        log10_p=min(r.log10_p for r in free),
        seconds=seconds,
    )
