"""Requests that make no sense for their model, and sizes and storyboards as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safegen.api.generation import generate
from safegen.errors import UsageError
from safegen.request import build, sizes, storyboard
from safegen.request.validate import check_request
from safegen.types import Input, Outlook, Request, Shot
from tests.e2e.painter import Painter

A, B = Path("a.mp4"), Path("b.mp4")
VIDEO = Input("video", A)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"mode": "image"}, "missing: first frame"),
        ({"mode": "blend", "inputs": (VIDEO,)}, "missing: next video"),
        ({"mode": "text", "inputs": (VIDEO,)}, "too many"),
        ({"mode": "loop", "inputs": (VIDEO, VIDEO)}, "too many"),
        ({"mode": "edit", "inputs": (VIDEO,), "strength": 0.0}, "strength"),
        ({"mode": "edit", "inputs": (VIDEO,), "strength": float("nan")}, "strength"),
        ({"mode": "loop", "inputs": (VIDEO,), "strength": 0.5}, "only a remix"),
        ({"shots": (Shot(0, "a"),)}, "only a storyboard"),
        ({"mode": "storyboard"}, "no shots"),
        ({"mode": "storyboard", "shots": (Shot(0, "a"), Shot(0, "b"))}, "two shots begin at 0 s"),
        (
            {"mode": "storyboard", "seconds": 3.0, "shots": (Shot(0, "a"), Shot(3, "b"))},
            "the clip is only 3 s long",
        ),
        ({"mode": "storyboard", "shots": (Shot(0, "a"), Shot(1, "  "))}, "is empty"),
        ({"mode": "storyboard", "shots": (Shot(1, "a"),)}, "the first shot begins at 1 s"),
        ({"mode": "storyboard", "shots": (Shot(-1, "a"),)}, "cannot begin"),
        ({"mode": "storyboard", "shots": (Shot(0, "a"), Shot(2, "b"), Shot(1, "c"))}, "order"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_runs(change: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        check_request(Request("a red ball", **change), Painter())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds", float("inf")),
        ("seconds", float("nan")),
        ("seconds", -5),
        ("seconds", 0),
        ("seconds", "3"),
        ("width", 0),
        ("height", -64),
        ("fps", 0),
        ("steps", -1),
        ("steps", 0),
        ("guidance", float("nan")),
        ("guidance", -1),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", True),
    ],
)
def test_numbers_out_of_range_are_refused_whichever_way_they_come(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"{name} cannot be"):
        check_request(Request("x", **{name: value}), Painter())
    with pytest.raises(UsageError, match=f"{name} cannot be"):
        build.generate("x", **{name: value})


def test_a_storyboard_that_never_ends() -> None:
    board = Request("a\nb", mode="storyboard", shots=(Shot(0, "a"), Shot(1e9, "b")))

    class Patient(Painter):
        def outlook(self, request: Request) -> Outlook:
            return Outlook(64, 64, request.shots[-1].at + 1, 24)

    with pytest.raises(UsageError, match="1e\\+09 s long"):
        check_request(board, Patient())


def test_what_makes_sense_passes() -> None:
    for request in (
        Request("x"),
        Request("x", mode="image", inputs=(Input("first_frame", A), Input("last_frame", B))),
        Request("x", mode="edit", inputs=(VIDEO,), strength=1.0),
        Request("x", mode="blend", inputs=(VIDEO, Input("next_video", B))),
        Request("a\nb", mode="storyboard", seconds=3, shots=(Shot(0, "a"), Shot(2.9, "b"))),
        Request("a\nb", mode="storyboard", shots=(Shot(0, "a"), Shot(9, "b"))),
    ):
        assert check_request(request, Painter()).seconds == 3.0


def test_a_model_that_cannot_do_it_names_those_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    from safegen.generators import registry

    monkeypatch.setattr(registry, "find_generator", lambda name: Painter(frozenset({"loop"})))
    with pytest.raises(UsageError, match="cannot make a clip loop") as stopped:
        check_request(Request("x", mode="loop", inputs=(VIDEO,)), Painter(frozenset({"text"})))
    assert "tiny" in stopped.value.hint and "it can make clips from words alone" in stopped.value.hint


@pytest.mark.parametrize(
    ("said", "sides"),
    [
        ({}, (None, None)),
        ({"size": "720p"}, (1280, 720)),
        ({"size": "720p", "aspect": "9:16"}, (720, 1280)),
        ({"size": "480p", "aspect": "1:1"}, (480, 480)),
        ({"size": "480p"}, (848, 480)),
        ({"size": "832x480"}, (832, 480)),
        ({"aspect": "16:9"}, (912, 512)),
        ({"aspect": "9:16", "width": 480}, (480, 848)),
        ({"aspect": "4:3", "height": 480}, (640, 480)),
        ({"width": 100}, (100, None)),
    ],
)
def test_sizes_by_name(said: dict[str, Any], sides: tuple[int | None, int | None]) -> None:
    assert sizes.resolve_size(**said, natural=lambda: (512, 512)) == sides


@pytest.mark.parametrize(
    "said",
    [
        {"size": "big"},
        {"size": "0p"},
        {"aspect": "16-9"},
        {"aspect": "0:1"},
        {"aspect": "100:1"},
        {"size": "720p", "width": 100},
        {"size": "832x480", "aspect": "1:1"},
        {"aspect": "1:1", "width": 100, "height": 100},
    ],
)
def test_sizes_that_are_none(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        sizes.resolve_size(**said, natural=lambda: (512, 512))
    with pytest.raises(UsageError, match="unknown until"):
        sizes.resolve_size(aspect="1:1", natural=lambda: (None, None))


def test_a_storyboard_file(tmp_path: Path) -> None:
    told = tmp_path / "story.yaml"
    told.write_text(
        "seconds: 6\nshots:\n  - {at: 0, prompt: a red ball}\n  - {at: 2.5, prompt: a blue box}\n"
    )
    board = storyboard.read_file(told)
    assert board.shots == (Shot(0.0, "a red ball"), Shot(2.5, "a blue box"))
    assert board.settings == {"seconds": 6}
    asked = build.storyboard(board.shots, **board.settings).request
    assert (asked.prompt, asked.mode, asked.seconds) == ("a red ball\na blue box", "storyboard", 6)
    told.write_text('[{"at": 0, "prompt": "a red ball"}]')
    assert storyboard.read_file(told).shots == (Shot(0.0, "a red ball"),)
    assert storyboard.load_storyboard(None, ["0:a red ball", "2:a: b"]).shots[1] == Shot(2.0, "a: b")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("shots: 3", "must contain `shots`"),
        ("shots:\n  - {at: 0}\n", "line 2"),
        ("shots:\n  - {at: soon, prompt: x}\n", "is not a time"),
        ("shots:\n  - {at: .nan, prompt: x}\n", "is not a time"),
        ("shots:\n  - {at: 0, prompt: 3}\n", "not text"),
        ("shots: []\ncolour: red\n", "no setting 'colour'"),
        ("shots: []\nseconds: long\n", "line 2"),
        ("shots: [", "line"),
    ],
)
def test_a_storyboard_file_that_is_wrong(tmp_path: Path, text: str, what: str) -> None:
    told = tmp_path / "story.yaml"
    told.write_text(text)
    with pytest.raises(UsageError, match=what):
        storyboard.read_file(told)


@pytest.mark.parametrize("text", ["a red ball", "soon:a red ball", "nan:x", ""])
def test_a_shot_option_that_is_wrong(text: str) -> None:
    with pytest.raises(UsageError, match="SECONDS:PROMPT"):
        storyboard.load_storyboard(None, [text])
    with pytest.raises(UsageError, match="a file or --shot"):
        storyboard.load_storyboard(None, [])


def test_shots_at_the_same_time_are_refused_before_they_are_sorted() -> None:
    with pytest.raises(UsageError, match="two shots begin at 2 s"):
        build.storyboard([Shot(2, "b"), Shot(0, "a"), Shot(2, "c")])


def test_a_last_picture_needs_a_first() -> None:
    with pytest.raises(UsageError, match="first"):
        build.generate("x", last_image="b.png")


def test_unknown_names_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="sede"):
        generate("a red ball", sede=3)  # type: ignore[call-arg]
