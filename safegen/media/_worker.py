"""The child process that decodes untrusted media.

It is started by ``safegen.media.sandbox`` and speaks length-prefixed messages on stdout: a 4-byte
big-endian length, that many bytes of JSON, and for ``{"type": "frame"}`` the raw pixels after it.
Limits on memory, CPU time and pixels are set before the file is opened; a crash here is the child's
only, and the parent turns it into UnreadableInput.
"""

from __future__ import annotations

import contextlib
import json
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

Job = dict[str, Any]

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,av1,ivf,obu,flv,ogg,asf,mxf,"
    "gif,apng,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,image2,wav,mp3,flac,aac,yuv4mpegpipe"
)
"""Demuxers that the worker may use."""

STREAMING = frozenset({"stream", "watch", "footage", "remux", "access", "words"})
"""Jobs whose CPU time grows with the file: theirs is limited from one picture to the next."""


class Refuse(Exception):
    """The file could be read but not processed as it should be; ``hint`` says what helps."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def _limit(job: Job) -> None:
    """Bound address space and CPU seconds, where the platform can (POSIX)."""
    try:
        import resource
    except ImportError:  # Windows: the parent's wall-clock limit and the pixel limit remain
        return
    memory, seconds = int(job["max_bytes"]), int(job["max_seconds"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if job["op"] in STREAMING:
        extend(job, first=True)
    else:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def extend(job: Job, *, first: bool = False) -> None:
    """Allow another ``max_seconds`` of CPU time: called whenever a job that takes hours has got on."""
    with contextlib.suppress(ImportError):
        import resource

        if resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY and not first:
            return
        until = int(time.process_time()) + int(job["max_seconds"])
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def send(out: BinaryIO, message: Job, payload: Any = b"") -> None:
    """Write one message and its payload."""
    head = json.dumps(message).encode()
    out.write(struct.pack(">I", len(head)) + head)
    if len(payload):
        out.write(payload)


def _describe(container: Any, job: Job) -> Job:
    """Facts about the opened file; raises ValueError when it has no usable video."""
    if not container.streams.video:
        kinds = sorted({s.type for s in container.streams})
        raise LookupError(f"no video stream (streams: {', '.join(kinds) or 'none'})")
    stream = container.streams.video[0]
    width, height = stream.codec_context.width, stream.codec_context.height
    if width < 1 or height < 1:
        width, height = _said(str(job["path"]))  # the decoder gives no size to what it finds too large
    if width * height > int(job["max_pixels"]):
        raise Refuse(
            f"{width}x{height} is more than the limit of {job['max_pixels']} pixels per picture",
            "scale it down first",
        )
    if width < 1 or height < 1 or not stream.codec_context.width:
        raise Refuse(
            "its frames have no size",
            "open it to check, or fetch it again: it may be damaged, too large or an animation",
        )
    rate = stream.average_rate or stream.guessed_rate
    seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if not seconds and container.duration:
        seconds = container.duration / 1_000_000
    audio = container.streams.audio
    return {
        "type": "info",
        "format": container.format.name,
        "codec": stream.codec_context.name,
        "width": width,
        "height": height,
        "fps": [rate.numerator, rate.denominator] if rate else [0, 1],
        "seconds": seconds,
        "frames": stream.frames,
        "audio": [
            {"codec": a.codec_context.name, "rate": a.codec_context.sample_rate, "channels": a.channels}
            for a in audio
        ],
        "streams": [s.type for s in container.streams],
    }


def _said(path: str) -> tuple[int, int]:
    """Width and height as the header of a PNG says; (0, 0) for anything else."""
    with Path(path).open("rb") as file:
        head = file.read(24)
    if not head.startswith(b"\x89PNG\r\n\x1a\n") or len(head) < 24:
        return 0, 0
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _pictures(container: Any, job: Job, info: Job) -> Iterator[tuple[Any, bool, float]]:
    """Frames that the job wants, as (VideoFrame, keyframe, seconds)."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    limit = int(job["frames"])
    if limit and info["seconds"] > float(job["dense_seconds"]):
        stream.codec_context.skip_frame = "NONKEY"
    for count, frame in enumerate(container.decode(stream), 1):
        if frame.width * frame.height > int(job["max_pixels"]):
            raise ValueError("a frame is larger than the file's header states and exceeds the limit")
        time = frame.time if frame.time is not None else 0.0
        yield frame, bool(frame.key_frame), float(time)
        if count % 64 == 0 and job["op"] in STREAMING:
            extend(job)
        if count >= int(job["max_frames"]):
            if job["op"] in STREAMING:
                raise ValueError(f"it has more than {job['max_frames']} frames")
            return


