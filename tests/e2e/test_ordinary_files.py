"""Files as people have them: protected, with a word about whatever is not kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

import safegen
from safegen.errors import UnreadableInput
from safegen.media.still import read_still
from safegen.media.still_facts import notes_on
from safegen.types import Attribute, CheckRun
from tests.e2e.test_protect import scene
from tests.support.capabilities import pictures
from tests.support.capabilities.make import Film, Sound, write_film

CASES = {
    "picture_exif_orientation6.jpg": ("EXIF",),
    "still_of_own_clip.jpg": (),
    "picture_cmyk_profile.jpg": ("profile is for CMYK", "converted to RGB"),
    "picture_plain.jpg": (),
    "avi_h264_copied.avi": (),
    "avi_mpeg4.avi": (),
    "mkv_alaw.mkv": ("pcm_alaw", "AAC, encoded again"),
    "avchd.MTS": (),
    "plain_24fps.mp4": (),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ordinary") / "ws"


def protected(path: Path, home: Path, folder: Path) -> safegen.Release:
    out = folder / f"out{'.jpg' if path.suffix == '.jpg' else '.mp4'}"
    return safegen.protect(path, out, workspace=home)


@pytest.mark.parametrize("name", CASES)
def test_ordinary_files_are_released(shared: Path, home: Path, tmp_path: Path, name: str) -> None:
    made = protected(shared / "data/cases" / name, home, tmp_path)
    for word in CASES[name]:
        assert any(word in note for note in made.warnings), made.warnings
    assert safegen.verify(made.path, workspace=home).verdict is safegen.Verdict.VERIFIED
    if name == "picture_exif_orientation6.jpg":
        assert Image.open(made.path).size == (320, 480)
    if name == "picture_cmyk_profile.jpg":
        shown = Image.open(made.path)
        assert shown.mode == "RGB" and "icc_profile" not in shown.info
    if made.path.suffix == ".mp4":
        with av.open(str(made.path)) as box:
            times = [f.pts * f.time_base for f in box.decode(video=0)]
            assert len(times) == 24 and times == sorted(set(times)) and 0.9 < times[-1] - times[0] < 1.1
            if name == "mkv_alaw.mkv":
                (sound,) = box.streams.audio
                assert (sound.codec_context.name, sound.channels) == ("aac", 1)


def test_recordings_of_a_camera_are_looked_at_in_a_folder(shared: Path, home: Path, tmp_path: Path) -> None:
    from safegen.verification.batch import collect_files

    for name in ("avchd.MTS", "plain_24fps.mp4"):
        (tmp_path / name).write_bytes((shared / "data/cases" / name).read_bytes())
    (tmp_path / "notes.txt").write_text("G" * 5000)
    batch = collect_files([tmp_path])
    assert [f.name for f in batch.files] == ["avchd.MTS", "plain_24fps.mp4"] and batch.ignored == 1


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_every_orientation_comes_out_upright(tmp_path: Path, turn: int, suffix: str) -> None:
    from PIL import ImageOps

    path = tmp_path / f"a.{suffix}"
    image = Image.fromarray(scene(1)[0][:96, :64])
    image.save(path, exif=pictures.exif(turn))
    with Image.open(path) as again:
        expected = np.asarray(ImageOps.exif_transpose(again).convert("RGB")).astype(int)
    assert np.abs(read_still(path).rgb.astype(int) - expected).mean() < 3


LEFT_OUT: dict[str, tuple[str, ...]] = {
    "gain map": ("gain map",),
    "second picture": ("further pictures",),
    "Motion Photo": ("short film",),
    "bytes behind it": ("63 bytes behind",),
    "comment": ("comments",),
    "XMP": ("XMP",),
    "profile for grey": ("profile is for GRAY",),
}


@pytest.mark.parametrize("beside", LEFT_OUT)
def test_what_a_picture_loses_is_said(tmp_path: Path, beside: str) -> None:
    (case,) = (c for c in pictures.cases() if c.beside == beside)
    path = tmp_path / "a.jpg"
    case.write(path)
    notes = (*read_still(path).notes, *notes_on(path.read_bytes()))
    for word in LEFT_OUT[beside]:
        assert any(word in note for note in notes), notes


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_clips_of_a_moment_have_attributes(frames: int, level: float) -> None:
    """Whatever is shown: things before a place of the small world, and pictures of anything else."""
    from safegen.detectors.frames.world import create
    from safegen.types import Clip

    generator = np.random.default_rng(1)
    for number in range(12):
        rows = np.repeat(np.linspace(60, 200, 64)[:, None, None], 64, axis=1) * np.ones(3)
        shown = np.repeat(rows[None], frames, axis=0)
        for frame in shown:
            cv2.circle(frame, (10 + 4 * number, 32), 4 + number, (220, 30, 40), -1)
        shown = shown + level * generator.normal(0, 40, shown.shape)
        clip = Clip.from_array(np.clip(shown, 0, 255).astype(np.uint8), 12)
        values, _ = create().run(clip)
        assert {a.name for a in values} >= {"colour", "shape", "motion"}
        assert all(0 <= p <= 1 for a in values for p in a.probabilities.values())


class Breaking:
    """An extractor that fails on everything."""

    name = "world"

    def run(self, clip: Any) -> tuple[list[Attribute], CheckRun]:
        raise IndexError("list index out of range")


@pytest.mark.parametrize("suffix", ["jpg", "mp4"])
def test_an_extractor_that_fails_stops_no_release(
    monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path, suffix: str
) -> None:
    from safegen import plugins

    monkeypatch.setattr(plugins, "load_attribute_extractor", lambda name: Breaking())
    path = tmp_path / f"a.{suffix}"
    if suffix == "jpg":
        Image.fromarray(scene(1)[0]).save(path)
    else:
        write_film(Film("mp4", "mp4", "libx264", size=(384, 512)), path)
    made = protected(path, home, tmp_path)
    assert any("the extractor 'world' failed (IndexError" in note for note in made.warnings)
    assert made.attributes == ()


def cut_front(data: bytes) -> bytes:
    """Without the first third and a part of a packet."""
    return data[len(data) // 3 // 188 * 188 + 77 :]


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
def test_a_broadcast_tuned_in_midway_is_released(home: Path, tmp_path: Path, codec: str) -> None:
    options = (("g", "10"),) if codec == "mpeg2video" else (("g", "10"), ("preset", "veryfast"))
    film = Film("ts", "mpegts", codec, size=(384, 256), frames=50, rate=25, options=options)
    write_film(film, tmp_path / "whole.ts")
    (tmp_path / "midway.ts").write_bytes(cut_front((tmp_path / "whole.ts").read_bytes()))
    made = protected(tmp_path / "midway.ts", home, tmp_path)
    assert any("begins in the middle" in note for note in made.warnings), made.warnings
    with av.open(str(made.path)) as box:
        assert 10 <= len(list(box.decode(video=0))) <= 40


SOUNDS = [Sound("pcm_alaw", 8000, "mono"), Sound("pcm_mulaw", 8000, "mono"), Sound("adpcm_ms", 11025, "mono"),
          Sound("adpcm_ima_wav", 22050, "mono")]  # fmt: skip


@pytest.mark.parametrize("sound", SOUNDS, ids=lambda s: s.codec)
def test_sound_of_telephones_and_games_is_encoded_again(home: Path, tmp_path: Path, sound: Sound) -> None:
    write_film(Film("avi", "avi", "mpeg4", sound=sound, size=(192, 128)), tmp_path / "a.avi")
    made = protected(tmp_path / "a.avi", home, tmp_path)
    assert any(
        f"({sound.codec}) cannot be stored in MP4 unchanged: it is now AAC" in n for n in made.warnings
    )
    with av.open(str(made.path)) as box:
        assert box.streams.audio[0].codec_context.name == "aac"
        assert sum(f.samples for f in box.decode(audio=0)) >= 0.9 * box.streams.audio[0].rate


def test_an_avi_that_ends_early_is_still_damaged(home: Path, tmp_path: Path) -> None:
    write_film(Film("avi", "avi", "mpeg4", size=(192, 128), frames=48), tmp_path / "a.avi")
    whole = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(UnreadableInput, match="cut short: its last .* bytes are missing|damaged"):
        protected(tmp_path / "a.avi", home, tmp_path)


NAMES = [b"caf\xe9", b"\xff\xfe", b"a\nb\x80"]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("given", [True, False])
def test_names_that_are_not_utf8_work(home: Path, tmp_path: Path, name: bytes, given: bool) -> None:
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name + b".jpg")))
    try:
        Image.fromarray(scene(1)[0]).save(str(path).encode("utf-8", "surrogateescape"))
    except (OSError, UnicodeError, ValueError):
        path.write_bytes(pictures.jpeg())
    made = safegen.protect(path, tmp_path / "out.jpg" if given else None, workspace=home)
    str(made.path).encode("utf-8")
    assert safegen.verify(made.path, workspace=home).verdict is safegen.Verdict.VERIFIED
