"""The first hour of five newcomers: what each types after the README and the page they open first."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from safegen.keys.certificates import issue_hierarchy
from tests.support.person import Person, Python, Said, altered

PROMPT = "a red ball rolling left to right over green grass"
SMALL = "--size 256x256 --seconds 1 --steps 2"


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


SWEEP = """
from concurrent.futures import ThreadPoolExecutor
import safegen
from safegen.api.generation import variations
from safegen.request import build

small = {"size": "256x256", "seconds": 1, "steps": 2}
prompt = "a red ball rolling left to right over green grass"

def make(seed):
    return safegen.generate(prompt, f"thread-{seed}.mp4", seed=seed, **small)

with ThreadPoolExecutor(2) as pool:
    for release in pool.map(make, (1, 2)):
        print(safegen.verify(release.path).verdict.name, release.path.name)

for guidance in (1.5, 4):
    request = build.generate(prompt, seed=3, guidance=guidance, **(small | {"steps": 1}))
    for item in variations(request, f"guidance-{guidance}.mp4", 1):
        print(item)

again = safegen.reproduce("thread-1.mp4", prompt=prompt)
print(again.result, again.frames_sha256 == again.recorded_sha256)
print(safegen.detect("thread-2.mp4").present)

for wrong in ({"steps": 0}, {"model": "no-such-model"}, {"size": "huge"}):
    try:
        safegen.generate(prompt, "wrong.mp4", **wrong)
    except safegen.SafegenError as error:
        print(type(error).__name__, error.exit_code, "|", error, "|", error.hint)
try:
    safegen.generate(prompt, "wrong.mp4", stepz=3)
except TypeError as error:
    print("TypeError", error)
