"""Encoding pictures as they are stored: H.264 for 8 bit, HEVC for 10 bit, everything else kept."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import Interrupted, ReleaseFailed
from safegen.media.encode import Encoding, codec_options
from safegen.media.handles import opened, write_media
from safegen.protocols import NoProgress, Progress

if TYPE_CHECKING:
    from safegen.media.footage import Footage, Picture

_FULL, _LIMITED = 2, 1
_USUAL_RATE = Fraction(25)
_FASTEST = 1000

_FEW = 8
"""Pictures below which 10 bit is encoded without B-frames: libx265 leaves the decoding times of so short a
clip to chance, and a third of them could not be written."""


def encode_pictures(
    pictures: Iterable[Picture],
    destination: Path,
    footage: Footage,
    *,
    encoding: Encoding = Encoding(),
    progress: Progress = NoProgress(),
) -> int:
    """Encode *pictures* of *footage* to *destination* (MP4, video only) and return how many there were.

    Size, depth, range, colours, aspect, times and field order stay as they are. Raises ReleaseFailed when
    the encoder or the disk fails, Interrupted when progress says so.
    """
    import av

    count = 0
    try:
        with opened(destination, write=True) as file, write_media(file, "mp4") as box:
            video = _stream(box, footage, encoding)
            fields = _Fields(footage) if footage.field_order else None
            for picture in pictures:
                if progress.cancelled():
                    raise Interrupted("stopped while encoding")
                frame = _frame(picture, footage)
                box.mux(video.encode(frame if fields is None else fields.set(frame)))
                count += 1
                progress.advance()
            if count == 0:
                raise ReleaseFailed("there are no frames to encode")
            box.mux(video.encode(None))
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReleaseFailed(
            f"the video could not be written: {reason}", hint="check for free disk space"
        ) from error
    return count


def _stream(box: Any, footage: Footage, encoding: Encoding) -> Any:
    """The video stream of the container."""
    deep = footage.depth > 8
    rate = footage.rate if 0 < footage.rate <= _FASTEST else _USUAL_RATE
    stream = box.add_stream("libx265" if deep else "libx264", rate=rate)
    context = stream.codec_context
    stream.width, stream.height, stream.pix_fmt = footage.width, footage.height, _pixels(footage)
    context.color_primaries, context.color_trc, context.colorspace = footage.colours
    context.color_range = _FULL if footage.full_range else _LIMITED
    context.sample_aspect_ratio = footage.aspect
    context.time_base = footage.time_base
    options = codec_options(encoding, footage.width, footage.height, deep=deep)
    if deep:
        context.codec_tag = "hvc1"
        if footage.expected < _FEW:
            options["x265-params"] += ":bframes=0"
        if footage.hdr:
            options["x265-params"] += f":hdr10=1:{footage.hdr}"
    elif footage.field_order:
        options["x264-params"] += f":{footage.field_order}=1"
    stream.options = options
    return stream


def _pixels(footage: Footage) -> str:
    """FFmpeg's name of the pixel format."""
    if footage.depth > 8:
        return "yuv420p10le"
    return "yuvj420p" if footage.full_range else "yuv420p"


def _frame(picture: Picture, footage: Footage) -> Any:
    """The picture as the encoder wants it."""
    import av

    frame = av.VideoFrame.from_ndarray(picture.planes, format=_pixels(footage))
    # No range on the frame: the stream has it, and one that a filter graph was not told of makes FFmpeg 8
    # spin for ever when the graph is taken down.
    frame.pts, frame.duration, frame.time_base = picture.time, picture.duration, footage.time_base
    return frame


class _Fields:
    """Marks frames as interlaced, top or bottom field first; only a filter can."""

    def __init__(self, footage: Footage) -> None:
        import av

        self._graph = av.filter.Graph()
        source = self._graph.add_buffer(
            width=footage.width, height=footage.height, format=_pixels(footage), time_base=footage.time_base
        )
        mode = self._graph.add("setfield", footage.field_order)
        source.link_to(mode)
        mode.link_to(self._graph.add("buffersink"))
        self._graph.configure()

    def set(self, frame: Any) -> Any:
        """The same picture with its flags."""
        self._graph.push(frame)
        out = self._graph.pull()
        out.pts, out.time_base = frame.pts, frame.time_base
        return out
