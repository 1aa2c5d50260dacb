"""A file is what its bytes are, whatever it is called; and nothing in it leads to another file."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from safegen.errors import UnreadableInput
from safegen.media import sandbox, tracks
from safegen.media.encode import encode_mp4
from safegen.media.encode_planes import encode_pictures
from safegen.media.footage import open_footage
from safegen.media.handles import FORMATS, Handle, opened, read_media
from safegen.media.remux import add_tracks
from safegen.media.spool import pack, unpack
from safegen.media.still import Still, read_still, write_still
from safegen.types import AudioTrack, Clip

pytestmark = pytest.mark.skipif(os.name != "posix", reason="most of these names exist on POSIX only")

RED, GREEN = (200, 30, 30), (30, 200, 30)
NAMES = [
    b"fake%d",
    b"x%03d",
    b"x%%d",
    b"-i",
    b"concat:a|b",
    b"file:x",
    b"subfile,,start,0,end,9,,:x",
    b"pipe:0",
    b"http:",
    b"data:text",
    b"crypto:x",
    b"a*b?[1-2]",
    b"a\nb",
    b"caf\xe9\xff",
    b" ",
    b"..x",
]


def frames(colour: tuple[int, int, int], count: int = 6) -> list[np.ndarray]:
    return [np.full((64, 96, 3), colour, np.uint8) for _ in range(count)]


def is_red(picture: np.ndarray) -> bool:
    return bool(picture[..., 0].mean() > 150 > 100 > picture[..., 1].mean())


@pytest.fixture(params=NAMES, ids=[repr(n) for n in NAMES])
def stem(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path in the current folder, which also holds what the name could be taken for."""
    monkeypatch.chdir(tmp_path)
    for decoy in ("fake0", "fake1", "x001", "x000", "a", "b", "x", "x1d", "a1b1"):
        cv2.imwrite(f"{decoy}.jpg", frames(GREEN)[0][..., ::-1])
        encode_mp4(frames(GREEN), tmp_path / f"{decoy}.mp4", fps=Fraction(24))
    return Path(os.fsdecode(request.param))


