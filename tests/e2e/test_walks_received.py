"""The first hour of newcomers who are sent something: what each types after the README and one page.

Those who make or release are in ``test_walks.py``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.person import SMALL, Person, Python, Said, altered

PROMPT = "a red ball rolling left to right over green grass"


@pytest.fixture(scope="module")
def nord(python: Python, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """A partner, who has released ``ball.mp4`` and exported ``nord.json``."""
    pytest.importorskip("torch")
    person = Person(tmp_path_factory.mktemp("nord"), python)
    made = person.types(f'safegen generate "{PROMPT}" -o ball.mp4 --seed 7 {SMALL}')
    assert made.first == "released   ball.mp4"
    person.types('safegen keys export-trust -o nord.json --name "Studio Nord"')
    return person


@pytest.fixture
def person(python: Python, tmp_path: Path) -> Person:
    return Person(tmp_path, python)


def test_the_newsroom(person: Person, nord: Person, shared: Path) -> None:
    """verify.md: an inbox with everything in it, before and after a partner is trusted."""
    ball = (nord.folder / "ball.mp4").read_bytes()
    person.has("inbox/ball.mp4", ball)
    person.has("inbox/ball.mp4.tlog-proof", (nord.folder / "ball.mp4.tlog-proof").read_bytes())
    person.has("inbox/altered.mp4", altered(ball))
    person.has("inbox/photo.jpg", (shared / "data/cases/picture_plain.jpg").read_bytes())
    person.has("inbox/empty.mp4")
    person.has("inbox/notes.txt", "call back at four")

    def verdicts(said: Said) -> dict[str, str]:
        lines = [line.split(maxsplit=2) for line in said.out.splitlines() if line[:1].isupper()]
        return {line[1].removeprefix("inbox/").rstrip(":"): line[0] for line in lines}

    before = person.types("safegen verify inbox", code=40)
    assert verdicts(before) == {
        "altered.mp4": "TAMPERED",
        "ball.mp4": "SIGNED_UNTRUSTED",
        "empty.mp4": "UNREADABLE",
        "photo.jpg": "NO_PROVENANCE",
    }
    assert "UNREADABLE  inbox/empty.mp4: the file is empty\n  hint: fetch or create it again" in before.out
    assert "says nothing about whether the picture is real" in before.out
    assert "skipped: 2 other files" in before.out
    assert "Made by AI" in before.out

    person.has("nord.json", (nord.folder / "nord.json").read_bytes())
    asked = person.types("safegen trust add nord.json", code=2)
    assert "SHA-256" in asked.err and "no terminal to ask on" in asked.error and "--yes" in asked.hint
    assert "Studio Nord" in person.types("safegen trust add nord.json --yes").out
    assert "Studio Nord" in person.types("safegen trust list").first

    after = person.types("safegen verify inbox --require signed --html report.html", code=40)
    assert verdicts(after) == verdicts(before) | {"ball.mp4": "VERIFIED"}
    assert 'trusted by "Studio Nord", pinned' in after.out
    page = (person.folder / "report.html").read_text()
    assert "call back" not in page
    assert all(word in page for word in ("TAMPERED", "VERIFIED", "UNREADABLE", "NO_PROVENANCE"))
    again = person.types("safegen verify inbox --html report.html", code=2)
    assert "exists" in again.error

    person.types("safegen verify inbox/ball.mp4 --require verified")
    assert person.types("safegen verify - --require signed", stdin=ball).first.startswith("SIGNED_UNLOGGED ")
    assert person.types("safegen verify - --require verified", stdin=ball, code=12).out
    assert "check the command before the pipe" in person.types("safegen verify -", code=2).hint
    assert "curl" in person.types("safegen verify https://example.org/a.mp4", code=2).hint
    assert "check the path" in person.types("safegen verify inbx", code=2).hint
    assert "--help" in person.types("safegen verify inbox --require", code=2).hint


def test_the_accessibility_specialist(person: Person, nord: Person, shared: Path) -> None:
    """accessibility.md: what comes with a clip, texts for another one, and the commands themselves."""
    texts = {
        f"ball.{kind}" for kind in ("captions.vtt", "descriptions.vtt", "chapters.vtt", "transcript.html")
    }
    assert texts < nord.files
    assert "[No sound]" in (nord.folder / "ball.captions.vtt").read_text()
    said = (nord.folder / "ball.descriptions.vtt").read_text()
    assert said.startswith("WEBVTT") and "-->" in said and PROMPT not in said
    transcript = (nord.folder / "ball.transcript.html").read_text()
    assert '<html lang="en">' in transcript and "<main" in transcript and "<script" not in transcript
    for name in ("ball.mp4", "ball.mp4.tlog-proof", *texts):
        shutil.copy(nord.folder / name, person.folder)
    person.has("ball.captions.vtt", (person.folder / "ball.captions.vtt").read_text().replace("No", "Loud"))

    narrow = {"NO_COLOR": "1", "COLUMNS": "40", "LC_ALL": "C"}
    seen = person.types("safegen verify ball.mp4 --html report.html", code=11, **narrow)
    assert seen.first.startswith("SIGNED_UNTRUSTED  ball.mp4: Made by AI")
    assert "\x1b" not in seen.out + seen.err and (seen.out + seen.err).isascii()
    assert "ball.captions.vtt CHANGED since the release" in seen.out
    for command in ("safegen", "safegen verify", "safegen trust add", "safegen generate"):
        for line in person.types(command + " --help", **narrow).out.splitlines():
            assert len(line) <= 40, line
    spoken = json.loads(person.types("safegen verify ball.mp4 --json", code=11, **narrow).out)
    assert spoken["origin"]["sentence"].startswith("Made by AI") and spoken["summary"].endswith(".")
    assert all(reason.endswith(".") for reason in spoken["reasons"])
    assert {t["kind"]: t["state"] for t in spoken["texts"]} == {
        "captions": "changed",
        "descriptions": "as released",
        "chapters": "as released",
        "transcript": "as released",
    }
    page = (person.folder / "report.html").read_text()
    for part in ('<html lang="en">', "<title>", "<main", "<h1", "<h2", "aria-labelledby="):
        assert part in page, part
    assert "<script" not in page
    assert page.count('role="img"') == page.count('role="img" aria-label="')

    person.has("café.mkv", (shared / "data/cases/mkv_alaw.mkv").read_bytes())
    described = person.types("safegen describe café.mkv", **narrow)
    assert "could not be recognised" in described.first
    assert "no captions for what is said" in described.out
    assert {"café.captions.vtt", "café.descriptions.vtt", "café.transcript.html"} < person.files
    assert "[Sound]" in (person.folder / "café.captions.vtt").read_text()
    taken = person.types("safegen describe café.mkv", code=2)
    assert "exists" in taken.error
    person.has("said.vtt", "WEBVTT\n\n00:00.000 --> 00:00.900\nGood evening.\n")
    person.types("safegen describe café.mkv -o described.mp4 --captions said.vtt")
    assert "Good evening." in (person.folder / "described.transcript.html").read_text()
    assert "hint" in person.types("safegen describe missing.mp4", code=2).err
