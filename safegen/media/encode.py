"""Encoding a clip to MP4 (H.264, BT.709) with PyAV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import Interrupted, ReleaseFailed
from safegen.media.handles import opened, write_media
from safegen.protocols import NoProgress, Progress

if TYPE_CHECKING:
    from safegen.types import AudioTrack, Frame

_BT709 = 1
_SD_LIMITED = 1


@dataclass(frozen=True)
class Encoding:
    """How to encode: libx264 constant rate factor (0-51, lower is better) and preset."""

    crf: int = 18
    preset: str = "medium"


_LOOKAHEAD, _LOOKAHEAD_BYTES = 40, 64 * 2**20
"""Frames that the encoder looks ahead, and what they may take: 40 up to 720p, 21 of 1080p, 5 of 4K. x264
holds about twice a frame's size for each."""


def codec_options(encoding: Encoding, width: int, height: int, *, deep: bool = False) -> dict[str, str]:
    """Options of libx264, or libx265 where *deep* (10 bit), with memory bounded for large frames."""
    frame = max(1, width * height * 3 // 2 * (2 if deep else 1))
    ahead = max(5, min(_LOOKAHEAD, _LOOKAHEAD_BYTES // frame))
    common = {"crf": str(encoding.crf), "preset": encoding.preset}
    if deep:
        params = f"log-level=none:rc-lookahead={ahead}:frame-threads=1:hrd=0"
        return {**common, "x265-params": params}
    return {**common, "x264-params": f"rc-lookahead={ahead}"}


def encode_mp4(
    frames: Iterable[Frame],
    destination: Path,
    *,
    fps: Fraction,
    audio: AudioTrack | None = None,
    encoding: Encoding = Encoding(),
    progress: Progress = NoProgress(),
) -> int:
    """Encode *frames* (uint8 RGB, even sides) to *destination* and return how many there were.

    The file starts with its index (``faststart``) and says that it is BT.709, limited range. Raises
    ReleaseFailed when the encoder or the disk fails, Interrupted when progress says so.
    """
    import av

    count = 0
    try:
        with opened(destination, write=True) as file, write_media(file, "mp4", index_first=True) as box:
            video: Any = None
            sound = _add_audio(box, audio) if audio is not None else None
            for frame in frames:
                if progress.cancelled():
                    raise Interrupted("stopped while encoding")
                if video is None:
                    video = _add_video(box, frame.shape[1], frame.shape[0], fps, encoding)
                _encode_picture(box, video, frame, count, fps)
                count += 1
                progress.advance()
            if video is None:
                raise ReleaseFailed("there are no frames to encode")
            box.mux(video.encode(None))
            if sound is not None and audio is not None:
                _encode_sound(box, sound, audio)
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReleaseFailed(
            f"the video could not be written: {reason}", hint="check for free disk space"
        ) from error
    return count


def _add_video(box: Any, width: int, height: int, fps: Fraction, encoding: Encoding) -> Any:
    """The H.264 stream of the container."""
    if width % 2 or height % 2:
        raise ReleaseFailed(
            f"{width}x{height}: H.264 needs even sides", hint="choose an even width and height"
        )
    stream = box.add_stream("libx264", rate=fps)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.options = codec_options(encoding, width, height)
    context = stream.codec_context
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _SD_LIMITED
    context.time_base = 1 / fps
    return stream


def _encode_picture(box: Any, stream: Any, frame: Frame, index: int, fps: Fraction) -> None:
    """Convert one RGB picture to BT.709 limited range and encode it."""
    import av
    from av.video.reformatter import Colorspace

    picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
    picture = picture.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, src_color_range="JPEG", dst_color_range="MPEG"
    )
    picture.pts, picture.time_base = index, 1 / fps
    box.mux(stream.encode(picture))


def _add_audio(box: Any, audio: AudioTrack) -> Any:
    """The AAC stream of the container."""
    channels = audio.samples.shape[1]
    return box.add_stream("aac", rate=audio.rate, layout="mono" if channels == 1 else "stereo")


def _encode_sound(box: Any, stream: Any, audio: AudioTrack) -> None:
    """Encode the whole track (planar float32), at most two channels."""
    import av
    import numpy as np

    planar = np.ascontiguousarray(audio.samples[:, :2].T.astype(np.float32))
    frame = av.AudioFrame.from_ndarray(
        planar, format="fltp", layout="mono" if planar.shape[0] == 1 else "stereo"
    )
    frame.sample_rate, frame.pts, frame.time_base = audio.rate, 0, Fraction(1, audio.rate)
    box.mux(stream.encode(frame))
    box.mux(stream.encode(None))
