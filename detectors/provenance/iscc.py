"""The ISCC Video-Code of a clip (ISO 24138), a fingerprint that other tools compute and search by, too.

Five pictures a second give MPEG-7 frame signatures (``frame_signature``); ``iscc-core``, the reference
implementation, makes of them a code of 256 bits. Both choices are those of ``iscc-sdk``, so codes can be
compared with codes from elsewhere. It is a pointer, never a proof: two clips of one scene may share it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance.frame_signature import frame_signature
from safegen.errors import CheckUnavailable, UnreadableInput

__all__ = ["ALG", "BITS", "RATE", "SHORT_SIDE", "available", "binding_value", "distance", "video_code"]

ALG = "io.iscc.v0"
"""Its name in C2PA's list of soft binding algorithms."""
BITS = 256
RATE = 5
"""Pictures a second."""
SHORT_SIDE = 256
"""Pictures of this short side are enough: a signature averages over 32 x 32 cells."""
_PREFIX = "ISCC:"
_HEADER = bytes((0x23, 0x07))
"""Content-Code, video, version 0, 256 bits."""
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722


def available() -> bool:
    """Whether ``iscc-core`` is installed (the extra ``iscc``)."""
    return find_spec("iscc_core") is not None


def luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Y of BT.709 in video range (16-235), uint8 (h, w), of an RGB picture, uint8 (h, w, 3)."""
    grey = picture.astype(np.float32) @ np.array([_RED, _GREEN, _BLUE], dtype=np.float32)
    return np.asarray((16 + grey * (219 / 255)).round(), dtype=np.uint8)


def resample_frames(pictures: Iterable[tuple[NDArray[np.uint8], float]]) -> Iterator[NDArray[np.uint8]]:
    """Of (picture, seconds) in order those that FFmpeg's ``fps=5`` keeps: the last one nearest each fifth."""
    kept: NDArray[np.uint8] | None = None
    slot, first, last, interval = 0, 0.0, 0.0, 0.0
    for picture, seconds in pictures:
        if kept is None:
            first = last = seconds
        interval, last = seconds - last, seconds
        nearest = _slot(seconds - first)
        if kept is not None and nearest > slot:
            yield kept
        slot, kept = max(slot, nearest), picture
    if kept is not None and (slot == 0 or slot < _slot(last + interval - first)):
        yield kept


def _slot(seconds: float) -> int:
    return int(seconds * RATE + 0.5)


def video_code(pictures: Iterable[tuple[NDArray[np.uint8], float]]) -> str:
    """``ISCC:...`` of a clip: *pictures* are RGB, uint8 (h, w, 3), each with its time in seconds, in order.

    Raises CheckUnavailable without ``iscc-core``, UnreadableInput without pictures.
    """
    if not available():
        raise CheckUnavailable("iscc-core is not installed", hint='pip install "safegen[iscc]"')
    from iscc_core.code_content_video import gen_video_code_v0

    signatures = [tuple(frame_signature(luma(p)).tolist()) for p in resample_frames(pictures)]
    if not signatures:
        raise UnreadableInput(
            "there are no frames to compute a code from", hint="check that the clip is not empty"
        )
    return str(gen_video_code_v0(signatures, bits=BITS)["iscc"])


def _bytes(code: str) -> bytes:
    """Header and body of a 256-bit Video-Code. Raises UnreadableInput for anything else."""
    text = code.removeprefix(_PREFIX)
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise UnreadableInput(f"{code!r:.80} is not an ISCC") from error
    if len(raw) != len(_HEADER) + BITS // 8 or raw[:2] != _HEADER:
        raise UnreadableInput(f"{code!r:.80} is not an ISCC Video-Code of {BITS} bits")
    return raw


def binding_value(code: str) -> str:
    """``value`` of a soft binding ``io.iscc.v0`` (IEP-0020): base64 of the sequence of one unit.

    Raises UnreadableInput when *code* is no 256-bit Video-Code.
    """
    return base64.b64encode(_bytes(code)).decode("ascii")


def distance(one: str, other: str) -> int:
    """Bits in which two 256-bit Video-Codes differ: 0 to 256. Raises UnreadableInput."""
    a, b = (int.from_bytes(_bytes(code)[2:], "big") for code in (one, other))
    return (a ^ b).bit_count()
