"""The sandboxed worker's ``footage``: every picture as it is stored, and what it takes to store it again.

A picture is planar 4:2:0 luma and chroma, 8 or 10 bit, in its own range and colours, uncropped but for an
odd last row or column; beside it goes a small RGB copy for the checks. Whatever has to be changed for that
is said in the notes; what would silently harm the picture is refused.
"""

from __future__ import annotations

import bisect
import math
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

from safegen.media._child import Job, Refuse, extend, handle, send
from safegen.media._worker_colour import Target, flatten, hdr_text, small_rgb, target_of
from safegen.media._worker_side import ASIDE, lost
from safegen.media._worker_timing import Timing
from safegen.media.handles import Handle
from safegen.media.pyav import FREED_TWICE, side_data
from safegen.media.transport import find_packets

_HEAD = 1 << 16
_UNKNOWN_SIZE = 0xFFFFFFFF
_COUNTED = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "mxf"})
"""Containers in which the number of frames is that of an index; elsewhere it is a hint."""
_HINTED = "avi"
"""The container whose length is a hint, too."""
_ENTERED = frozenset({"mpegts", "mpeg", "mpegvideo", "h264", "hevc"})
"""Containers that may be entered anywhere: what comes before the first whole picture builds on nothing."""
_UNTIMED = frozenset({"avi", "asf"})
"""Containers without times of display: pictures are shown one by one, at the pace of the packets."""
_DAMAGED = "encode the file again, or protect the decodable part with --allow-damaged"
_FIELDS = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}
"""FFmpeg's field orders by number; 4 and 5 name the order of storage first, of display second."""


def run(container: Any, job: Job, out: BinaryIO) -> None:
    """Send ``footage``, then ``picture`` after ``picture``, then ``end`` with what happened on the way."""
    stream, notes = _choose(container)
    pictures = _Decoder(container, stream, job)
    frames = iter(pictures)
    first = next(frames, None)
    if first is None:
        raise ValueError("no frame in it can be decoded")
    target, more = target_of(first)
    sizes = first.width // 2 * 2, first.height // 2 * 2
    if min(sizes) < 2:
        raise Refuse(f"{first.width}x{first.height} pixels cannot be encoded")
    if sizes != (first.width, first.height):
        more.append("an odd last row or column is dropped: H.264 needs even sides")
    send(out, _facts(container, stream, first, target, sizes, [*notes, *more]))
    timing = Timing(stream, _start(container), exact=container.format.name != _HINTED)
    transparent = count = 0
    frame: Any = first
    while frame is not None:
        if (frame.width, frame.height) != (first.width, first.height):
            raise Refuse("its frames differ in size", "encode it again with one frame size")
        shown, holes = flatten(frame, target)
        transparent += holes
        _send_picture(out, frame, shown, target, sizes, timing.of(frame), int(job["short_side"]))
        count += 1
        frame = next(frames, None)
        if count % 16 == 0:
            extend(job)
        if count >= int(job["max_frames"]) and frame is not None:
            raise Refuse(f"it has more than {job['max_frames']} frames", "protect it in parts")
    problems = [*pictures.problems(), *timing.problems(pictures.known), *_cut(container, job)]
    if problems and not job["damaged"]:
        raise Refuse("; ".join(problems), _DAMAGED)
    said = [*problems, *pictures.notes(), *timing.notes]
    if job["damaged"]:
        said.append("damage was allowed: some frames may be patched")
    if transparent:
        said.append(f"transparent areas are flattened onto black ({transparent} of {count} frames)")
    send(out, {"type": "end", "frames": count, "notes": said})


def _cut(container: Any, job: Job) -> list[str]:
    """A file that ends inside a packet of a transport stream, or before what its own header says."""
    source = handle(job)
    if container.format.name == "mpegts":
        found = find_packets(source.read(_HEAD))
        if found is not None and (source.size - found[0]) % found[1]:
            return ["it is cut short in the middle of a packet"]
    if container.format.name == "avi" and (missing := _missing_of_avi(source)):
        return [f"it is cut short: its last {missing} bytes are missing"]
    return []


def _missing_of_avi(source: Handle) -> int:
    """Bytes that the RIFF chunks of an AVI promise beyond the end of the file; 0 where none do."""
    at = 0
    while at + 12 <= source.size:
        source.seek(at)
        name, length = struct.unpack("<4sI", source.read(8))
        if name != b"RIFF" or not length or length == _UNKNOWN_SIZE:
            return 0
        at += 8 + length + length % 2
    return max(0, at - source.size - 1)


def _choose(container: Any) -> tuple[Any, list[str]]:
    """The video track that is protected, and notes about the others. Raises LookupError without one."""
    import av

    cover = av.stream.Disposition.attached_pic
    moving = [s for s in container.streams.video if not s.disposition & cover]
    if not moving:
        kinds = sorted({s.type for s in container.streams})
        raise LookupError(f"no video stream (streams: {', '.join(kinds) or 'none'})")
    notes = []
    chosen = next((s for s in moving if s.disposition & av.stream.Disposition.default), moving[0])
    if len(moving) > 1:
        notes.append(
            f"1 of {len(moving)} video tracks is kept (number {moving.index(chosen) + 1}): only tracks "
            "that are marked and checked are released"
        )
    if len(moving) < len(container.streams.video):
        notes.append("the cover picture is not kept")
    return chosen, notes


