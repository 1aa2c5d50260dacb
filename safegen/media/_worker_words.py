"""The sandboxed worker's ``words``: what the text tracks of a file say and when, its chapters, its sound."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, BinaryIO

from safegen.media._child import Job, extend, send
from safegen.media._worker_tracks import spoken_words

_MOST = 20_000
"""Cues of one track that are read at most."""
UNREADABLE = "[unreadable]"
"""For a damaged cue: something is said there, and nothing may be spoken over it."""


def run(container: Any, job: Job, out: BinaryIO) -> None:
    """Send ``words`` with everything that ``facts`` finds."""
    send(out, {"type": "words", **facts(container, job)})


def facts(container: Any, job: Job | None = None) -> Job:
    """``texts``: cues ([start, end, text], seconds) by kind of track; ``chapters`` likewise; ``described``:
    seconds of a described sound track, 0 without; ``sounds``: how many others; ``frames``: video packets.
    """
    from av.stream import Disposition

    texts: dict[str, list[list[Any]]] = {}
    for stream in container.streams.subtitles:
        container.seek(0)
        kind = "captions" if stream.disposition & Disposition.captions else "other"
        kind = "descriptions" if stream.disposition & Disposition.descriptions else kind
        texts.setdefault(kind, _read(container, stream, job))
    container.seek(0)
    frames = 0
    for packet in container.demux(video=0):
        frames += bool(packet.size)
        _beat(job, frames)
    described = [s for s in container.streams.audio if s.disposition & Disposition.descriptions]
    return {
        "texts": {kind: cues for kind, cues in texts.items() if cues},
        "chapters": [_chapter(c) for c in container.chapters()],
        "described": max((float((s.duration or 0) * s.time_base) for s in described), default=0.0),
        "sounds": len(container.streams.audio) - len(described),
        "frames": frames,
    }


def _read(container: Any, stream: Any, job: Job | None) -> list[list[Any]]:
    """Cues of one track; none for pictures and for a track that says nothing."""
    import av

    start = max(Fraction(0), Fraction(container.start_time or 0, 1_000_000))
    cues: list[list[Any]] = []
    for count, packet in enumerate(container.demux(stream)):
        _beat(job, count)
        if not packet.size or packet.pts is None or len(cues) >= _MOST:
            continue
        try:
            words = spoken_words(packet.decode())
        except av.error.FFmpegError:
            words = UNREADABLE
        begin = packet.pts * packet.time_base - start
        end = begin + (packet.duration or 0) * packet.time_base
        if words and end > begin:
            cues.append([float(begin), float(end), words])
    return cues


def _chapter(chapter: Any) -> list[Any]:
    base = chapter["time_base"]
    return [
        float(chapter["start"] * base),
        float(chapter["end"] * base),
        chapter["metadata"].get("title", ""),
    ]


def _beat(job: Job | None, count: int) -> None:
    if job is not None and count % 256 == 0:
        extend(job)
