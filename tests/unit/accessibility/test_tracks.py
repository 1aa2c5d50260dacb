"""From pictures to tracks, into a file and back out of it."""

from __future__ import annotations

import hashlib
import html.parser
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from safegen import plugins
from safegen.accessibility import engines, espeak, scenes, sidecars, speech, tracks
from safegen.accessibility.cues import rounded_cue
from safegen.detectors.frames import world
from safegen.errors import CheckUnavailable, ReleaseFailed
from safegen.media import tracks as media
from safegen.types import AudioTrack, Clip
from tests.support.stand_ins import stand_in
from tests.unit.accessibility.conftest import Tones, overlap, written

SHOTS = (0.0, 3.0)


@pytest.fixture(scope="session")
def told(two_shots: Clip) -> list[scenes.Scene]:
    return scenes.segment_scenes(scenes.sample_clip(two_shots), shots=SHOTS)


def test_every_shot_is_described_by_what_is_seen_in_it(told: list[scenes.Scene]) -> None:
    assert [(s.span, s.shot) for s in told] == [((0.0, 3.0), 1), ((3.0, 6.0), 2)]
    assert [s.phrase.wordings[0] for s in told] == [
        "A red ball moves right over green grass.",
        "A blue box stays still over snow.",
    ]


def test_without_a_storyboard_a_cut_begins_a_scene(two_shots: Clip) -> None:
    found = scenes.segment_scenes(scenes.sample_clip(two_shots))
    assert len(found) == 2
    assert found[0].span[1] == pytest.approx(3.0, abs=0.2)
    assert all(s.shot is None for s in found)