class _Decoder:
    """Frames of one stream, counting what is damaged; stops at damage unless the job allows it."""

    def __init__(self, container: Any, stream: Any, job: Job) -> None:
        self.container, self.stream, self.job = container, stream, job
        self.known = int(stream.frames or 0) if container.format.name in _COUNTED else 0
        self.bad = self.packets = self.before = 0
        self.beside: set[str] = set()
        self.codec = str(stream.codec_context.name)
        self.untimed = container.format.name in _UNTIMED
        self.due: list[int] = []
        self.first_bad = ""
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = int(job.get("threads", 2))
        if not job["damaged"]:
            stream.codec_context.options = {"err_detect": "explode"}

    def __iter__(self) -> Iterator[Any]:
        """Decode to the end of what can be read."""
        import av

        packets = self.container.demux(self.stream)
        entered = self.container.format.name not in _ENTERED
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                self._damage(error.strerror or str(error))
                return
            if packet is None:
                return
            self.packets += packet.size > 0
            if not entered and packet.size and not packet.is_keyframe:
                self.before += 1
                continue
            entered = True
            if self.untimed and packet.size and packet.dts is not None:
                bisect.insort(self.due, packet.dts)
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self._damage(error.strerror or str(error))
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._damage("a damaged frame")
                if frame.width * frame.height > int(self.job["max_pixels"]):
                    raise Refuse(f"{frame.width}x{frame.height} exceeds the limit of pixels per frame")
                if self.codec not in FREED_TWICE or self.packets == 1:
                    self.beside |= side_data(frame, ASIDE, self.codec).keys()
                if self.untimed:
                    frame.pts = self.due.pop(0) if self.due else None
                yield frame

    def _damage(self, what: str) -> None:
        """Count damage; without permission to go on, refuse at once."""
        self.bad += 1
        self.first_bad = self.first_bad or what
        if not self.job["damaged"]:
            raise Refuse(f"it is damaged after {self.packets} packets: {what}", _DAMAGED)

    def problems(self) -> list[str]:
        """What was wrong, for people."""
        found = []
        if self.bad:
            found.append(f"{self.bad} damaged places ({self.first_bad}); the rest was decoded")
        if self.packets < self.known:
            found.append(f"it is cut short: {self.packets} of {self.known} frames are present")
        return found

    def notes(self) -> list[str]:
        """What is left out without being damage."""
        found = lost(self.beside)
        if self.before:
            some = "the first picture is" if self.before == 1 else f"the first {self.before} pictures are"
            found.append(f"it begins in the middle: {some} left out, because what they build on is not there")
        return found


def _start(container: Any) -> Fraction:
    """Where the file's time begins, in seconds."""
    return Fraction(container.start_time or 0, 1_000_000)


def _facts(
    container: Any, stream: Any, first: Any, target: Target, sizes: tuple[int, int], notes: list[str]
) -> Job:
    """What an encoder and a player must know."""
    side = side_data(
        first,
        ("DISPLAYMATRIX", "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"),
        stream.codec_context.name,
    )
    matrix = side.get("DISPLAYMATRIX", b"")
    rate = stream.average_rate or stream.guessed_rate or Fraction(0)
    seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if not seconds and container.duration:
        seconds = container.duration / 1_000_000
    aspect = stream.sample_aspect_ratio or Fraction(1)
    field = _FIELDS.get(int(stream.codec_context.field_order or 0), "tff") if first.interlaced_frame else ""
    base, start = Fraction(stream.time_base), _start(container)
    return {
        "type": "footage",
        "size": list(sizes),
        "depth": target.depth,
        "full_range": target.full_range,
        "colours": list(target.colours),
        "aspect": [aspect.numerator, aspect.denominator],
        "base": [base.numerator, base.denominator],
        "start": [start.numerator, start.denominator],
        "rate": [rate.numerator, rate.denominator],
        "seconds": seconds,
        "frames": int(stream.frames or 0),
        "field": field,
        "matrix": [int.from_bytes(matrix[i : i + 4], "little", signed=True) for i in range(0, 36, 4)]
        if len(matrix) >= 36
        else [],
        "hdr": hdr_text(side),
        "turn": int(first.rotation or 0),
        "index": stream.index,
        "codec": stream.codec_context.name,
        "notes": notes,
    }


def _send_picture(
    out: BinaryIO,
    frame: Any,
    shown: Any,
    target: Target,
    sizes: tuple[int, int],
    time: tuple[int, int],
    short: int,
) -> None:
    """One picture: luma, two chroma planes, and the small RGB copy, one after the other."""
    import numpy as np

    width, height = sizes
    item = 1 if target.depth == 8 else 2
    small = small_rgb(shown, short, target, int(frame.rotation or 0))
    planes = []
    for n, plane in enumerate(shown.planes):
        wide, tall = (width, height) if n == 0 else (width // 2, height // 2)
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        planes.append(rows[:tall, : wide * item])
    total = math.prod(sizes) * 3 // 2 * item + small.size
    head = {"type": "picture", "bytes": total, "time": time, "key": bool(frame.key_frame)}
    send(out, {**head, "small": list(small.shape)})
    for part in (*planes, small):
        whole: Any = np.ascontiguousarray(part)
        out.write(memoryview(whole).cast("B"))
