"""The sandboxed worker's ``remux``: the marked video together with the source's other tracks, as MP4.

Sound is copied packet by packet where MP4 can hold its codec, else encoded again; text subtitles become
mov_text; chapters, languages, rotation and a few harmless words of metadata go along. What cannot is said.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

from safegen.media._child import Job, extend, handle, send
from safegen.media._worker_tracks import Track, sound_track, subtitle_track
from safegen.media.handles import read_media, write_media

_WORDS = ("title", "artist", "album", "comment", "description", "copyright", "date", "creation_time", "genre")
"""Metadata that is kept. Places, devices and what nobody knows are not: the release is signed and public."""
_SILENT = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "handler_name",
    "vendor_id",
    "software",
}
"""Left out without a word: they describe the old container."""


def run(container: Any, job: Job, out: BinaryIO) -> None:
    """Write the file ``target``; send ``done`` with notes."""
    notes: list[str] = []
    start = Fraction(*job["start"])
    ours = read_media(handle(job, "video"))
    with ours, write_media(handle(job, "target"), "mp4", index_first=True) as box:
        source = container.streams[int(job["index"])]
        video = box.add_stream_from_template(ours.streams.video[0])
        if job["matrix"]:
            video.set_display_matrix(job["matrix"])
        name_track(video, source)
        tracks = other_tracks(container, box, notes)
        words_and_chapters(container, box, start, notes)
        flows = [_video(ours, video), *([others(container, tracks, start)] if tracks else [])]
        for count, (_, packet) in enumerate(heapq.merge(*flows, key=lambda item: item[0])):
            box.mux_one(packet)
            if count % 256 == 0:
                extend(job)
                send(out, {"type": "progress"})
    for track in tracks.values():
        notes += track.notes
    send(out, {"type": "done", "notes": notes})


def other_tracks(
    container: Any, box: Any, notes: list[str], replaced: frozenset[int] = frozenset()
) -> dict[int, Track]:
    """Tracks of sound and subtitles by the number of the source's, without those that are *replaced*."""
    found: dict[int, Track] = {}
    left: dict[str, int] = {}
    for stream in container.streams:
        track = None
        if stream.index in replaced:
            continue
        if stream.type == "audio":
            track = sound_track(stream, box, notes)
        elif stream.type == "subtitle":
            track = subtitle_track(stream, box, notes)
        elif stream.type not in {"video"}:
            left[stream.type] = left.get(stream.type, 0) + 1
        if track is not None:
            name_track(track.out, stream)
            found[stream.index] = track
    if "mov" in container.format.name and container.chapters() and left.get("data"):
        left["data"] -= 1  # the chapters' own titles
    left = {kind: n for kind, n in left.items() if n}
    notes += [f"{n} {kind} track{'s are' if n > 1 else ' is'} not kept" for kind, n in left.items()]
    return found


def name_track(target: Any, source: Any) -> None:
    """Language, title and disposition of a track."""
    for word in ("language", "title"):
        if source.metadata.get(word):
            target.metadata[word] = source.metadata[word]
    target.disposition = source.disposition


def words_and_chapters(container: Any, box: Any, start: Fraction, notes: list[str]) -> None:
    """Chapters and metadata."""
    lower = {k.lower(): v for k, v in container.metadata.items()}
    for word in _WORDS:
        if lower.get(word):
            box.metadata[word] = lower[word]
    left = sorted(set(lower) - set(_WORDS) - _SILENT)
    if left:
        more = ", ..." if len(left) > 6 else ""
        notes.append(f"metadata left out: {', '.join(left[:6])}{more}")
    chapters = container.chapters()
    for chapter in chapters:
        shift = round(start / chapter["time_base"]) if chapter["time_base"] else 0
        chapter["start"], chapter["end"] = max(0, chapter["start"] - shift), chapter["end"] - shift
    if chapters:
        box.set_chapters([c for c in chapters if c["end"] > c["start"]])


def _video(ours: Any, video: Any) -> Iterator[tuple[float, Any]]:
    """Our own packets with the seconds at which they are due."""
    for packet in ours.demux(video=0):
        if packet.size:
            due = float((packet.dts or 0) * packet.time_base)
            packet.stream = video
            yield due, packet


def others(container: Any, tracks: dict[int, Track], start: Fraction) -> Iterator[tuple[float, Any]]:
    """Packets of the kept tracks, due times from the file's start; then what their encoders still hold."""
    streams = [s for s in container.streams if s.index in tracks]
    last = 0.0
    for packet in container.demux(streams):
        if packet.size == 0:
            continue
        for made in tracks[packet.stream.index].take(packet, start):
            last = max(last, _due(made))
            yield last, made
    for track in tracks.values():
        for made in track.finish():
            yield max(last, _due(made)), made


def _due(packet: Any) -> float:
    """Seconds."""
    at = packet.dts if packet.dts is not None else packet.pts
    return float((at or 0) * packet.time_base)