def pixels(frame: Any, short_side: int | None, turn: int | None = None) -> Any:
    """RGB pixels of a frame, upright (*turn*: degrees, if the frame lost them), within *short_side*."""
    import cv2
    import numpy as np

    rgb = frame.to_ndarray(format="rgb24")
    turn = int(getattr(frame, "rotation", 0) or 0) if turn is None else turn
    if turn:
        rgb = np.ascontiguousarray(np.rot90(rgb, (turn // 90) % 4))
    shortest = min(rgb.shape[:2])
    if short_side and shortest > short_side:
        scale = short_side / shortest
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(rgb)


def open_input(path: str) -> Any:
    """Open a file for reading. Playlists and concatenations would open other files: only plain containers."""
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    return av.open(path, options=options, metadata_errors="ignore", timeout=30)


def others(op: str) -> Callable[[Any, Job, BinaryIO], None]:
    """The function behind an operation that has a file of its own."""
    import importlib

    function: Callable[[Any, Job, BinaryIO], None] = importlib.import_module(
        f"safegen.media._worker_{op}"
    ).run
    return function


def _run(job: Job, out: BinaryIO) -> None:
    """Do the job: probe, sample, stream every frame, or the sound."""
    import av

    av.logging.set_level(None)
    from safegen.media._worker_sampling import Pace, Reservoir, wanted

    with open_input(job["path"]) as container:
        if job["op"] in {"footage", "remux", "still", "sound", "access", "words"}:
            others(job["op"])(container, job, out)
            return
        info = _describe(container, job)
        send(out, info)
        if job["op"] == "probe":
            return
        limit, short = int(job["frames"]), job["short_side"]
        pace = Pace(float(job.get("rate") or 0.0))
        reservoir = Reservoir(limit) if limit else None
        try:
            for frame, key, time in _pictures(container, job, info):
                if reservoir is None:
                    if not pace.wants(time):
                        continue
                    _send_frame(out, pixels(frame, short), key, time)
                elif reservoir.wants():
                    reservoir.add((pixels(frame, short), key, time))
        except av.error.FFmpegError as error:
            send(out, {"type": "warning", "message": f"decoding stopped: {error.strerror or error}"})
        if reservoir is not None:
            keep = wanted(len(reservoir.kept), limit)
            for i, (rgb, key, time) in enumerate(reservoir.kept):
                if keep is None or i in keep:
                    _send_frame(out, rgb, key, time)
        send(out, {"type": "end"})


def _send_frame(out: BinaryIO, rgb: Any, key: bool, time: float) -> None:
    """Write one picture."""
    send(
        out, {"type": "frame", "shape": list(rgb.shape), "key": key, "time": time}, memoryview(rgb).cast("B")
    )


def main() -> None:
    """Read the job from stdin, set the limits, do the job, write messages to stdout."""
    out = sys.stdout.buffer
    job: Job = json.loads(sys.stdin.readline())
    with contextlib.suppress(BrokenPipeError):
        work(job, out, prepare=_limit)
        out.flush()


def work(job: Job, out: BinaryIO, prepare: Callable[[Job], None] | None = None) -> None:
    """Do the job; every failure becomes an error message. Raises BrokenPipeError when nobody reads."""
    try:
        import av  # noqa: F401
        import cv2
        import numpy  # noqa: F401

        if prepare is not None:
            cv2.setNumThreads(1)
            prepare(job)
        _run(job, out)
    except BrokenPipeError:
        raise
    except MemoryError:
        send(out, {"type": "error", "kind": "limit", "message": "it needs more memory than allowed"})
    except Refuse as error:
        send(out, {"type": "error", "kind": "refused", "message": str(error), "hint": error.hint})
    except LookupError as error:
        send(out, {"type": "error", "kind": "novideo", "message": str(error)})
    except Exception as error:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        send(out, {"type": "error", "kind": "decode", "message": text})
