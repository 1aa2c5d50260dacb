"""Cues, WebVTT, words and the places where descriptions go."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.accessibility import scheduling, sound, webvtt
from safegen.accessibility.cues import Cue, free_intervals, merge_intervals, rounded_cue
from safegen.accessibility.phrasing import Phrase, describe_attributes
from safegen.accessibility.scenes import Scene
from safegen.accessibility.visual_features import detect_cuts, measure_features
from safegen.errors import UnreadableInput
from safegen.types import Attribute, AudioTrack
from tests.unit.accessibility.conftest import overlap


def attributes(**values: tuple[str, float]) -> list[Attribute]:
    return [
        Attribute(name, {value: p, "unknown": 1 - p} if value != "unknown" else {"unknown": p}, "world/2", p)
        for name, (value, p) in values.items()
    ]


BALL = {
    "colour": ("red", 0.99),
    "shape": ("ball", 0.97),
    "size": ("large", 0.9),
    "count": ("1", 0.99),
    "motion": ("right", 0.95),
    "background": ("grass", 0.99),
}


def test_what_is_found_is_said_in_a_sentence_and_shorter() -> None:
    said = describe_attributes(attributes(**BALL))
    assert said.wordings == (
        "A large red ball moves right over green grass.",
        "A large red ball moves right.",
        "A large red ball.",
    )
    assert said.certain
    assert said.title == "A large red ball over green grass"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"colour": ("red", 0.6)}, "A large ball, perhaps red, moves right over green grass."),
        ({"colour": ("red", 0.4)}, "A large ball moves right over green grass. Not clear: the colour."),
        ({"shape": ("ball", 0.6)}, "Perhaps a large red ball moves right over green grass."),
        ({"motion": ("unknown", 1.0)}, "A large red ball over green grass. Not clear: how it moves."),
        ({"motion": ("left", 0.7)}, "A large red ball perhaps moves left over green grass."),
        ({"background": ("sea", 0.55)}, "A large red ball moves right perhaps over the sea."),
        ({"count": ("2", 0.6)}, "Perhaps two large red balls move right over green grass."),
    ],
)
def test_a_guess_is_called_one(change: dict[str, tuple[str, float]], text: str) -> None:
    said = describe_attributes(attributes(**{**BALL, **change}))
    assert said.wordings[0] == text
    assert not said.certain


def test_several_and_different_things() -> None:
    several = describe_attributes(attributes(**{**BALL, "count": ("3", 0.9), "shape": ("box", 0.9)}))
    assert several.wordings[0] == "Three large red boxes move right over green grass."
    second = {"second_shape": ("star", 0.9), "second_colour": ("orange", 0.9), "relation": ("above", 0.9)}
    pair = describe_attributes(attributes(**{**BALL, "count": ("2", 0.9), **second}))
    assert pair.wordings[1] == "A large red ball and an orange star below it move right."


def test_what_nobody_recognises_is_only_measured() -> None:
    green = np.full((9, 32, 48, 3), (30, 90, 40), np.uint8)
    said = describe_attributes(attributes(shape=("unknown", 1.0)), measure_features(green))
    assert (
        said.wordings[0] == "What is shown could not be recognised. Mostly dark green, hardly any movement."
    )
    assert not said.certain
    assert not said.recognised


def test_what_lies_above_and_below_is_said() -> None:
    field = np.full((6, 36, 48, 3), (60, 140, 60), np.uint8)
    field[:, :16] = (165, 205, 235)
    assert measure_features(field).colours == "Light blue above, green below"


@pytest.mark.parametrize(
    ("first", "last", "said"), [(40, 200, ", getting brighter"), (200, 40, ", getting darker")]
)
def test_fades_are_said(first: int, last: int, said: str) -> None:
    levels = np.linspace(first, last, 8).astype(np.uint8)
    grey = np.broadcast_to(levels[:, None, None, None], (8, 32, 48, 3))
    assert measure_features(np.ascontiguousarray(grey)).colours.endswith(said)


@pytest.mark.parametrize(
    ("step", "axis", "said"),
    [(1, 2, "to the right"), (-1, 2, "to the left"), (1, 1, "down"), (-1, 1, "up")],
)
def test_a_picture_that_moves_as_a_whole_is_said_to(step: int, axis: int, said: str) -> None:
    import cv2

    noise = np.random.default_rng(3).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    base = cv2.GaussianBlur(noise, (0, 0), 2)
    moved = np.stack([np.roll(base, step * i, axis - 1) for i in range(10)])
    assert measure_features(moved).movement == f"the whole picture moves {said}"


def test_where_something_moves_is_said() -> None:
    still = np.full((10, 64, 96, 3), 120, np.uint8)
    for i in range(10):
        still[i, 8 + 4 * i : 20 + 4 * i, 70:86] = (250, 250, 250)
    assert measure_features(still).movement.endswith("movement on the right")


def test_cuts_are_found_and_movement_is_not_one() -> None:
    rng = np.random.default_rng(1)
    first, second = (rng.integers(0, 90, (24, 32, 3), np.uint8) + shift for shift in (0, 160))
    moving = [np.roll(first, i, 1) for i in range(10)] + [np.roll(second, i, 1) for i in range(10)]
    assert detect_cuts(np.stack(moving).astype(np.uint8)) == [10]
    assert detect_cuts(np.stack(moving[:10]).astype(np.uint8)) == []


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60).map(str.strip)
times = st.floats(0, 7200, allow_nan=False)


@settings(max_examples=60)
@given(st.lists(st.tuples(times, st.floats(0.001, 60), texts), max_size=8))
def test_whatever_is_written_is_read_back(rows: list[tuple[float, float, str]]) -> None:
    cues = [rounded_cue(start, start + length, text) for start, length, text in sorted(rows)]
    text = webvtt.format_cues(cues, kind="captions", note="a --> b")
    read = webvtt.parse_cues(text)
    assert [c.span for c in read] == sorted(c.span for c in cues)
    assert sorted(" ".join(c.text.split()) for c in read) == sorted(" ".join(c.text.split()) for c in cues)


def test_other_peoples_webvtt(tmp_path: Path) -> None:
    file = tmp_path / "x.vtt"
    file.write_bytes(
        b"\xef\xbb\xbfWEBVTT - title\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\nNOTE a note\r\n\r\n"
        b"intro\r\n00:01.000 --> 00:02.500 line:0 align:start\r\n<v Ann>Hello &amp;lt;\r\n<i>you</i>\r\n\r\n"
        b"01:00:00.000 --> 01:00:01.000\r\nlate\r\n"
    )
    assert webvtt.read_file(file) == [Cue(1.0, 2.5, "Hello &lt;\nyou"), Cue(3600.0, 3601.0, "late")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"1\n00:00:01,000 --> 00:00:02,000\nsrt", "WEBVTT"),
        (b"", "WEBVTT"),
        (b"WEBVTTX", "WEBVTT"),
        (b"\xff\xfe\x00W", "UTF-8"),
        (b"WEBVTT\n\n00:02.000 --> 00:01.000\nback", "before it begins"),
        (b"WEBVTT\n\n0:2.0 --> 0:3.0\nodd", "time"),
        (b"WEBVTT" + b"\n" * 2**22, "4 MiB"),
    ],
)
def test_what_is_no_webvtt_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    file = tmp_path / "x.vtt"
    file.write_bytes(data)
    with pytest.raises(UnreadableInput, match=why):
        webvtt.read_file(file)
    with pytest.raises(UnreadableInput):
        webvtt.read_file(tmp_path / "absent.vtt")


def test_spans() -> None:
    assert merge_intervals([(3, 4), (0, 1), (1.2, 2)], gap=0.3) == [(0, 2), (3, 4)]
    assert free_intervals([(1, 2), (4, 9)], (0, 6)) == [(0, 1), (2, 4)]
    assert free_intervals([(0, 9)], (1, 2)) == []


def heard(seconds: float, *loud: tuple[float, float], rate: int = 8000) -> AudioTrack:
    samples = np.zeros((round(seconds * rate), 1), np.float32)
    for start, end in loud:
        n = round((end - start) * rate)
        samples[round(start * rate) :][:n, 0] = 0.2 * np.sin(np.arange(n) / 3)
    return AudioTrack(samples, rate)


def test_sound_is_found_with_its_short_pauses() -> None:
    assert sound.detect_sound(heard(6, (1, 2), (2.2, 3), (4.5, 5))) == [(1.0, 3.0), (4.5, 5.0)]
    assert sound.detect_sound(heard(2)) == []
    assert sound.detect_sound(None) == []


def scene(start: float, end: float, *forms: str) -> Scene:
    return Scene((start, end), Phrase(forms, "title", True), ())


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(0.05, 6)), max_size=12),
    st.integers(1, 6),
    st.booleans(),
)
def test_descriptions_never_overlap_speech(spans: list[tuple[float, float]], parts: int, given: bool) -> None:
    seconds = 30.0
    said = merge_intervals((a, min(a + n, seconds)) for a, n in spans)
    spoken = [rounded_cue(a, b, "words") for a, b in said] if given else None
    room = sound.find_pauses(seconds, said, spoken)
    edges = np.linspace(0, seconds, parts + 1)
    scenes = [scene(a, b, "A " * 40, "A " * 12, "A.") for a, b in pairwise(edges)]
    placed = scheduling.schedule_cues(scenes, room)
    assert len(placed.cues) + len(placed.omitted) == parts
    for found in placed.cues:
        assert all(overlap(found.span, s) <= 0.0005 for s in said)
        assert scheduling.estimate_duration(found.text) <= found.end - found.start + 0.001 or not said


def test_notes_about_sounds_are_not_speech() -> None:
    spoken = [
        rounded_cue(0, 3, "[Door slams]"),
        rounded_cue(4, 5, "Hello"),
        rounded_cue(6, 8, "(music)"),
        rounded_cue(8, 9, "[sic] he said"),
    ]
    assert sound.find_pauses(10, [(0, 10)], spoken) == [(0.0, 3.85), (5.15, 7.85), (9.15, 10.0)]


def test_the_longest_wording_that_fits_is_taken() -> None:
    forms = ("a" * 57, "b" * 38, "c" * 19)
    assert [
        scheduling.schedule_cues([scene(0, 10, *forms)], [(0.0, n)]).cues[0].text[0] for n in (3.1, 2.1, 1.1)
    ] == list("abc")
    assert scheduling.schedule_cues([scene(0, 10, *forms)], [(0.0, 0.9)]).omitted
    assert scheduling.schedule_cues([scene(0, 0.9, *forms)], [(0.0, 9)]).cues == (Cue(0, 0.9, forms[-1]),)
