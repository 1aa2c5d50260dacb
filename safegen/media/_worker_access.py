"""The sandboxed worker's ``access``: a video with captions, descriptions, chapters and described sound.

Everything the file holds is copied; the new text tracks are mov_text (3GPP TS 26.245), the new sound is AAC.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, BinaryIO

from safegen.media._child import Job, Refuse, extend, handle, send
from safegen.media._worker_remux import name_track, other_tracks, others, words_and_chapters
from safegen.media._worker_tracks import Track, text_stream
from safegen.media.handles import Handle, write_media

_MILLI = Fraction(1, 1000)
_BLOCK = 1024
_VIDEO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "libdav1d", "libaom-av1"})
"""Video codecs that MP4 holds."""
Packets = Iterator[tuple[float, Any]]


def run(container: Any, job: Job, out: BinaryIO) -> None:
    """Write the file ``target``; send ``done`` with notes."""
    import numpy as np

    sound = job["sound"]
    samples = np.frombuffer(handle(job, "sound").read(), np.float32) if sound else None

    def beat() -> None:
        extend(job)
        send(out, {"type": "progress"})

    send(out, {"type": "done", "notes": write(container, handle(job, "target"), job, samples, beat)})


def write(container: Any, target: Handle, job: Job, samples: Any, beat: Callable[[], None]) -> list[str]:
    """Copy *container* to *target* with the tracks in *job*; notes on what could not be kept.

    ``captions``, ``descriptions`` and ``chapters`` are lists of [start, end, text] (seconds); ``sound`` is
    None or {rate, channels} of *samples*, float32, one after the other: the described sound track. Raises
    Refuse.
    """
    notes: list[str] = []
    start = max(Fraction(0), Fraction(container.start_time or 0, 1_000_000))
    with write_media(target, "mp4", index_first=True) as box:
        tracks = _copied(container, box, notes, _replaced(container, job, notes))
        words_and_chapters(container, box, start, notes)
        flows: list[Packets] = []
        if job["sound"]:
            silent = not any(t.out.type == "audio" for t in tracks.values())
            flows += _sounds(
                box, samples.reshape(-1, int(job["sound"]["channels"])), job["sound"]["rate"], silent
            )
        for kind, flags in (("captions", _captions()), ("descriptions", _descriptions())):
            if job[kind]:
                flows.append(_words(box, job[kind], flags))
        if len(job["chapters"]) > 1 and not container.chapters():
            box.set_chapters([_chapter(i, *c) for i, c in enumerate(job["chapters"])])
        flows.insert(0, others(container, tracks, start))
        for count, (_, packet) in enumerate(heapq.merge(*flows, key=lambda item: item[0])):
            box.mux_one(packet)
            if count % 256 == 0:
                beat()
    for track in tracks.values():
        notes += track.notes
    return notes


def _captions() -> Any:
    from av.stream import Disposition

    return Disposition.hearing_impaired | Disposition.captions


def _descriptions() -> Any:
    from av.stream import Disposition

    return Disposition.visual_impaired | Disposition.descriptions


def _replaced(container: Any, job: Job, notes: list[str]) -> frozenset[int]:
    """Numbers of the source's tracks in whose place new ones come: of captions, of descriptions."""
    from av.stream import Disposition

    kinds = {
        "captions": (Disposition.captions, bool(job["captions"]), "subtitle"),
        "descriptions": (Disposition.descriptions, bool(job["descriptions"]), "subtitle"),
        "the audio description": (Disposition.descriptions, bool(job["sound"]), "audio"),
    }
    old: frozenset[int] = frozenset()
    for name, (flag, new, kind) in kinds.items():
        found = {s.index for s in container.streams if s.type == kind and s.disposition & flag}
        if new and found:
            notes.append(
                f"the file's own {name} are replaced"
                if name[-1] == "s"
                else f"the file's own {name} is replaced"
            )
            old |= found
    return old


def _copied(container: Any, box: Any, notes: list[str], replaced: frozenset[int]) -> dict[int, Track]:
    """Output tracks by the number of the source's, the video first."""
    source = container.streams.video[0]
    codec = source.codec_context.name
    if codec not in _VIDEO:
        raise Refuse(f"MP4 cannot hold {codec} video", "describe it without -o, or convert it to H.264 first")
    video = Track(box.add_stream_from_template(source))
    name_track(video.out, source)
    return {source.index: video, **other_tracks(container, box, notes, replaced)}


def _chapter(number: int, start: float, end: float, title: str) -> dict[str, Any]:
    times = {"start": round(start * 1000), "end": round(end * 1000)}
    return {"id": number, **times, "time_base": _MILLI, "metadata": {"title": title}}


def _words(box: Any, cues: Sequence[Sequence[Any]], flags: Any) -> Packets:
    """A mov_text track: its packets with the seconds at which they are due."""
    import av

    stream = text_stream(box)
    stream.metadata["language"] = "eng"
    stream.disposition = flags

    def packets() -> Packets:
        for start, end, text in cues:
            data = str(text).encode()[:65_000]
            packet = av.Packet(len(data).to_bytes(2, "big") + data)
            packet.time_base = _MILLI
            packet.pts = packet.dts = round(start * 1000)
            packet.duration = max(1, round((end - start) * 1000))
            packet.is_keyframe = True
            packet.stream = stream
            yield float(start), packet

    return packets()


def _sounds(box: Any, samples: Any, rate: int, silent: bool) -> list[Packets]:
    """The described track; before it a silent one where the video has no sound: it must stay a choice."""
    import numpy as np

    flows = []
    if silent:
        flows.append(_encoded(box, np.zeros_like(samples[:, :1]), rate, None))
    return [*flows, _encoded(box, samples, rate, _descriptions())]


def _encoded(box: Any, samples: Any, rate: int, flags: Any) -> Packets:
    """An AAC track of *samples* (n, channels)."""
    import av
    import numpy as np

    channels = samples.shape[1]
    layout = "mono" if channels == 1 else "stereo"
    stream = box.add_stream("aac", rate=rate, layout=layout)
    stream.metadata["language"] = "zxx" if flags is None else "eng"  # zxx: no words in it (ISO 639-2)
    if flags is not None:
        stream.disposition = flags
        stream.metadata["title"] = "Audio description"
        stream.metadata["handler_name"] = "Audio description"

    def packets() -> Packets:
        for at in range(0, len(samples), _BLOCK):
            planar = np.ascontiguousarray(samples[at : at + _BLOCK].T)
            frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
            for packet in stream.encode(frame):
                yield _due(packet), packet
        for packet in stream.encode(None):
            yield _due(packet), packet

    return packets()


def _due(packet: Any) -> float:
    return float((packet.dts if packet.dts is not None else packet.pts or 0) * packet.time_base)
