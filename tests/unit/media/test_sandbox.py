"""The sandboxed decoder: what it reads, what it refuses, what a hostile file can do to us (nothing)."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from safegen.errors import UnreadableInput
from safegen.media import sandbox
from safegen.media.encode import encode_mp4
from safegen.types import AudioTrack

pytestmark = pytest.mark.usefixtures("cold_sandbox")


def picture(i: int, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    frame = np.full((*size, 3), (200, 30, 30), np.uint8)
    frame[20:60, i : i + 30] = (20, 200, 60)
    return frame


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("media") / "clip.mp4"
    tone = np.sin(np.arange(48_000) / 48_000 * 2 * np.pi * 440).astype(np.float32)[:, None] * 0.5
    encode_mp4((picture(i) for i in range(48)), file, fps=Fraction(24), audio=AudioTrack(tone, 48_000))
    return file


def test_probe_says_what_is_in_the_file(video: Path) -> None:
    info = sandbox.probe(video)
    assert (info.width, info.height, info.fps, info.frames) == (128, 96, 24, 48)
    assert info.codec == "h264"
    assert set(info.streams) == {"audio", "video"}


def test_clip_can_be_read_twice_and_keeps_colours(video: Path) -> None:
    clip = sandbox.open_clip(video)
    first, second = list(clip), list(clip)
    assert len(first) == len(second) == clip.count == 48
    assert np.array_equal(first[7], second[7])
    assert np.abs(first[0][80, 10].astype(int) - (200, 30, 30)).max() <= 6


def test_sample_is_spread_over_the_whole_file(video: Path) -> None:
    sample = sandbox.sample_frames(video, frames=8, short_side=48)
    assert sample.frames.shape == (8, 48, 64, 3)
    assert sample.times[0] == 0
    assert sample.times[-1] > 1.8
    assert sample.keyframe[0]
    assert sample.seconds == pytest.approx(2, abs=0.1)


def test_sound_comes_back(video: Path) -> None:
    audio = sandbox.read_audio(video)
    assert audio is not None
    assert audio.rate == 48_000
    spectrum = np.abs(np.fft.rfft(audio.samples[:48_000, 0]))
    assert abs(int(spectrum.argmax()) - 440) <= 2


def test_silent_video_has_no_sound(tmp_path: Path) -> None:
    file = tmp_path / "silent.mp4"
    encode_mp4((picture(i) for i in range(4)), file, fps=Fraction(24))
    assert sandbox.read_audio(file) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"this is not a video\n" * 100),
        ("zeros.mp4", bytes(5000)),
        ("playlist.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n"),
        ("concat.mp4", b"ffconcat version 1.0\nfile clip.mp4\n"),
        ("huge_box.mp4", b"\x00\x00\x00\x18ftypisom" + bytes(8) + b"\xff\xff\xff\xffmoov" + bytes(64)),
    ],
)
def test_what_is_not_a_video_is_one_clear_error(
    tmp_path: Path, video: Path, name: str, content: bytes
) -> None:
    (tmp_path / "clip.mp4").write_bytes(video.read_bytes())
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UnreadableInput) as caught:
        sandbox.sample_frames(file, frames=4, short_side=None)
    assert caught.value.hint


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="no such file"):
        sandbox.probe(tmp_path / "nowhere.mp4")


def test_truncated_video_does_not_pass_as_whole(tmp_path: Path, video: Path) -> None:
    data = video.read_bytes()
    file = tmp_path / "cut.mp4"
    file.write_bytes(data[: len(data) * 2 // 3])
    clip = None
    with pytest.raises(UnreadableInput):
        clip = sandbox.open_clip(file)
        if len(list(clip)) < clip.count:
            raise UnreadableInput("shorter than it says")


def test_pixel_limit(video: Path) -> None:
    with pytest.raises(UnreadableInput, match="limit"):
        sandbox.probe(video, sandbox.Limits(max_pixels=1000))


@pytest.mark.skipif(os.name != "posix", reason="address space limits are POSIX")
def test_memory_limit_kills_the_child_not_us(video: Path) -> None:
    with pytest.raises(UnreadableInput):
        sandbox.sample_frames(video, frames=48, short_side=None, limits=sandbox.Limits(max_bytes=80 * 2**20))


def test_hostile_files_of_the_field(shared: Path) -> None:
    for name in ("rs_nested_moov_1000.mp4", "rs_riff_bomb_1000.wav", "rs_dashinit.mp4", "py_pdf-file.pdf"):
        with pytest.raises(UnreadableInput):
            sandbox.sample_frames(shared / "data/c2pa" / name, frames=4, short_side=None)
