"""What becomes of a released file: frame rates, speeds, cuts, codec ladders, platforms.

A recipe is one or more passes; a pass is a chain of FFmpeg filters and an encoder. All run in one thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av


@dataclass(frozen=True)
class Pass:
    """Filters (name, arguments), then an encoder with its options."""

    filters: tuple[tuple[str, str], ...] = ()
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=lambda: {"crf": "26"})
    bit_rate: int = 0
    full_range: bool = False


def _fps(rate: str) -> tuple[Pass, ...]:
    return (Pass((("fps", rate),)),)


def _speed(factor: float, *then: tuple[str, str]) -> tuple[Pass, ...]:
    return (Pass((("setpts", f"PTS/{factor}"), *then)),)


def _tall(side: int) -> tuple[str, str]:
    """Scaled so that the short side is *side*."""
    return ("scale", f"w='if(gt(iw,ih),-2,{side})':h='if(gt(iw,ih),{side},-2)':flags=bicubic")


_VP9 = {"deadline": "realtime", "cpu-used": "8", "b": "0"}
_X265 = {"x265-params": "log-level=none:pools=1:frame-threads=1"}
_SVT = {"preset": "11", "svtav1-params": "lp=1"}
_BOX = ("drawbox", "x=iw*0.03:y=ih*0.03:w=iw*0.16:h=ih*0.09:color=white:t=fill")
_FRAME = ("drawbox", "x=0:y=0:w=iw:h=ih:color=black:t=8")
_WIDE_CROP = ("crop", "w='min(iw,ih*9/16)':h='min(ih,iw*16/9)'")
_SQUARE = ("pad", "w='max(iw,ih)':h='max(iw,ih)':x='(ow-iw)/2':y='(oh-ih)/2'")

RECIPES: dict[str, tuple[Pass, ...]] = {
    "fps_12.5": _fps("25/2"),
    "fps_24": _fps("24"),
    "fps_25": _fps("25"),
    "fps_30": _fps("30"),
    "fps_60": _fps("60"),
    "blended_30": (Pass((("framerate", "fps=30"),)),),
    "slow_90": _speed(0.9, ("fps", "30")),
    "fast_110": _speed(1.1, ("fps", "25")),
    "fast_125": _speed(1.25),
    "cut_ends": (Pass((("trim", "start=0.37:end=1.93"), ("setpts", "PTS-STARTPTS"))),),
    "cut_start_30": (Pass((("trim", "start=0.53"), ("setpts", "PTS-STARTPTS"), ("fps", "30"))),),
    "uneven": (Pass((("select", "mod(n\\,7)-3"),)),),
    "h264_480_crf33": (Pass((_tall(480),), options={"crf": "33"}),),
    "hevc_360_crf32": (Pass((_tall(360),), "libx265", {"crf": "32", "preset": "veryfast", **_X265}),),
    "vp9_360_crf42": (Pass((_tall(360),), "libvpx-vp9", {"crf": "42", **_VP9}),),
    "av1_360_crf45": (Pass((_tall(360),), "libsvtav1", {"crf": "45", **_SVT}),),
    "h264_240_crf26": (Pass((_tall(240),)),),
    "platform_9x16": (Pass((_WIDE_CROP, _tall(360), ("fps", "30"))), Pass(options={"crf": "28"})),
    "platform_square": (
        Pass((_SQUARE, ("scale", "480:480"), ("fps", "30")), options={"crf": "28"}),
        Pass(options={"crf": "30"}),
    ),
    "platform_overlay": (Pass((_BOX, _FRAME, ("fps", "30")), options={"crf": "28"}),),
    "bitrate_100k": (Pass(options={}, bit_rate=100_000), Pass(options={}, bit_rate=100_000)),
    "full_range": (Pass((("scale", "out_range=full"), ("format", "yuvj420p")), full_range=True),),
}


def render(recipe: tuple[Pass, ...], source: Path, destination: Path) -> None:
    """Put *source* through every pass; *destination* (.mkv) appears when the last one is whole."""
    current = source
    for number, step in enumerate(recipe):
        made = destination.with_suffix(f".{number}.part.mkv")
        _run(step, current, made)
        if current is not source:
            current.unlink()
        current = made
    current.rename(destination)


def _run(step: Pass, source: Path, destination: Path) -> None:
    with av.open(str(source)) as inside, av.open(str(destination), "w", format="matroska") as out:
        stream = inside.streams.video[0]
        stream.thread_type = "NONE"
        graph = av.filter.Graph()
        last = graph.add_buffer(template=stream)
        for name, arguments in step.filters:
            following = graph.add(name, arguments)
            last.link_to(following)
            last = following
        sink = graph.add("buffersink")
        last.link_to(sink)
        graph.configure()
        encoder: Any = None

        def drain() -> None:
            nonlocal encoder
            while True:
                try:
                    frame = graph.pull()
                except (av.error.BlockingIOError, av.error.EOFError):
                    return
                if encoder is None:
                    encoder = _encoder(step, out, frame, stream.average_rate)
                frame.pict_type = av.video.frame.PictureType.NONE
                out.mux(encoder.encode(frame))

        for frame in inside.decode(stream):
            try:
                graph.push(frame)
            except av.error.EOFError:  # a cut has its last picture
                break
            drain()
        else:
            graph.push(None)
        drain()
        if encoder is not None:
            out.mux(encoder.encode(None))


def _encoder(step: Pass, out: Any, frame: av.VideoFrame, rate: Fraction | None) -> Any:
    given = dict(step.filters).get("fps")
    stream = out.add_stream(step.codec, rate=Fraction(given) if given else rate)
    stream.width, stream.height = frame.width // 2 * 2, frame.height // 2 * 2
    stream.pix_fmt = "yuvj420p" if step.full_range else "yuv420p"
    stream.codec_context.time_base = frame.time_base
    preset = {"preset": "veryfast"} if step.codec == "libx264" else {}
    stream.options = {"threads": "1", **preset, **step.options}
    if step.bit_rate:
        stream.bit_rate = step.bit_rate
    return stream
