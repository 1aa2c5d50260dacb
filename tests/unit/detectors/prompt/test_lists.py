"""The shipped rule lists: how many, well formed, what they find and what they leave alone."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.screening import lists as bench
from safegen.detectors.prompt import _lexicon
from safegen.detectors.prompt._misspellings import is_misspelling, letter_key, phonetic_key
from safegen.detectors.prompt.rules import LISTS, Rules
from safegen.errors import CheckUnavailable
from safegen.policies import CATEGORIES
from tests.support.speed import allowed


def _data(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((LISTS / f"{name}.yaml").read_text("utf-8"))
    return loaded


def _lines(name: str) -> list[str]:
    """The lines of a list that stand by themselves: one person, character, artist or brand each."""
    groups = [e for e in _data(name)["entries"] if isinstance(e, dict) and not e.get("with")]
    return [line for g in groups for line in g.get("each", [])]


def _found(text: str) -> set[str]:
    return {f.category for f in Rules().run(text)[0] if f.score >= 0.5}


@pytest.mark.parametrize(("name", "least"), [("public_figures", 600), ("characters", 400), ("artists", 200)])
def test_lists_are_as_long_as_promised(name: str, least: int) -> None:
    assert len(_lines(name)) >= least


@pytest.mark.parametrize("name", sorted(p.stem for p in LISTS.glob("*.yaml")))
def test_lists_are_well_formed(name: str) -> None:
    data = _data(name)
    assert data["name"] == name
    assert data["category"] in CATEGORIES
    first = Counter(line.split("|")[0].strip().lower() for line in _lines(name))
    assert [n for n, times in first.items() if times > 1] == []
    assert (LISTS / f"{name}.yaml").read_text("utf-8").startswith("#"), "a list says what it holds"


def test_short_forms_stand_alone_only_where_they_are_no_common_word() -> None:
    words = {
        "bush",
        "gates",
        "swift",
        "drake",
        "may",
        "cook",
        "jobs",
        "prince",
        "pink",
        "west",
        "rock",
        "harris",
        "johnson",
        "brown",
        "kim",
        "khan",
        "king",
        "queen",
        "woods",
        "stone",
        "page",
    }
    alone = {
        t.strip().lower()
        for name in ("public_figures", "artists")
        for line in _lines(name)
        for t in line.split("|")
    }
    assert words & alone == set()


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Emmanuel Macron on a bicycle", "deepfake_public_figure"),
        ("Lupita Nyong'o in a garden", "deepfake_public_figure"),
        ("cate blanchet in a forest", "deepfake_public_figure"),
        ("hughjackman singing", "deepfake_public_figure"),
        ("the german chancellor in a bathtub", "deepfake_public_figure"),
        ("Дональд Трамп on a bench in the park at noon", "deepfake_public_figure"),
        ("the singer Adele on a boat", "deepfake_public_figure"),
        ("bugs buny eating a carrot", "copyright_ip"),
        ("Thor and the Avengers", "copyright_ip"),
        ("a fountain in the style of Anish Kapoor", "artist_style"),
        ("fake emergency alert about a tsunami", "misinformation_political"),
        ("a man with a swastika armband smiling", "extremism"),
    ],
)
def test_found(text: str, category: str) -> None:
    assert category in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "a statue of Emmanuel Macron",
        "a documentary about Angela Merkel",
        "fans of Shakira waiting at a gate",
        "Paul walked home, and Tom thanks him",
        "a teacher talking to pupils",
        "a drake and a swift over a pond",
        "the queen of hearts, a playing card",
        "a medieval king of France on a throne",
        "a thor hammer pendant",
        "a wooden puppet called Luigi",
        "an ancient swastika on a hindu temple",
        "a flood drill at a school",
    ],
)
def test_left_alone(text: str) -> None:
    assert _found(text) == set()


def test_a_slip_is_close_and_sounds_alike_or_has_the_same_letters() -> None:
    for slip, meant in (("zukerberg", "zuckerberg"), ("kasimir", "casimir")):
        assert phonetic_key(slip) == phonetic_key(meant)
        assert is_misspelling(slip, meant)
    assert letter_key("donlad") == letter_key("donald")
    assert not is_misspelling("walked", "walker")
    assert not is_misspelling("macron", "macron")


def _write(folder: Path, entries: str) -> Rules:
    head = "name: mine\ncategory: copyright_ip\nreason: '{term}'\nscore: 0.6\nnames: true\nentries:\n"
    (folder / "mine.yaml").write_text(head + entries, encoding="utf-8")
    return Rules(["mine"], folder=folder)


def test_a_group_gives_its_settings_to_every_line(tmp_path: Path) -> None:
    rules = _write(
        tmp_path, "  - {score: 0.9, each: [Zorblax Quimby | Zorbie, Fnord Wibble]}\n  - Solo Blargh\n"
    )
    got = {t: [f.score for f in rules.run(t)[0]] for t in ("zorbie", "Fnord Wibble's hat", "solo blargh")}
    assert got == {"zorbie": [0.9], "Fnord Wibble's hat": [0.9], "solo blargh": [0.6]}
    assert {f.text for f in rules.run("the zorblaxquimby, the Zorblex Quimby")[0]} == {
        "zorblaxquimby",
        "Zorblex Quimby",
    }


@pytest.mark.parametrize(
    "entries", ["  - {score: 0.9}\n", "  - {each: [a b], terms: c d}\n", "  - {each: [7]}\n"]
)
def test_a_malformed_group_stops_screening(tmp_path: Path, entries: str) -> None:
    with pytest.raises(CheckUnavailable):
        _write(tmp_path, entries).run("a red ball")


def test_frozen_sets_stay_at_what_was_reached() -> None:
    groups = bench.recall()
    names = [t for g in ("names in a list", "names in no list") for t in groups[g]]
    caught, total = bench.share(bench.named, names)
    assert caught / total >= 0.80
    refused, benign = bench.share(bench.named, [r[0] for r in bench.rows("benign.txt")])
    assert refused / benign <= 0.02
    seen, disguised = bench.share(bench.named, [r[1] for r in bench.rows("obfuscated.tsv")])
    assert seen / disguised >= 0.93


def test_names_full_of_slips_cost_little() -> None:
    text = "arnold schwarzeneger and scarlet johanson met donlad trunp " * 600
    lexicon = Rules().lexicon()
    words = text.split()
    start = time.process_time()
    assert len(list(lexicon.slips.find_misspelled(words))) >= 600
    assert time.process_time() - start < allowed(2.0)
    assert _lexicon.SHORTEST_JOINED >= 8
