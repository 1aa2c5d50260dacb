"""Small real films and pictures by container, codec, pixel format, sound and what goes along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE, SIZE = 12, (96, 64)


@dataclass(frozen=True)
class Sound:
    """A sound track: FFmpeg's codec, samples a second, arrangement of channels."""

    codec: str
    rate: int = 48000
    layout: str = "stereo"


@dataclass(frozen=True)
class Film:
    """What is made. ``form`` is FFmpeg's muxer; ``extras`` change the file, by name (see ``EXTRAS``)."""

    suffix: str
    form: str
    codec: str
    pixels: str = "yuv420p"
    sound: Sound | None = None
    size: tuple[int, int] = SIZE
    frames: int = 12
    options: tuple[tuple[str, str], ...] = ()
    muxer: tuple[tuple[str, str], ...] = ()
    extras: tuple[str, ...] = ()
    rate: int = RATE


def picture(at: int, width: int, height: int) -> Any:
    """RGB picture number *at*: slopes, a bar that moves, never the same twice."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rgb = np.stack([x * 2 + at * 3, y * 3, (x + y) * 2], axis=-1) % 256
    rgb[:, (at * 5) % width : (at * 5) % width + 6] = (240, 40, 60)
    return rgb.astype(np.uint8)


def write_film(film: Film, path: Path) -> None:
    """Write *film* to *path*. Raises what PyAV raises where it cannot."""
    with av.open(str(path), "w", format=film.form, options=dict(film.muxer)) as box:
        streams = [_video(box, film)]
        if "two videos" in film.extras:
            streams.append(_video(box, film))
        sound = _sound_stream(box, film.sound) if film.sound else None
        words = _words_stream(box, film)
        for name, change in EXTRAS.items():
            if name in film.extras:
                change(box, streams[0])
        for stream in streams:
            for packet in _encoded(stream, film):
                box.mux(packet)
        if sound is not None and film.sound:
            for packet in _tone(sound, film.sound, film.frames / film.rate):
                box.mux(packet)
        if words is not None:
            box.mux(_cue(words))


def _video(box: Any, film: Film) -> Any:
    stream = box.add_stream(film.codec, rate=film.rate)
    stream.width, stream.height = film.size
    stream.pix_fmt = film.pixels
    stream.options = dict(film.options)
    context = stream.codec_context
    context.thread_count = 1
    if "full range" in film.extras:
        context.color_range = 2
    for name, transfer in (("PQ", 16), ("HLG", 18)):
        if name in film.extras:
            context.color_primaries, context.color_trc, context.colorspace = 9, transfer, 9
    if "anamorphic" in film.extras:
        context.sample_aspect_ratio = Fraction(4, 3)
    return stream


def _encoded(stream: Any, film: Film) -> Iterator[Any]:
    times = list(range(film.frames))
    if "uneven times" in film.extras:
        times = [t + (t > film.frames // 2) * 3 + t // 3 for t in times]
    for number, time in enumerate(times):
        frame = av.VideoFrame.from_ndarray(picture(number, *film.size), format="rgb24")
        if film.pixels != "rgb24":
            frame = frame.reformat(format=film.pixels)
        frame.pts, frame.time_base = time, Fraction(1, film.rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound_stream(box: Any, sound: Sound) -> Any:
    stream = box.add_stream(sound.codec, rate=sound.rate, layout=sound.layout)
    if sound.codec in ("opus", "vorbis", "dca", "truehd"):
        stream.codec_context.options = {"strict": "-2"}
    return stream


def _tone(stream: Any, sound: Sound, seconds: float) -> Iterator[Any]:
    layout = av.AudioLayout(sound.layout)
    wave = np.sin(np.arange(int(sound.rate * seconds)) / 9).astype(np.float32) / 3
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(np.repeat(wave[None], layout.nb_channels, axis=0)),
        format="fltp",
        layout=sound.layout,
    )
    frame.sample_rate, frame.pts, frame.time_base = sound.rate, 0, Fraction(1, sound.rate)
    context = stream.codec_context
    context.open(strict=False)
    resampler = av.AudioResampler(format=context.format.name, layout=sound.layout, rate=sound.rate)
    fifo = av.AudioFifo()
    for part in resampler.resample(frame) + resampler.resample(None):
        fifo.write(part)
    size = context.frame_size or 1024
    while (block := fifo.read(size, partial=True)) is not None:
        yield from stream.encode(block)
    yield from stream.encode(None)


_ASS_HEADER = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\n"
_TEXTS = {
    "subrip": b"Words",
    "ass": b"0,0,Default,,0,0,0,,Words",
    "webvtt": b"Words",
    "mov_text": b"\0\5Words",
}


def _words_stream(box: Any, film: Film) -> Any:
    kind = next((k for k in _TEXTS if k in film.extras), None)
    if kind is None:
        return None
    stream = box.add_stream(kind)
    context = stream.codec_context
    context.time_base = stream.time_base = Fraction(1, 1000)
    context.subtitle_header = _ASS_HEADER
    stream.metadata["language"] = "eng"
    return stream


def _cue(stream: Any) -> Any:
    name = stream.codec_context.name
    packet = av.Packet(_TEXTS["subrip" if name == "srt" else "ass" if name == "ssa" else name])
    packet.time_base = Fraction(1, 1000)
    packet.pts = packet.dts = 100
    packet.duration, packet.is_keyframe, packet.stream = 500, True, stream
    return packet


def _chapters(box: Any, _: Any) -> None:
    base = Fraction(1, 1000)
    box.set_chapters(
        [
            {"id": 0, "start": 0, "end": 500, "time_base": base, "metadata": {"title": "One"}},
            {"id": 1, "start": 500, "end": 1000, "time_base": base, "metadata": {"title": "Two"}},
        ]
    )


def _matrix(numbers: tuple[int, ...]) -> Callable[[Any, Any], None]:
    whole = [n * 65536 for n in numbers]
    return lambda _box, stream: stream.set_display_matrix(
        [whole[0], whole[1], 0, whole[2], whole[3], 0, 0, 0, 1 << 30]
    )


def _metadata(box: Any, _: Any) -> None:
    box.metadata.update({"title": "A title", "location": "+48.1+011.6/", "make": "Camera"})


EXTRAS: dict[str, Callable[[Any, Any], None]] = {
    "chapters": _chapters,
    "turned 90": _matrix((0, 1, -1, 0)),
    "turned 180": _matrix((-1, 0, 0, -1)),
    "turned 270": _matrix((0, -1, 1, 0)),
    "mirrored": _matrix((-1, 0, 0, 1)),
    "metadata": _metadata,
}
"""Extras that change the container or a stream; those of the pictures are looked for by name."""


@dataclass(frozen=True)
class Case:
    """One row: what it is called, the file's suffix and what writes it."""

    container: str
    video: str
    pixels: str
    sound: str
    beside: str
    suffix: str
    write: Callable[[Path], None] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """All of it in one line."""
        return " | ".join((self.container, self.video, self.pixels, self.sound, self.beside))