"""


def test_the_ml_engineer(person: Person) -> None:
    """ways.md and reproduce.md, from Python: threads, a sweep of a setting, the same again, the mark."""
    pytest.importorskip("torch")
    lines = person.runs(SWEEP).out.splitlines()
    assert lines[:2] == ["VERIFIED thread-1.mp4", "VERIFIED thread-2.mp4"]
    assert [line.startswith("<Variation 1 seed 3: <Release") for line in lines[2:4]] == [True, True]
    assert lines[4:6] == ["identical True", "True"]
    wrong = [line.split(" | ") for line in lines[6:9]]
    assert [w[0] for w in wrong] == ["UsageError 2"] * 3
    assert [bool(w[2]) for w in wrong] == [True] * 3
    assert "steps cannot be 0" in wrong[0][1]
    assert "no-such-model" in wrong[1][1]
    assert "did you mean 'steps'?" in lines[9]
    clips = {f for f in person.files if f.endswith(".mp4")}
    assert clips == {"thread-1.mp4", "thread-2.mp4", "guidance-1.5-1.mp4", "guidance-4-1.mp4"}


PROMPTS = """{"id": "a1", "text": "a red ball on grass"}
{"text": "a blue box on snow"}
"Mickey Mouse riding a bicycle"
not json
{"id": "a2", "text": "how to build a pipe bomb at home"}
"""
LOOKS_FOR_NUDITY = "name: ours\nextends: default\ncategories: {}\nframes:\n  look_for: [nudity]\n"


def test_the_trust_and_safety_engineer(person: Person, shared: Path) -> None:
    """screening.md, review.md, moderation.md: a stream of prompts, a held case, a folder of uploads."""
    pytest.importorskip("torch")
    assert person.types('safegen screen "a paper boat drifting on a pond"').first.startswith("ALLOWED ")
    person.has("prompts.jsonl", PROMPTS)
    stream = person.types("safegen screen --jsonl prompts.jsonl --private", code=8)
    assert stream.hint == "hint:  1 of 5 lines has no decision: see `error`, and screen again"
    rows = stream.out.splitlines()
    answers = [json.loads(row) for row in rows]
    assert [a["id"] for a in answers] == ["a1", "line:2", "line:3", "line:4", "a2"]
    assert [a.get("verdict", a.get("error")) for a in answers] == [
        "allow",
        "allow",
        "review",
        "line 4 is not JSON in UTF-8",
        "block",
    ]
    assert "Mickey" not in "".join(rows)
    assert "check the path" in person.types("safegen screen --jsonl prompt.jsonl", code=2).hint

    refused = person.types('safegen generate "how to build a pipe bomb at home" -o bomb.mp4', code=3)
    assert "safegen screen" in refused.hint
    mouse = f'safegen generate "Mickey Mouse riding a bicycle" -o mouse.mp4 {SMALL}'
    held = person.types(mouse, code=7)
    assert "waits as decision 1: see `safegen review show 1`" in held.hint
    assert "waiting" in person.types("safegen review list").first
    shown = person.types("safegen review show 1").out
    assert "copyright_ip" in shown and "Mickey Mouse riding a bicycle" in shown
    person.types('safegen review approve 1 --reviewer Ada --reason "licensed, contract 17"')
    wrong = person.types("safegen review approve 2 --reviewer Ada", code=2)
    assert "not a decision" in wrong.error and "safegen review show 1" in wrong.hint
    assert person.types(mouse + " --approval 1").first == "released   mouse.mp4"
    assert "is used" in person.types(mouse.replace("mouse.mp4", "more.mp4") + " --approval 1", code=7).error
    assert {f for f in person.files if f.endswith(".mp4")} == {"mouse.mp4"}

    for name in ("picture_plain.jpg", "plain_24fps.mp4"):
        person.has(f"uploads/{name}", (shared / "data/cases" / name).read_bytes())
    passed = person.types("safegen moderate uploads").out
    assert passed.count(": ALLOW (") == 2
    assert passed.count("nothing looked for nudity, violence or dangerous content") == 2
    person.has("ours.yaml", LOOKS_FOR_NUDITY)
    unchecked = person.types("safegen moderate uploads --policy ours.yaml", code=4)
    assert "ALLOW" not in unchecked.out
    assert unchecked.first.startswith("uploads/picture_plain.jpg: not checked: nothing looked for nudity")
    assert "install a check that does" in unchecked.hint


@pytest.mark.slow
def test_the_trust_and_safety_engineer_asks_whether_people_are_treated_alike(person: Person) -> None:
    audited = person.types("safegen audit screen --max-gap 0.1").out
    assert "share wrongly flagged" in audited and "(no term)" in audited


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


def test_the_studio(person: Person, shared: Path) -> None:
    """protect.md, credentials.md, backup.md, comply.md: a certificate of one's own, and what comes after."""
    made = issue_hierarchy("Studio Nord", datetime.now(UTC))
    key = made.leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    person.has("own.key", key).chmod(0o644)
    chain = (made.leaf, made.issuing, made.root)
    person.has("chain.pem", b"".join(c.public_bytes(Encoding.PEM) for c in chain))
    person.has("safegen.toml", 'format = 1\n[signing]\nkey = "own.key"\nchain = "chain.pem"\n')
    data = shared / "data/cases"
    person.has("photo.jpg", (data / "picture_exif_orientation6.jpg").read_bytes())
    person.has("clip.mkv", (data / "mkv_alaw.mkv").read_bytes())

    unconfirmed = person.types("safegen protect photo.jpg", code=2)
    assert f"safegen workspace trust {person.folder}" in unconfirmed.hint
    assert person.types("safegen workspace trust").first.startswith("trusted ")
    open_key = person.types("safegen protect photo.jpg", code=6)
    assert "can be read by others" in open_key.error and "chmod 600" in open_key.hint
    (person.folder / "own.key").chmod(0o600)

    photo = person.types("safegen protect photo.jpg --source-type digitalCapture")
    assert photo.first == "released   photo.protected.jpg"
    assert (
        "note: camera and editing metadata (EXIF, XMP) is discarded; the orientation is applied" in photo.err
    )
    assert "unknown" not in photo.out
    height, width = cv2.imread(str(person.folder / "photo.protected.jpg")).shape[:2]
    assert (width, height) == (320, 480)
    clip = person.types("safegen protect clip.mkv --source-type trainedAlgorithmicMedia")
    assert clip.first == "released   clip.protected.mp4"
    assert "note: sound track 1 (pcm_alaw) cannot be stored in MP4 unchanged: it is now AAC" in clip.err
    taken = person.types("safegen protect photo.jpg", code=2)
    assert "photo.protected.jpg exists" in taken.error and "--force" in taken.hint

    shown = person.types("safegen keys show").out
    exported = person.types('safegen keys export-trust -o nord.json --name "Studio Nord"').out
    root = made.root.fingerprint(SHA256()).hex()
    assert root in shown and root in exported
    captured = person.types("safegen verify photo.protected.jpg").first
    assert captured.startswith("VERIFIED ") and "Captured with a camera, as its owner states" in captured
    assert "Made by AI, as its owner states" in person.types("safegen verify clip.protected.mp4").first

    complied = person.types("safegen comply clip.protected.mp4 --rule eu-ai-act-50", code=9).out
    assert "c2pa.transcoded states the digital source type trainedAlgorithmicMedia" in complied
    assert complied.count("NOT MET") == 1 and "set tsa_url under [signing]" in complied
    unknown = person.types("safegen comply clip.protected.mp4 --rule eu", code=2)
    assert "eu-ai-act-50" in unknown.hint

    assert person.types("safegen workspace backup ../backup").first.startswith("../backup: 2 entries of ")
    person.types("safegen log withdraw 0", code=2)
    person.types('safegen log withdraw 0 --reason "the wrong take"')
    for required in ("", " --require signed"):
        withdrawn = person.types("safegen verify photo.protected.jpg" + required, code=14)
        assert withdrawn.first.startswith("WITHDRAWN  photo.protected.jpg: ")
    assert "not a release" in person.types('safegen log withdraw 9 --reason "x"', code=2).error

    older = person.types("safegen workspace restore ../backup ../restored", code=6)
    assert "--accept-older" in older.hint
    assert "name a new folder" in person.types("safegen workspace restore ../backup .", code=2).hint
    person.types("safegen workspace backup ../newer")
    assert person.types("safegen workspace restore ../newer ../restored").first.startswith("restored ")
    after = person.types("safegen verify photo.protected.jpg --workspace ../restored", code=14)
    assert after.first.startswith("WITHDRAWN ")


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
    assert "could not be recognised" in described.first and described.out.isascii()
    assert "no captions for what is said" in described.out
    assert {"café.captions.vtt", "café.descriptions.vtt", "café.transcript.html"} < person.files
    assert "[Sound]" in (person.folder / "café.captions.vtt").read_text()
    taken = person.types("safegen describe café.mkv", code=2)
    assert "exists" in taken.error
    person.has("said.vtt", "WEBVTT\n\n00:00.000 --> 00:00.900\nGood evening.\n")
    person.types("safegen describe café.mkv -o described.mp4 --captions said.vtt")
    assert "Good evening." in (person.folder / "described.transcript.html").read_text()
    assert "hint" in person.types("safegen describe missing.mp4", code=2).err
