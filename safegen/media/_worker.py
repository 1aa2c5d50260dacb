"""The sandboxed worker that decodes media: what the file is, pictures of it, its sound.

It is started by ``safegen.media._channel``; ``safegen.media._child`` says what it may do and how it speaks.
A crash here is the child's only, and the parent turns it into UnreadableInput.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from safegen.media._child import Job, Refuse, extend, handle, send
from safegen.media.handles import Handle, read_media

STREAMING = frozenset({"stream", "watch", "footage", "remux", "access", "words"})
"""Jobs whose CPU time grows with the file: theirs is limited from one picture to the next."""
OTHERS = frozenset({"footage", "remux", "still", "sound", "access", "words"})
"""Jobs with a module of their own."""

_PARTS = ("error", "stream", "subtitles.codeccontext", "subtitles.stream", "subtitles.subtitle")
"""What PyAV imports only when a file needs it."""


def preload() -> None:
    """Import all that a job could need: afterwards no file can be opened any more."""
    import av
    import cv2
    import numpy  # noqa: F401

    from safegen.media import _worker_sampling, pyav  # noqa: F401

    pyav.require_version()
    av.logging.set_level(None)
    cv2.setNumThreads(1)
    for part in _PARTS:
        importlib.import_module(f"av.{part}")
    for op in OTHERS:
        importlib.import_module(f"safegen.media._worker_{op}")


def prepare(job: Job) -> None:
    """Say how the job's time is limited."""
    job["streaming"] = job["op"] in STREAMING


def _describe(container: Any, job: Job) -> Job:
    """Facts about the opened file; raises ValueError when it has no usable video."""
    if not container.streams.video:
        kinds = sorted({s.type for s in container.streams})
        raise LookupError(f"no video stream (streams: {', '.join(kinds) or 'none'})")
    stream = container.streams.video[0]
    width, height = stream.codec_context.width, stream.codec_context.height
    if width < 1 or height < 1:
        width, height = _said(handle(job))  # the decoder gives no size to what it finds too large
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


def _said(source: Handle) -> tuple[int, int]:
    """Width and height as the header of a PNG says; (0, 0) for anything else."""
    head = source.read(24)
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


def work(job: Job, out: BinaryIO) -> None:
    """Do the job: probe, sample, stream every frame, or what a module of its own does."""
    import av

    from safegen.media._worker_sampling import Pace, Reservoir, wanted

    with read_media(handle(job)) as container:
        if job["op"] in OTHERS:
            importlib.import_module(f"safegen.media._worker_{job['op']}").run(container, job, out)
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