def named(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def test_videos_are_written_and_read_under_any_name(stem: Path) -> None:
    before = set(Path().iterdir())
    film, kept, whole, made, packed = (named(stem, e) for e in (".mp4", ".2.mp4", ".3.mp4", ".4.mp4", ".mkv"))
    tone = AudioTrack(np.zeros((12_000, 1), np.float32), 48_000)
    encode_mp4(frames(RED), film, fps=Fraction(24), audio=tone)
    assert sandbox.probe(film).frames == 6
    assert is_red(sandbox.sample_frames(film, frames=2, short_side=None).frames[0])
    assert is_red(next(iter(sandbox.open_clip(film))))
    assert sandbox.read_audio(film) is not None
    footage = open_footage(film)
    assert encode_pictures(footage, kept, footage) == 6
    add_tracks(kept, footage, whole)
    assert is_red(sandbox.sample_frames(whole, frames=1, short_side=None).frames[0])
    tracks.mux_tracks_sandboxed(film, made, tracks.TextTracks(captions=((0.0, 0.2, "hello"),), sound=tone))
    assert tracks.read_tracks_sandboxed(made).texts["captions"][0][2] == "hello"
    assert tracks.read_tracks(made).described_seconds > 0
    clip = Clip.from_array(np.stack(frames(RED)), 24)
    pack(clip, packed)
    assert is_red(next(iter(unpack(packed, 96, 64, Fraction(24), 6))))
    assert set(Path().iterdir()) - before == {film, kept, whole, made, packed}, "and nothing else was written"


def test_stills_are_written_and_read_under_any_name(stem: Path) -> None:
    for ending in (".jpg", ".png"):
        file = named(stem, ending)
        write_still(Still(frames(RED)[0], b"", False), file)
        assert is_red(read_still(file).rgb)
        assert is_red(sandbox.sample_frames(file, frames=1, short_side=None).frames[0])


def test_what_is_not_a_file_is_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", tmp_path, Path("/dev/zero"), tmp_path / "none%d.jpg"):
        with pytest.raises(UnreadableInput, match=r"no such file|is not a file|is a folder, not a file"):
            sandbox.probe(path)


def dref(path: str) -> bytes:
    """A data reference that is a Macintosh alias to *path*, as QuickTime writes one (type 2: the path)."""
    text = path.encode()
    alias = bytes(150) + struct.pack(">HH", 2, len(text)) + text + b"\xff\xff\x00\x00"
    return struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias


def redirected(film: Path, to: Path) -> bytes:
    """*film* without its pictures: they are said to be in *to*."""
    data = film.read_bytes()
    at = data.index(b"dref") - 4
    size = struct.unpack(">I", data[at : at + 4])[0]
    grown = struct.pack(">I4sII", 16, b"dref", 0, 1) + dref(str(to))
    grown = struct.pack(">I", len(grown)) + grown[4:]
    extra = len(grown) - size
    for kind in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        box = data.rindex(kind, 0, at) - 4
        length = struct.unpack(">I", data[box : box + 4])[0] + extra
        data = data[:box] + struct.pack(">I", length) + data[box + 4 :]
    return data[:at] + grown + data[at + size :]


def test_a_movie_that_keeps_its_pictures_elsewhere_opens_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    encode_mp4(frames(GREEN), secret, fps=Fraction(24))
    with av.open(str(tmp_path / "plain.mov"), "w", format="mov") as box:
        stream = box.add_stream("mjpeg", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for picture in frames(RED):
            box.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        box.mux(stream.encode(None))
    film = tmp_path / "film.mov"
    film.write_bytes(redirected(tmp_path / "plain.mov", secret))
    touched = secret.stat().st_atime_ns
    os.utime(secret, ns=(0, secret.stat().st_mtime_ns))
    try:
        found = sandbox.sample_frames(film, frames=1, short_side=None).frames[0]
    except UnreadableInput:
        found = None
    assert found is None or is_red(found)
    assert secret.stat().st_atime_ns == 0 != touched


LISTS = {
    "hls.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{0}\n#EXT-X-ENDLIST\n",
    "concat.txt": "ffconcat version 1.0\nfile '{0}'\n",
    "dash.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    "<AdaptationSet><Representation id='1'><BaseURL>{0}</BaseURL></Representation></AdaptationSet>"
    "</Period></MPD>",
    "imf.xml": '<?xml version="1.0"?><CompositionPlaylist>{0}</CompositionPlaylist>',
    "sdp.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
    "list.vpl": "{0}\n",
    "asx.asx": '<asx version="3.0"><entry><ref href="{0}"/></entry></asx>',
}


@pytest.mark.parametrize("ending", [".mp4", ".m3u8", ".txt", ".mpd", ".jpg", ""])
@pytest.mark.parametrize("name", LISTS)
def test_lists_of_other_files_are_no_videos(tmp_path: Path, name: str, ending: str) -> None:
    encode_mp4(frames(GREEN), tmp_path / "other.mp4", fps=Fraction(24))
    file = tmp_path / f"list{ending}"
    file.write_text(LISTS[name].format(tmp_path / "other.mp4"))
    with pytest.raises(UnreadableInput):
        sandbox.sample_frames(file, frames=1, short_side=None)


def test_no_allowed_demuxer_opens_other_files() -> None:
    others = {
        "hls",
        "concat",
        "concatf",
        "dash",
        "imf",
        "sdp",
        "rtsp",
        "image2",
        "lavfi",
        "tedcaptions",
        "vobsub",
    }
    assert not set(FORMATS.split(",")) & others
    available = av.formats_available
    assert {name for name in FORMATS.split(",") if name in available}, "they are names that FFmpeg knows"


def test_what_follows_a_jpeg_is_no_second_picture(tmp_path: Path) -> None:
    """Telephones put a second view or a short film behind the picture."""
    file = tmp_path / "phone.jpg"
    cv2.imwrite(str(file), frames(RED)[0][..., ::-1])
    second = tmp_path / "second.jpg"
    cv2.imwrite(str(second), frames(GREEN)[0][..., ::-1])
    for behind in (second.read_bytes(), bytes(50_000) + second.read_bytes(), b"ftypmp42" * 999):
        file.write_bytes(file.read_bytes() + behind)
        assert is_red(read_still(file).rgb)


def test_handles_keep_positions_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "a"
    with opened(file, write=True) as made:
        assert made.write(b"0123456789") == 10
        first, second = Handle(made.fileno()), Handle(made.fileno())
        assert (first.read(3), second.read(2), first.tell(), second.tell()) == (b"012", b"01", 3, 2)
        assert (first.seek(-2, 2), first.read(), first.read(5)) == (8, b"89", b"")
        buffer = bytearray(4)
        assert (second.readinto(buffer), bytes(buffer), second.seek(1, 1)) == (4, b"2345", 7)
        with pytest.raises(OSError, match="before the start"):
            first.seek(-1)
        assert not hasattr(first, "name")
    with opened(file) as handle, pytest.raises(av.error.FFmpegError):
        read_media(handle)