def test_what_was_found_in_the_whole_clip_is_not_looked_for_again(
    told: list[scenes.Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "_extract_attributes", None)
    still = scenes.SampledClip(np.full((4, 64, 64, 3), 90, np.uint8), (0.0, 0.5, 1.0, 1.5), 2.0)
    found = scenes.segment_scenes(still, clip_attributes=told[1].attributes)
    assert [s.phrase.wordings[0] for s in found] == ["A blue box stays still over snow."]


def test_a_long_clip_is_looked_at_in_pieces_and_alike_ones_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    grey = scenes.SampledClip(np.full((100, 8, 8, 3), 128, np.uint8), tuple(i / 5 for i in range(100)), 20.0)
    looked: list[tuple[float, float]] = []
    monkeypatch.setattr(scenes, "_extract_attributes", lambda seen, span, told: looked.append(span) or ())
    found = scenes.segment_scenes(grey)
    assert len(looked) == 3
    assert [s.span for s in found] == [(0.0, 20.0)]
    assert not found[0].phrase.certain


def test_an_extractor_that_fails_stops_nothing(two_shots: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would have recognised is said to be unrecognised."""
    loaded = stand_in(monkeypatch, plugins.load_attribute_extractor, "world", None)
    found = scenes.segment_scenes(scenes.sample_clip(two_shots), shots=SHOTS)
    assert set(loaded) == {"world"}
    assert found and not any(s.attributes or s.phrase.certain or s.phrase.recognised for s in found)
    with pytest.raises(CheckUnavailable):
        scenes.collect_samples([], 1.0)


def test_no_sound_is_said(told: list[scenes.Scene]) -> None:
    built = tracks.build_tracks(told, 6.0, audio=None)
    assert built.sound_status == "nothing"
    assert [c.text for c in built.captions] == ["[No sound]"]
    assert "This video has no sound" in built.vtt("captions")
    assert built.no_narration_reason == tracks.NO_ENGINE
    assert [c.text for c in built.chapters] == [
        "Shot 1: A red ball over green grass",
        "Shot 2: A blue box over snow",
    ]


def test_sound_nobody_wrote_down_counts_as_speech(told: list[scenes.Scene]) -> None:
    rate = 8000
    loud = np.zeros((6 * rate, 2), np.float32)
    loud[rate : 4 * rate] = 0.1
    built = tracks.build_tracks(told, 6.0, audio=AudioTrack(loud, rate), engine=Tones())
    assert built.sound_status == "unrecognised"
    assert [c.text for c in built.captions] == ["[Sound]"]
    assert built.narration is not None
    for found in (*built.descriptions, *built.narration.cues):
        assert overlap(found.span, (1.0, 4.0)) == 0
    assert len(built.schedule.omitted) + len(built.descriptions) == 2


def test_written_captions_are_kept_and_spoken_around(told: list[scenes.Scene]) -> None:
    spoken = [
        rounded_cue(0.5, 2.0, "Look!"),
        rounded_cue(5.0, 8.0, "Done."),
        rounded_cue(9.0, 9.5, "after the end"),
    ]
    built = tracks.build_tracks(told, 6.0, audio=None, spoken=spoken, engine=Tones())
    assert built.sound_status == "written"
    assert [(c.start, c.end, c.text) for c in built.captions] == [(0.5, 2.0, "Look!"), (5.0, 6.0, "Done.")]
    assert built.narration is not None
    for found in (*built.descriptions, *built.narration.cues):
        assert not any(overlap(found.span, c.span) for c in spoken)


def test_our_own_notes_are_no_captions(told: list[scenes.Scene]) -> None:
    loud = AudioTrack(np.full((6 * 8000, 1), 0.1, np.float32), 8000)
    built = tracks.build_tracks(told, 6.0, audio=loud, spoken=[rounded_cue(0, 3, "[Sound]")])
    assert built.sound_status == "unrecognised"
    assert not built.descriptions


def test_the_description_is_spoken_where_it_is_placed(told: list[scenes.Scene]) -> None:
    rate = 16_000
    own = AudioTrack(np.full((6 * rate, 2), 0.0005, np.float32), rate)
    built = tracks.build_tracks(told, 6.0, audio=own, engine=Tones())
    assert built.narration is not None
    track = built.narration.track
    assert (track.rate, track.samples.shape) == (rate, (6 * rate, 2))
    spoken = built.narration.cues
    assert [c.start for c in spoken] == [0.0, 3.0]
    for found in spoken:
        inside = track.samples[round((found.start + 0.1) * rate) : round((found.end - 0.1) * rate)]
        assert float(np.sqrt((inside**2).mean())) == pytest.approx(0.1, rel=0.2)
        after = track.samples[round((found.end + 0.05) * rate) : round((found.end + 0.2) * rate)]
        assert float(np.abs(after).max()) < 0.001


@pytest.mark.parametrize(
    ("engine", "why"),
    [(Tones(broken=True), "tones failed"), (Tones(pace=0.5), "no pause long enough")],
)
def test_without_speech_the_text_stays(told: list[scenes.Scene], engine: Tones, why: str) -> None:
    built = tracks.build_tracks(told, 6.0, audio=None, engine=engine)
    assert built.narration is None
    assert why in built.no_narration_reason
    assert len(built.descriptions) == 2
    record = sidecars.accessibility_record(built, sidecars.build_sidecars(built, title="T"))
    assert record["audioDescription"] == {"made": False, "reason": built.no_narration_reason}


@pytest.mark.parametrize("engine", [None, Tones()])
def test_what_is_put_into_a_file_is_found_in_it(
    mp4: Path, told: list[scenes.Scene], engine: Tones | None, tmp_path: Path
) -> None:
    built = tracks.build_tracks(told, 6.0, audio=None, engine=engine)
    put, target = sidecars.embedded_tracks(built), tmp_path / "out.mp4"
    assert media.mux_tracks(mp4, target, put) == ()
    found = media.read_tracks(target)
    sidecars.check_embedded(found, put, 72)
    assert found.texts["captions"] == [(0.0, 3.0, "[No sound]")]
    assert [t for *_, t in found.chapters] == [c.text for c in built.chapters]
    assert not list(tmp_path.glob("*.samples"))
    with av.open(str(target)) as box:
        kinds = [(s.type, bool(s.disposition & av.stream.Disposition.default)) for s in box.streams]
        sound = [("audio", True), ("audio", False)] if engine else []
        expected = [("video", True), *sound, ("subtitle", False), ("subtitle", False)]
        assert [k for k in kinds if k[0] != "data"] == expected
    same_pictures(mp4, target)


def same_pictures(a: Path, b: Path) -> None:
    with av.open(str(a)) as first, av.open(str(b)) as second:
        for x, y in zip(first.decode(video=0), second.decode(video=0), strict=True):
            assert x.time == y.time
            assert hashlib.sha256(x.to_ndarray()).digest() == hashlib.sha256(y.to_ndarray()).digest()


def test_what_reads_back_wrong_is_not_released(mp4: Path, told: list[scenes.Scene], tmp_path: Path) -> None:
    built = tracks.build_tracks(told, 6.0, audio=None, engine=Tones())
    put, target = sidecars.embedded_tracks(built), tmp_path / "out.mp4"
    media.mux_tracks(mp4, target, put)
    found = media.read_tracks(target)
    for wrong in (
        replace(found, frames=71),
        replace(found, texts={**found.texts, "captions": [(0.0, 3.0, "[Sound]")]}),
        replace(found, texts={}),
        replace(found, chapters=found.chapters[:1]),
        replace(found, described_seconds=0.0),
        replace(found, other_sounds=0),
    ):
        with pytest.raises(ReleaseFailed):
            sidecars.check_embedded(wrong, put, 72)


def test_a_file_that_cannot_be_written_or_read_is_an_error(mp4: Path, tmp_path: Path) -> None:
    put = media.TextTracks(captions=((0.0, 1.0, "a"),))
    with pytest.raises(ReleaseFailed, match="could not be added"):
        media.mux_tracks(mp4, tmp_path / "no" / "folder.mp4", put)
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"\0\0\0\x08free" * 9)
    with pytest.raises(ReleaseFailed):
        media.mux_tracks(junk, tmp_path / "out.mp4", put)
    with pytest.raises(ReleaseFailed):
        media.read_tracks(junk)
    with pytest.raises(ValueError, match="index"):
        media.disable_extras(junk)


class Page(html.parser.HTMLParser):
    """Tags and words of a page; raises on scripts and resources."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "img", "link", "iframe"}
        assert not {name for name, _ in attrs} & {"src", "href", "onclick"}
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_transcript_says_everything_in_order(told: list[scenes.Scene]) -> None:
    spoken = [rounded_cue(1.0, 2.0, "<b>Look & see</b>"), rounded_cue(3.5, 5.9, "Bye\u202e")]
    built = tracks.build_tracks(told, 6.0, audio=None, spoken=spoken)
    page = Page(
        sidecars.build_sidecars(built, title="T<1>", prompt="a ball", generated=True).texts["transcript"]
    )
    assert page.tags[:2] == ["html", "head"]
    assert [page.tags.count(t) for t in ("h1", "h2", "main")] == [1, 2, 1]
    order = ["T<1>", "generative model", "Prompt: a ball", "Shot 1", "red ball moves", "<b>Look & see</b>"]
    order += ["Shot 2", "blue box stays", "Bye\\u202e"]
    places = [page.words.index(words, 60 if words == "Shot 2" else 0) for words in order]
    assert places == sorted(places)


def test_the_record_names_every_file_by_its_digest(told: list[scenes.Scene]) -> None:
    built = tracks.build_tracks(told, 6.0, audio=None, engine=Tones())
    made = sidecars.build_sidecars(built, title="T")
    record = sidecars.accessibility_record(built, made)
    assert set(made.by_file_name("a.mp4")) == {
        "a.captions.vtt",
        "a.descriptions.vtt",
        "a.chapters.vtt",
        "a.transcript.html",
    }
    for kind, text in made.texts.items():
        assert record[kind]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert record["descriptions"] | {"sha256": ""} == {
        "sha256": "",
        "cues": 2,
        "unsure": 0,
        "withoutRoom": 0,
        "from": [f"world/{world.VERSION}"],
    }
    assert record["audioDescription"] == {"made": True, "cues": 2, "withoutRoom": 0}


def test_a_damaged_engine_is_not_said_to_be_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "espeak-ng"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engines.find_engine() is None
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    broken = engines.find_engine()
    assert broken is not None
    with pytest.raises(speech.SpeechFailed):
        broken.say("hello")
    program.write_text("#!/bin/sh\necho 'eSpeak NG text-to-speech: 1.51  Data at: /x'\n")
    engine = engines.find_engine()
    assert engine is not None
    assert engine.name == "espeak-ng 1.51"
    with pytest.raises(speech.SpeechFailed):
        engine.say("hello")


@pytest.mark.skipif(espeak.find_espeak() is None, reason="espeak-ng is not installed")
def test_the_real_engine_speaks() -> None:
    engine = espeak.find_espeak()
    assert engine is not None
    normal, fast = engine.say("A red ball moves right."), engine.say("A red ball moves right.", 1.3)
    assert 1.0 < len(normal.samples) / normal.rate < 3.0
    assert len(fast.samples) < len(normal.samples)
    assert engine.say('--help "; rm -rf /').samples.size


def test_a_file_with_its_own_sound_keeps_it(
    two_shots: Clip, told: list[scenes.Scene], tmp_path: Path
) -> None:
    rate = 16_000
    own = AudioTrack(np.full((6 * rate, 1), 0.0001, np.float32), rate)
    source = written(tmp_path / "loud.mp4", two_shots, own)
    built = tracks.build_tracks(told, 6.0, audio=own, engine=Tones())
    media.mux_tracks(source, tmp_path / "out.mp4", sidecars.embedded_tracks(built))
    found = media.read_tracks(tmp_path / "out.mp4")
    assert found.other_sounds == 1
    sidecars.check_embedded(found, sidecars.embedded_tracks(built), 72)
