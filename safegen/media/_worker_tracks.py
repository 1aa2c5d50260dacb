"""Sound and subtitle tracks on their way into an MP4, in the sandboxed worker."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

_COPY = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "flac", "opus", "dts", "dca", "mp2"})
"""Sound codecs that MP4 holds and players know."""
_LOSSLESS = frozenset(
    {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_u8", "pcm_s8", "wavpack", "tta"}
)
"""Codecs without loss that become FLAC, without loss."""
_TEXT = frozenset({"subrip", "srt", "webvtt", "text", "ass", "ssa"})
_FLAC_CHANNELS = 8
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What so many channels are where the file does not say which they are (ISO/IEC 14496-3, table 1.19)."""
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_MOST = 6
"""Bits per sample and channel that an AAC encoder may spend (6144 in a block of 1024)."""


class Track:
    """One output track: ``take`` turns a source packet into packets for it."""

    def __init__(self, out: Any) -> None:
        self.out = out
        self.notes: list[str] = []

    def take(self, packet: Any, start: Fraction) -> Iterator[Any]:
        """Packets for the output; *start* (seconds) is where the source's time begins."""
        shift = round(start / packet.time_base)
        if packet.pts is not None:
            packet.pts -= shift
        if packet.dts is not None:
            packet.dts -= shift
        packet.stream = self.out
        yield packet

    def finish(self) -> Iterator[Any]:
        """What is left at the end."""
        return iter(())


def sound_track(stream: Any, box: Any, notes: list[str]) -> Track | None:
    """A copy where MP4 can hold the codec, else an encoder; None, said, where it cannot be decoded."""
    name = stream.codec_context.name if stream.codec_context else ""
    number = f"sound track {_number(stream)}"
    if name in _COPY:
        return Track(box.add_stream_from_template(stream))
    if not name:
        notes.append(f"{number} is of an unknown kind and is not kept")
        return None
    context = stream.codec_context
    lossless = name in _LOSSLESS and context.channels <= _FLAC_CHANNELS
    codec, layout = "flac" if lossless else "aac", _layout(context)
    track = _Encoded(stream, box, codec, layout)
    how = "without loss" if lossless else "encoded again"
    wide = (
        f", {context.channels} channels mixed into two" if layout == "stereo" != context.layout.name else ""
    )
    wide = wide if context.channels > 2 else ""
    notes.append(
        f"{number} ({name}) cannot be stored in MP4 unchanged: it is now {codec.upper()}, {how}{wide}"
    )
    return track


def _layout(context: Any) -> str:
    """The arrangement of the channels of the new track."""
    if context.channels > max(_LAYOUTS):
        return "stereo"
    name = str(context.layout.name)
    return _LAYOUTS[context.channels] if name[:1].isdigit() and name.endswith("channels") else name


def _number(stream: Any) -> int:
    same = [s.index for s in stream.container.streams if s.type == stream.type]
    return same.index(stream.index) + 1


class _Encoded(Track):
    """Sound that is decoded and encoded again."""

    def __init__(self, stream: Any, box: Any, codec: str, layout: str) -> None:
        import av

        context = stream.codec_context
        rate = context.sample_rate
        if codec == "aac" and rate not in _AAC_RATES:
            rate = 48000
        wide = codec == "flac" and context.format.bytes > 2
        form = {"aac": "fltp", "flac": "s32" if wide else "s16"}[codec]
        super().__init__(box.add_stream(codec, rate=rate, layout=layout, format=form))
        if codec == "aac":
            each = min(96_000, _AAC_MOST * rate)
            self.out.codec_context.bit_rate = each * self.out.codec_context.layout.nb_channels
        self._resampler = av.AudioResampler(format=form, layout=layout, rate=rate)
        self._damaged = 0

    def take(self, packet: Any, start: Fraction) -> Iterator[Any]:
        """Decode, resample, encode."""
        import av

        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self._damaged += 1
            if self._damaged == 1:
                self.notes.append("damaged parts of a sound track are left out")
            return
        for frame in frames:
            if frame.pts is not None:
                frame.pts -= round(start / frame.time_base)
            for part in self._resampler.resample(frame):
                yield from self.out.encode(part)

    def finish(self) -> Iterator[Any]:
        """Empty resampler and encoder."""
        for part in self._resampler.resample(None):
            yield from self.out.encode(part)
        yield from self.out.encode(None)


def subtitle_track(stream: Any, box: Any, notes: list[str]) -> Track | None:
    """mov_text as it is, other text turned into it; pictures are left out, said."""
    name = stream.codec_context.name if stream.codec_context else ""
    if name == "mov_text":
        return Track(box.add_stream_from_template(stream))
    if name not in _TEXT:
        notes.append(f"subtitle track {_number(stream)} ({name or 'unknown'}) is not text and is not kept")
        return None
    notes.append(f"subtitle track {_number(stream)} ({name}) is now mov_text: words and times without styles")
    return _Text(stream, box)


def text_stream(box: Any, header: bytes | None = None) -> Any:
    """A mov_text stream with a time base of milliseconds; *header*: styles as ASS."""
    stream = box.add_stream("mov_text")
    context = stream.codec_context
    context.time_base = stream.time_base = Fraction(1, 1000)
    context.subtitle_header = header or _ASS_HEADER
    return stream


class _Text(Track):
    """Subtitles as mov_text (3GPP TS 26.245): a length and UTF-8 words per packet."""

    def __init__(self, stream: Any, box: Any) -> None:
        import av

        super().__init__(text_stream(box, stream.codec_context.subtitle_header))
        self._packet = av.Packet

    def take(self, packet: Any, start: Fraction) -> Iterator[Any]:
        """The words of a packet."""
        import av

        try:
            shown = packet.decode()
        except av.error.FFmpegError:
            self.notes.append("an unreadable subtitle is left out")
            return
        words = spoken_words(shown)
        if not words or packet.pts is None:
            return
        data = words.encode()[:65_000]
        made = self._packet(len(data).to_bytes(2, "big") + data)
        made.time_base = Fraction(1, 1000)
        made.pts = made.dts = max(0, round((packet.pts * packet.time_base - start) * 1000))
        made.duration = max(1, round((packet.duration or 0) * packet.time_base * 1000))
        made.is_keyframe = True
        made.stream = self.out
        yield made


def spoken_words(shown: Any) -> str:
    """The plain words of a decoded subtitle."""
    return "\n".join(_words(rect) for rect in shown if rect.type != b"bitmap").strip()


def _words(rect: Any) -> str:
    """Plain words of an ASS event, line breaks kept, overrides dropped."""
    import re

    text = (rect.ass or rect.dialogue or b"").decode("utf-8", "replace")
    fields = text.split(",", 8)
    text = fields[8] if len(fields) == 9 else text
    return re.sub(r"\{[^}]*\}", "", text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


_ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour
Style: Default,Arial,16,&Hffffff

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
