"""What the three back ends of invisible-watermark 0.2.0 share.

The library is keyless and says nothing about presence: every picture "decodes" to some bits, and an
unmarked, still picture to the *same* bits in every frame. So here the payload is first mixed with a
stream from the key (SHAKE-256), and a mark counts as present only when a known id agrees with the
majority over the frames in so many bits that this is not chance: for content made without the key
each bit agrees with probability 1/2, the tail of the binomial distribution times the number of ids
tried. Without known ids nothing is ever claimed as present; the majority's bits are still given.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.errors import MarkingFailed, MissingExtra
from safegen.types import WatermarkReading

if TYPE_CHECKING:
    from safegen.types import Frame, FrameSample

__all__ = ["HINT", "ImWatermark", "require"]

HINT = 'pip install "safegen[imwatermark]" && pip install --no-deps invisible-watermark'
_MIN_PIXELS = 256 * 256


def require(method: str) -> None:
    """Raise MissingExtra when what *method* needs is not installed (looks only, imports nothing)."""
    needed = ["imwatermark", "pywt", "torch"]
    if method == "rivaGan":
        needed.append("onnxruntime")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(f"the {method} watermark needs {', '.join(missing)}", hint=HINT)


class ImWatermark:
    """One method of invisible-watermark behind ``safegen.protocols.Watermark``.

    Payloads wider than ``payload_bits`` are cut to their low bits, in embedding and in the known ids; a
    reading that matched a known id gives that id whole. Pictures below 256 x 256 pixels cannot be marked.
    """

    sample_frames: int = 8
    sample_short_side: int | None = None

    def __init__(self, method: str, bits: int, accept_log10_p: float) -> None:
        """*method* as the library names it; *bits* of payload; the bound below which a mark is present."""
        require(method)
        self.method = method
        self.payload_bits = bits
        self.accept_log10_p = accept_log10_p
        self.alg = f"org.safegen.watermark.{method.lower()}.1"

    def embed(self, frames: Iterable[Frame], *, payload: int, key: bytes) -> Iterator[Frame]:
        """Yield marked copies of *frames* (uint8 RGB). Raises MarkingFailed below 256 x 256 pixels."""
        bits = self._bits(payload) ^ self._stream(key)
        return self._embed(frames, bits)

    def _embed(self, frames: Iterable[Frame], bits: NDArray[np.uint8]) -> Iterator[Frame]:
        from imwatermark import WatermarkEncoder

        encoder = WatermarkEncoder()
        encoder.set_watermark("bits", [int(b) for b in bits])
        self._load(encoder)
        for frame in frames:
            if frame.shape[0] * frame.shape[1] < _MIN_PIXELS:
                raise MarkingFailed(
                    f"{self.method} cannot mark pictures below 256x256 pixels", hint="use the tile watermark"
                )
            bgr = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2BGR)
            marked = np.clip(encoder.encode(bgr, self.method), 0, 255).astype(np.uint8)
            yield np.asarray(cv2.cvtColor(marked, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def detect(
        self, sample: FrameSample, *, key: bytes, known: Sequence[int] = ()
    ) -> Sequence[WatermarkReading]:
        """One reading; ``present`` only for a known id (see the module's docstring). ``bounded`` is False."""
        frames = sample.frames
        if frames.ndim != 4 or len(frames) == 0 or frames.shape[1] * frames.shape[2] < _MIN_PIXELS:
            return [WatermarkReading(self.alg, present=False, payload=None, log10_p=0.0, bounded=False)]
        votes = self._votes(frames)
        read = (votes > 0.5).astype(np.uint8) ^ self._stream(key)
        guess = int("".join(str(int(b)) for b in read), 2)
        best, agree = self._nearest(read, known)
        if best is None:
            return [WatermarkReading(self.alg, present=False, payload=guess, log10_p=0.0, bounded=False)]
        p = min(0.0, _log10_tail(self.payload_bits, agree) + math.log10(len(known)))
        present = p < self.accept_log10_p
        return [
            WatermarkReading(
                self.alg,
                present=present,
                payload=best if present else guess,
                log10_p=p,
                bounded=False,
                matched_known=present,
                bit_error_rate=1 - agree / self.payload_bits,
            )
        ]

    def _votes(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Share of frames that read each bit as 1."""
        from imwatermark import WatermarkDecoder

        decoder = WatermarkDecoder("bits", self.payload_bits)
        self._load(decoder)
        reads = []
        for frame in frames:
            bgr = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2BGR)
            reads.append(np.asarray(decoder.decode(bgr, self.method), dtype=np.float64))
        return np.asarray(np.mean(reads, axis=0), dtype=np.float64)

    def _nearest(self, read: NDArray[np.uint8], known: Sequence[int]) -> tuple[int | None, int]:
        """The known id that agrees in most bits, and in how many."""
        if not known:
            return None, 0
        bits = np.stack([self._bits(k) for k in known])
        agree = (bits == read).sum(axis=1)
        best = int(agree.argmax())
        return known[best], int(agree[best])

    def _load(self, tool: Any) -> None:
        if self.method == "rivaGan":
            tool.loadModel()

    def _bits(self, payload: int) -> NDArray[np.uint8]:
        low = payload & ((1 << self.payload_bits) - 1)
        return np.unpackbits(np.frombuffer(low.to_bytes(self.payload_bits // 8, "big"), dtype=np.uint8))

    def _stream(self, key: bytes) -> NDArray[np.uint8]:
        digest = hashlib.shake_256(self.alg.encode() + hashlib.sha256(key).digest())
        return np.unpackbits(np.frombuffer(digest.digest(self.payload_bits // 8), dtype=np.uint8))


def _log10_tail(n: int, k: int) -> float:
    """log10 P(X >= k) for X ~ Binomial(n, 1/2), exact."""
    return math.log10(sum(math.comb(n, i) for i in range(k, n + 1))) - n * math.log10(2)
