"""Single pictures, PNG and JPEG: read in the sandbox, written as they came, with their colour profile."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._text import one_line
from safegen.errors import ReleaseFailed, UnreadableInput
from safegen.media._channel import HINT, worker_messages
from safegen.media.sandbox import Limits
from safegen.media.still_facts import fits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from safegen.types import Frame

_LIMITS = Limits()
QUALITY = 95
"""JPEG quality of protected pictures."""
_SEGMENT = 65_519
"""ICC bytes that fit into one JPEG segment (ICC.1, annex B.4)."""


@dataclass(frozen=True)
class Still:
    """A picture: ``pixels`` uint8 or uint16, upright: (height, width) grey or (height, width, 3 or 4) RGB(A).

    ``profile`` is its ICC profile (empty: none, or one for other colours than these); ``subsampled``: a JPEG
    with 4:2:0 colour; ``notes``: what of it could not be kept.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    profile: bytes
    subsampled: bool
    notes: tuple[str, ...] = ()

    @property
    def rgb(self) -> Frame:
        """What is seen, as uint8 RGB, without transparency."""
        import numpy as np

        shown = self.pixels if self.pixels.dtype == np.uint8 else (self.pixels >> 8).astype(np.uint8)
        if shown.ndim == 2:
            return np.repeat(shown[..., None], 3, axis=2)
        return np.ascontiguousarray(shown[..., :3])


def read_still(path: Path, limits: Limits = _LIMITS) -> Still:
    """The picture in *path*. Raises UnreadableInput: damaged, too large, an animation."""
    import numpy as np

    picture: tuple[dict[str, Any], bytearray] | None = None
    profile = b""
    job = {"op": "still", **vars(limits)}
    for message, data in worker_messages(path, job, limits.max_seconds):
        if message["type"] == "still" and data is not None:
            picture = message, data
        elif message["type"] == "profile" and data is not None:
            profile = bytes(data)
    if picture is None:
        raise UnreadableInput(f"{path}: no frame in it can be decoded", hint=HINT)
    kind: Any = np.uint8 if picture[0]["bits"] == 8 else np.uint16
    pixels = np.frombuffer(picture[1], kind).reshape(picture[0]["size"])
    notes: tuple[str, ...] = ()
    if profile and not fits(profile, 1 if pixels.ndim == 2 else 3):
        kind = one_line(profile[16:20].decode("ascii", "replace").strip() or "unknown", 10)
        profile, notes = b"", (f"the colour profile is for {kind} colours and is not kept",)
    return Still(pixels, profile, bool(picture[0]["subsampled"]), notes)


def write_still(still: Still, destination: Path) -> None:
    """Write *destination* (``.png``, ``.jpg``), without loss as PNG. Raises ReleaseFailed."""
    import cv2

    pixels: Any = still.pixels
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    if destination.suffix == ".png":
        ok, data = cv2.imencode(".png", pixels)
    else:
        sampling = (
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if still.subsampled else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
        )
        ok, data = cv2.imencode(
            ".jpg",
            pixels,
            [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling],
        )
    if not ok:
        raise ReleaseFailed("the picture could not be encoded")
    whole = bytes(data.tobytes())
    if still.profile:
        insert = _into_png if destination.suffix == ".png" else _into_jpeg
        whole = insert(whole, still.profile)
    try:
        destination.write_bytes(whole)
    except OSError as error:
        raise ReleaseFailed(
            f"the picture could not be written: {error.strerror}", hint="check for free disk space"
        ) from error


def _into_png(data: bytes, profile: bytes) -> bytes:
    """Put an iCCP chunk behind IHDR (PNG, section 11.3.2.3)."""
    body = b"iCCP" + b"icc\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


def _into_jpeg(data: bytes, profile: bytes) -> bytes:
    """Put APP2 segments behind the start of image and its JFIF header."""
    parts = [profile[i : i + _SEGMENT] for i in range(0, len(profile), _SEGMENT)]
    at = 2
    if data[2:4] == b"\xff\xe0":
        at += 2 + int.from_bytes(data[4:6], "big")
    segments = b""
    for number, part in enumerate(parts, 1):
        body = b"ICC_PROFILE\0" + bytes([number, len(parts)]) + part
        segments += b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body
    return data[:at] + segments + data[at:]
