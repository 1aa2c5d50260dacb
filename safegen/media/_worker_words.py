"""The sandboxed worker's ``words``: what the first text subtitle track of a file says, and when."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, BinaryIO

from safegen.media._worker import Job, extend, send
from safegen.media._worker_tracks import spoken_words

_MOST = 20_000
"""Cues that are read at most."""


def run(container: Any, job: Job, out: BinaryIO) -> None:
    """Send ``words`` with the cues ([start, end, text], seconds), None where there is no text track."""
    found = None
    for stream in container.streams.subtitles:
        cues = read(container, stream, job)
        if cues:
            found = cues
            break
        container.seek(0)
    send(out, {"type": "words", "cues": found})


def read(container: Any, stream: Any, job: Job | None = None) -> list[list[Any]]:
    """Cues of one track; empty for pictures and for a track that says nothing."""
    import av

    start = max(Fraction(0), Fraction(container.start_time or 0, 1_000_000))
    cues: list[list[Any]] = []
    for packet in container.demux(stream):
        if job is not None:
            extend(job)
        if not packet.size or packet.pts is None or len(cues) >= _MOST:
            continue
        try:
            words = spoken_words(packet.decode())
        except av.error.FFmpegError:
            words = "[unreadable]"  # something is said there: nothing may be spoken over it
        begin = packet.pts * packet.time_base - start
        end = begin + (packet.duration or 0) * packet.time_base
        if words and end > begin:
            cues.append([float(begin), float(end), words])
    return cues
