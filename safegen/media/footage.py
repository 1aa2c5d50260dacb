"""A video made elsewhere, frame by frame as stored, with everything needed to store it again.

Decoding happens in the sandbox; the parent sees plain luma and chroma planes. Range, colours, aspect ratio,
rotation, times and field order go along, so that nothing of them is lost on the way to the release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as member
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import UnreadableInput
from safegen.media._channel import HINT, worker_messages
from safegen.media.sandbox import Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from safegen.types import Frame

_LIMITS = Limits()
CHECK_SHORT_SIDE = 720
"""Short side, in pixels, of the pictures that the checks see."""


@dataclass(frozen=True)
class Picture:
    """One picture: ``planes`` is uint8 or uint16, shape (3 height / 2, width): luma, then both chroma planes.

    ``time`` and ``duration`` are ticks of the footage's ``base``; ``small`` is upright RGB for the checks.
    """

    planes: NDArray[np.uint8] | NDArray[np.uint16]
    time: int
    duration: int
    preview: Frame


@dataclass
class Footage:
    """A file's video track. Iterating decodes it anew; ``notes`` grows at the end of a pass.

    ``depth`` is 8 or 10 bit; ``colours`` are primaries, transfer, matrix (ITU-T H.273); ``aspect`` that of
    one pixel; ``base`` the seconds of one tick; ``start`` (seconds) where the file's own time begins;
    ``field`` is empty, ``tff`` or ``bff``; ``matrix`` the display matrix (9 integers) if there is one;
    ``hdr`` the mastering metadata in x265's words; ``index`` the track's number in the file.
    """

    path: Path
    width: int
    height: int
    depth: int
    full_range: bool
    colours: tuple[int, int, int]
    aspect: Fraction
    time_base: Fraction
    start: Fraction
    rate: Fraction
    seconds: float
    frames: int
    field_order: str
    matrix: tuple[int, ...]
    hdr: str
    index: int
    codec: str
    small: tuple[int, int]
    limits: Limits
    damaged: bool
    notes: list[str] = member(default_factory=list)

    @property
    def expected(self) -> int:
        """How many pictures to expect: what the container says, else by duration and rate; at least 1."""
        return self.frames or max(1, round(self.seconds * float(self.rate)))

    def __iter__(self) -> Iterator[Picture]:
        """Every picture, in order of display. Raises UnreadableInput where the file is damaged or breaks off
        (with ``damaged`` it goes on, and the notes say so).
        """
        import numpy as np

        shape = (self.height * 3 // 2, self.width)
        kind: Any = np.uint8 if self.depth == 8 else np.uint16
        size = shape[0] * shape[1] * np.dtype(kind).itemsize
        ended = False
        for message, data in _talk(self.path, self.limits, self.damaged):
            if message["type"] == "end":
                ended = True
                self.notes += [n for n in message["notes"] if n not in self.notes]
            elif message["type"] == "picture" and data is not None:
                whole = np.frombuffer(data, np.uint8)
                planes = whole[:size].view(kind).reshape(shape)
                time, duration = message["time"]
                # A copy: a small picture that waits for a check must not keep the large one alive.
                small = whole[size:].reshape(message["small"]).copy()
                del whole, data
                yield Picture(planes, time, duration, small)
                del planes, small
        if not ended:
            raise UnreadableInput(f"{self.path}: decoding stopped early", hint=HINT)


def open_footage(path: Path, *, damaged: bool = False, limits: Limits = _LIMITS) -> Footage:
    """The video track of *path*; ``damaged`` lets what can be decoded pass where parts are broken.

    Raises UnreadableInput (NoVideo for sound only) for what cannot be decoded or kept without harm: other
    than 8 or 10 bit integer pictures, HDR in 8 bit.
    """
    for message, _ in _talk(path, limits, damaged):
        if message["type"] == "footage":
            return _footage(path, message, limits, damaged)
    raise UnreadableInput(f"{path}: not a readable video", hint=HINT)


def _talk(path: Path, limits: Limits, damaged: bool) -> Iterator[tuple[dict[str, Any], bytearray | None]]:
    job = {"op": "footage", "short_side": CHECK_SHORT_SIDE, "damaged": damaged, "threads": 2, **vars(limits)}
    return worker_messages(path, job, limits.max_seconds)


def _footage(path: Path, m: dict[str, Any], limits: Limits, damaged: bool) -> Footage:
    """Footage from the worker's message."""
    width, height = m["size"]
    scale = min(1.0, CHECK_SHORT_SIDE / min(width, height))
    small = (max(2, round(width * scale)), max(2, round(height * scale)))
    if m["turn"] % 180:
        small = small[::-1]
    return Footage(
        path,
        width,
        height,
        m["depth"],
        m["full_range"],
        (m["colours"][0], m["colours"][1], m["colours"][2]),
        Fraction(*m["aspect"]),
        Fraction(*m["base"]),
        Fraction(*m["start"]),
        Fraction(*m["rate"]),
        float(m["seconds"]),
        int(m["frames"]),
        m["field"],
        tuple(m["matrix"]),
        m["hdr"],
        int(m["index"]),
        m["codec"],
        small,
        limits,
        damaged,
        list(m["notes"]),
    )
