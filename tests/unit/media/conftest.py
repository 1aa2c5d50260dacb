"""Media of every odd kind, made with PyAV, and the sandboxed worker run in this process, for speed."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import numpy as np
import pytest

from safegen.media import _channel, _child, footage, remux, still
from safegen.media.handles import opened


class _NoWatch:
    def waiting(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def _talk(
    path: Path,
    job: dict[str, Any],
    seconds: float,
    reads: Mapping[str, Path] = MappingProxyType({}),
    writes: Mapping[str, Path] = MappingProxyType({}),
) -> Iterator[Any]:
    out = io.BytesIO()
    with contextlib.ExitStack() as stack:
        files = {"input": path, **reads, **writes}
        handles = {n: stack.enter_context(opened(f, write=n in writes)).fileno() for n, f in files.items()}
        module = "safegen.media._worker"
        _child.work({**job, "module": module, "handles": handles, "writes": list(writes)}, out)
    out.seek(0)
    yield from _channel._read(out, path, _NoWatch())  # type: ignore[arg-type]


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's own code without the process around it: a tenth of the time."""
    for module in (footage, remux, still):
        monkeypatch.setattr(module, "worker_messages", _talk)


def grain(count: int, size: tuple[int, int] = (64, 96), seed: int = 3) -> list[np.ndarray]:
    """uint8 RGB pictures (height, width) of moving coarse grain."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(40, 215, (size[0] // 8 + 1, size[1] // 8 + 1, 3), np.uint8)
    base = rough.repeat(8, 0).repeat(8, 1)[: size[0], : size[1]]
    return [np.ascontiguousarray(np.roll(base, 2 * i, 1)) for i in range(count)]


def tone(box: Any, codec: str, seconds: float, lang: str, rate: int = 48_000) -> Callable[[], None]:
    form = {"aac": "fltp", "libopus": "flt", "pcm_s16le": "s16", "flac": "s16", "libvorbis": "fltp"}
    stream = box.add_stream(codec, rate=rate, layout="mono", format=form.get(codec, "fltp"))
    stream.metadata["language"] = lang

    def write() -> None:
        wave = (np.sin(np.arange(int(rate * seconds)) / 20) * 9000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        resampler = av.AudioResampler(format=form.get(codec, "fltp"), layout="mono", rate=rate)
        fifo = av.AudioFifo()
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            fifo.write(part)
        step = stream.codec_context.frame_size or 1024
        while (part := fifo.read(step)) is not None:
            box.mux(stream.encode(part))
        box.mux(stream.encode(None))

    return write


def film(
    path: Path,
    *,
    format: str | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    count: int = 12,
    size: tuple[int, int] = (64, 96),
    rate: Fraction | int = 24,
    times: Sequence[int] | None = None,
    base: Fraction | None = None,
    options: dict[str, str] | None = None,
    stream_set: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    matrix: Sequence[int] | None = None,
    sound: Sequence[tuple[str, str]] = (),
    words: Sequence[tuple[str, str]] = (),
    chapters: bool = False,
    metadata: dict[str, str] | None = None,
    tracks: int = 1,
    frames: Sequence[np.ndarray] | None = None,
    source: str = "rgb24",
) -> Path:
    """Write a small file with everything a row of the table asks for."""
    shown = frames if frames is not None else grain(count, size)
    with av.open(str(path), "w", format=format) as box:
        box.metadata.update(metadata or {})
        videos = []
        for _ in range(tracks):
            video = box.add_stream(codec, rate=rate)
            video.height, video.width, video.pix_fmt = *shown[0].shape[:2], pixels
            # Of one or two pictures libx265 leaves the decoding times unset when it might use B-frames.
            few = {"x265-params": "bframes=0"} if codec == "libx265" and len(shown) < 8 else {}
            video.options = {**few, **(options or {})}
            for name, value in {"time_base": base or 1 / Fraction(rate), **(context or {})}.items():
                setattr(video.codec_context, name, value)
            if matrix:
                video.set_display_matrix(matrix)
            videos.append(video)
        sounds = [tone(box, name, len(shown) / float(rate), lang) for name, lang in sound]
        subtitles = [_words(box, name, lang) for name, lang in words]
        if chapters:
            one = Fraction(1, 1000)
            box.set_chapters(
                [
                    {"id": 1, "start": 0, "end": 250, "time_base": one, "metadata": {"title": "first"}},
                    {"id": 2, "start": 250, "end": 500, "time_base": one, "metadata": {"title": "second"}},
                ]
            )
        for video in videos:
            for i, picture in enumerate(shown):
                frame = av.VideoFrame.from_ndarray(picture, format=source)
                if source != pixels:
                    frame = frame.reformat(format=pixels)
                frame.pts, frame.time_base = (times[i] if times else i), base or 1 / Fraction(rate)
                box.mux(video.encode(frame))
            box.mux(video.encode(None))
        for write in (*sounds, *subtitles):
            write()
    return path


def _words(box: Any, codec: str, lang: str) -> Callable[[], None]:
    stream = box.add_stream(codec)
    stream.metadata["language"] = lang
    stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
    stream.codec_context.subtitle_header = b"[Script Info]\n[V4+ Styles]\n[Events]\n"

    def write() -> None:
        for n, text in enumerate(("hello", "good bye")):
            data = text.encode()
            packet = av.Packet(len(data).to_bytes(2, "big") + data if codec == "mov_text" else data)
            packet.time_base = Fraction(1, 1000)
            packet.pts = packet.dts = 100 + 200 * n
            packet.duration = 150
            packet.stream = stream
            box.mux(packet)

    return write


@pytest.fixture(scope="session")
def makers() -> dict[str, Callable[..., Any]]:
    """The helpers above, for tests collected without package imports."""
    return {"film": film, "grain": grain}
