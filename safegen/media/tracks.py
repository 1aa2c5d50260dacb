"""A video with its text tracks and described sound: written, its flags set, and read back.

A file of our own is opened here; one from elsewhere only in the sandbox.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from safegen.errors import ReleaseFailed, UnreadableInput
from safegen.media._channel import worker_messages
from safegen.media.handles import opened, read_media
from safegen.media.sandbox import Limits
from safegen.protocols import NoProgress, Progress

if TYPE_CHECKING:
    from safegen.types import AudioTrack

TimedText = tuple[float, float, str]
"""From, to (seconds), words."""

_LIMITS = Limits()
_ENABLED = 1


@dataclass(frozen=True)
class TextTracks:
    """What is put into the file."""

    captions: tuple[TimedText, ...] = ()
    descriptions: tuple[TimedText, ...] = ()
    chapters: tuple[TimedText, ...] = ()
    sound: AudioTrack | None = None
    """The described sound track."""


@dataclass(frozen=True)
class TrackContents:
    """What a player finds. ``texts``: by kind (``captions``, ``descriptions``, ``other``)."""

    texts: dict[str, list[TimedText]]
    chapters: list[TimedText]
    described_seconds: float
    """Length of the described sound track, 0 without one."""
    other_sounds: int
    frames: int
    """Packets of the video."""


def mux_tracks(
    video: Path, target: Path, tracks: TextTracks, *, progress: Progress = NoProgress()
) -> tuple[str, ...]:
    """Write *target*: *video*, an MP4 made here, with *tracks*. Raises ReleaseFailed."""
    import av

    from safegen.media import _worker_access

    try:
        with opened(video) as source, opened(target, write=True) as made, read_media(source) as container:
            samples = None if tracks.sound is None else tracks.sound.samples
            notes = _worker_access.write(container, made, _job(tracks), samples, progress.advance)
        disable_extras(target)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReleaseFailed(
            f"the text tracks could not be added: {reason}", hint="check for free disk space"
        ) from error
    return tuple(notes)


def mux_tracks_sandboxed(
    video: Path, target: Path, tracks: TextTracks, limits: Limits = _LIMITS
) -> tuple[str, ...]:
    """As ``mux_tracks`` for a file from elsewhere, in the sandbox. Returns notes on what could not be kept.

    Raises UnreadableInput, ReleaseFailed.
    """
    job = {"op": "access", **_job(tracks), **vars(limits)}
    notes: tuple[str, ...] | None = None
    samples = target.with_name(target.name + ".samples")
    try:
        if tracks.sound is not None:
            tracks.sound.samples.tofile(samples)
        reads = {} if tracks.sound is None else {"sound": samples}
        for message, _ in worker_messages(
            video, job, limits.max_seconds, reads=reads, writes={"target": target}
        ):
            if message["type"] == "done":
                notes = tuple(message["notes"])
    except OSError as error:
        raise ReleaseFailed(
            f"the text tracks could not be added: {error.strerror}", hint="check for free disk space"
        ) from error
    finally:
        samples.unlink(missing_ok=True)
    if notes is None:
        raise ReleaseFailed("the text tracks could not be added")
    disable_extras(target)
    return notes


def read_tracks_sandboxed(path: Path, limits: Limits = _LIMITS) -> TrackContents:
    """What the tracks of *path* say, read in the sandbox. Raises UnreadableInput."""
    job = {"op": "words", **vars(limits)}
    for message, _ in worker_messages(path, job, limits.max_seconds):
        if message["type"] == "words":
            return _parse_contents(message)
    raise UnreadableInput(f"{path}: its tracks cannot be read", hint="check that it is a complete video file")


def read_tracks(path: Path) -> TrackContents:
    """What the tracks of *path*, written here from what was made here, say. Raises ReleaseFailed."""
    import av

    from safegen.media import _worker_words

    try:
        with opened(path) as source, read_media(source) as box:
            return _parse_contents(_worker_words.facts(box))
    except (av.error.FFmpegError, OSError, UnreadableInput) as error:
        raise ReleaseFailed(f"the text tracks cannot be read back: {error}") from error


def _parse_contents(message: dict[str, Any]) -> TrackContents:
    texts = {kind: [_line(c) for c in cues] for kind, cues in message["texts"].items()}
    chapters = [_line(c) for c in message["chapters"]]
    described = float(message["described"])
    return TrackContents(texts, chapters, described, int(message["sounds"]), int(message["frames"]))


def _line(cue: Sequence[Any]) -> TimedText:
    return float(cue[0]), float(cue[1]), str(cue[2])


def _job(tracks: TextTracks) -> dict[str, Any]:
    """The worker's job."""
    sound = tracks.sound
    lists: dict[str, Sequence[TimedText]] = {
        "captions": tracks.captions,
        "descriptions": tracks.descriptions,
        "chapters": tracks.chapters,
    }
    return {
        "sound": None if sound is None else {"rate": sound.rate, "channels": sound.samples.shape[1]},
        **{k: [list(c) for c in v] for k, v in lists.items()},
    }


def disable_extras(path: Path) -> None:
    """Let text tracks and all sound but the first wait to be chosen: FFmpeg turns the first text track on.

    Clears the enabled flag of their track headers (ISO/IEC 14496-12, 8.3.2) in the file. Raises OSError,
    ValueError for a file that is no MP4.
    """
    with path.open("r+b") as file:
        moov = next((b for b in _boxes(file, 0, path.stat().st_size) if b[0] == b"moov"), None)
        if moov is None:
            raise ValueError("the file has no index")
        heard = False
        for name, start, end in _boxes(file, moov[1], moov[2]):
            if name != b"trak":
                continue
            kind = _handler(file, start, end)
            if kind in (b"sbtl", b"text", b"subt") or (kind == b"soun" and heard):
                _disable(file, start, end)
            heard = heard or kind == b"soun"


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Boxes between two offsets as (type, offset of the content, end). Raises ValueError."""
    while start + 8 <= end:
        file.seek(start)
        size, name = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8))[0], 16
        size = size or end - start
        if size < head or start + size > end:
            raise ValueError("the file's boxes are inconsistent")
        yield name, start + head, start + size
        start += size


def _handler(file: BinaryIO, start: int, end: int) -> bytes:
    """The kind of a track: ``vide``, ``soun``, ``sbtl``..."""
    for name, a, b in _boxes(file, start, end):
        if name == b"mdia":
            for inner, c, _ in _boxes(file, a, b):
                if inner == b"hdlr":
                    file.seek(c + 8)
                    return file.read(4)
    return b""


def _disable(file: BinaryIO, start: int, end: int) -> None:
    for name, a, _ in _boxes(file, start, end):
        if name == b"tkhd":
            file.seek(a + 3)
            flags = file.read(1)[0]
            file.seek(a + 3)
            file.write(bytes([flags & ~_ENABLED]))
            return
