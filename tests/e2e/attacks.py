"""What happens to videos out there, done with PyAV: remuxing, re-encoding, cropping, pasting marks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from safegen import plugins
from safegen.media.encode import Encoding, encode_mp4
from safegen.media.sandbox import open_clip
from safegen.watermarks import PUBLIC_KEY

if TYPE_CHECKING:
    from safegen.types import Frame


def remux(source: Path, target: Path) -> Path:
    """Copy the streams and nothing else: every box that is not the video is gone."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return target


def reencode(
    source: Path, target: Path, *, crf: int = 23, change: Callable[[Frame], Frame] = lambda frame: frame
) -> Path:
    """Decode, *change* every frame, encode again."""
    clip = open_clip(source)
    frames = (np.ascontiguousarray(change(frame)) for frame in clip)
    encode_mp4(frames, target, fps=clip.fps, encoding=Encoding(crf=crf, preset="veryfast"))
    return target


def crop(area: float) -> Callable[[Frame], Frame]:
    """Keep a part of the picture, *area* of the whole, off the centre."""

    def change(frame: Frame) -> Frame:
        height, width = frame.shape[:2]
        h, w = (int(side * area**0.5) // 2 * 2 for side in (height, width))
        y, x = (height - h) // 3, (width - w) * 2 // 3
        return frame[y : y + h, x : x + w]

    return change


def paste_mark(payload: int, victim: Path, target: Path) -> Path:
    """Forge a release's mark into another clip: the public key lets anyone do that."""
    clip = open_clip(victim)
    marked = plugins.load_watermark("tile").embed(iter(clip), payload=payload, key=PUBLIC_KEY)
    encode_mp4(marked, target, fps=clip.fps, encoding=Encoding(crf=18, preset="veryfast"))
    return target
