"""Tracks for a video made elsewhere, through the command line's own function."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from safegen.accessibility import webvtt
from safegen.cli.describe import command
from safegen.errors import Interrupted, ReleaseFailed, UnreadableInput, UsageError
from safegen.media import tracks as media
from safegen.pipeline import describe as module
from safegen.pipeline.describe import describe
from safegen.protocols import NoProgress
from safegen.release import files as moves
from safegen.types import AudioTrack, Clip
from tests.unit.accessibility.conftest import Tones, written

NAMES = ["captions.vtt", "chapters.vtt", "descriptions.vtt", "transcript.html"]


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_it_writes_the_files_beside_the_video(mp4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    answer = CliRunner().invoke(command, [str(mp4), "--json"], standalone_mode=False)
    assert answer.exception is None, answer.output
    said = json.loads(answer.stdout)
    assert said["schema"] == "safegen.description/1"
    assert [s["text"] for s in said["scenes"]] == [
        "A red ball moves right over green grass.",
        "A blue box stays still over snow.",
    ]
    assert left(mp4.parent) == sorted(["clip.mp4", *(f"clip.{n}" for n in NAMES)])
    assert len(webvtt.read_file(mp4.with_name("clip.descriptions.vtt"))) == 2


@pytest.mark.usefixtures("at_home")
def test_a_copy_with_the_tracks_inside(two_shots: Clip, tmp_path: Path) -> None:
    source = tmp_path / "in" / "clip.mp4"
    source.parent.mkdir()
    written(source, two_shots, AudioTrack(np.zeros((6 * 16_000, 1), np.float32), 16_000))
    before = source.read_bytes()
    first = describe(source, video=tmp_path / "one.mp4", engine=Tones())
    assert first.tracks.narration is not None
    assert source.read_bytes() == before
    found = media.read_tracks_sandboxed(tmp_path / "one.mp4")
    assert (found.other_sounds, len(found.texts["descriptions"])) == (1, 2)
    again = describe(tmp_path / "one.mp4", video=tmp_path / "two.mp4", engine=Tones())
    assert [n for n in again.notes if "replaced" in n]
    twice = media.read_tracks_sandboxed(tmp_path / "two.mp4")
    assert twice.texts == found.texts
    assert twice.other_sounds == 1
    with av.open(str(tmp_path / "two.mp4")) as box:
        assert (len(box.streams.audio), len(box.streams.subtitles)) == (2, 2)


@pytest.mark.usefixtures("at_home")
def test_its_own_subtitles_count_as_speech(mp4: Path, tmp_path: Path) -> None:
    said = media.TextTracks(captions=((0.2, 2.9, "Hello"),))
    media.mux_tracks(mp4, tmp_path / "said.mp4", said)
    done = describe(tmp_path / "said.mp4", folder=tmp_path, engine=Tones())
    assert done.tracks.sound_status == "written"
    assert [c.start for c in done.tracks.descriptions] == [pytest.approx(3.05)]
    assert "Said: Hello" in (tmp_path / "said.transcript.html").read_text()


@pytest.mark.usefixtures("at_home")
def test_captions_somebody_wrote(mp4: Path, tmp_path: Path) -> None:
    (tmp_path / "said.vtt").write_text("WEBVTT\n\n00:03.500 --> 00:05.900\nWell done\n")
    done = describe(mp4, video=tmp_path / "o.mp4", captions=tmp_path / "said.vtt", engine=Tones())
    assert done.tracks.captions[0].text == "Well done"
    assert media.read_tracks_sandboxed(tmp_path / "o.mp4").texts["captions"] == [(3.5, 5.9, "Well done")]


@pytest.mark.usefixtures("at_home")
def test_wrong_inputs_leave_nothing(mp4: Path, tmp_path: Path) -> None:
    text, picture = tmp_path / "a.txt", tmp_path / "p.png"
    text.write_text("no video")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    (tmp_path / "clip.chapters.vtt").write_text("mine")
    before = left(tmp_path)
    for path, more, error in (
        (text, {}, UnreadableInput),
        (picture, {}, UnreadableInput),
        (tmp_path / "absent.mp4", {}, UnreadableInput),
        (mp4, {}, UsageError),
        (mp4, {"video": mp4}, UsageError),
        (mp4, {"video": tmp_path / "x.webm"}, UsageError),
        (mp4, {"folder": tmp_path / "no"}, UsageError),
        (mp4, {"folder": tmp_path, "video": tmp_path / "x.mp4"}, UsageError),
        (mp4, {"video": tmp_path / "x.mp4", "captions": text}, UnreadableInput),
    ):
        with pytest.raises(error):
            describe(path, **more)  # type: ignore[arg-type]
    assert left(tmp_path) == before


@pytest.mark.usefixtures("at_home")
def test_stopped_or_failing_it_leaves_nothing(mp4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(NoProgress):
        def cancelled(self) -> bool:
            return True

    before = left(mp4.parent)
    with pytest.raises(Interrupted):
        describe(mp4, progress=Stop())
    assert left(mp4.parent) == before
    real, count = moves.place_file, 0

    def place(*args: object, **more: object) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(28, "No space left on device")
        real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module.scenes, "segment_scenes", lambda seen: [])
    monkeypatch.setattr(moves, "place_file", place)
    with pytest.raises(ReleaseFailed, match="full"):
        describe(mp4)
    assert count == 3
    assert left(mp4.parent) == before


@pytest.mark.usefixtures("at_home")
def test_a_track_that_was_not_written_is_missed(mp4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.media, "mux_tracks_sandboxed", lambda *a: (mp4.rename(a[1]), ())[1])
    with pytest.raises(ReleaseFailed, match="captions"):
        describe(mp4, video=mp4.with_name("out.mp4"))
    assert not mp4.with_name("out.mp4").exists()


@pytest.mark.usefixtures("at_home")
def test_a_file_that_breaks_off_is_said(mp4: Path) -> None:
    whole = mp4.read_bytes()
    mp4.write_bytes(whole[: len(whole) * 3 // 5])
    done = describe(mp4)
    assert any("cut short" in note and "of 72 frames" in note for note in done.notes)


@pytest.mark.usefixtures("at_home")
def test_what_mp4_cannot_hold_is_said_and_nothing_left(two_shots: Clip, tmp_path: Path) -> None:
    source = tmp_path / "old.webm"
    with av.open(str(source), "w") as box:
        stream = box.add_stream("libvpx", rate=12)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for picture in two_shots:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        box.mux(stream.encode(None))
    with pytest.raises(UnreadableInput, match="vp8"):
        describe(source, video=tmp_path / "new.mp4")
    assert left(tmp_path) == ["old.webm"]
    assert not describe(source).notes
