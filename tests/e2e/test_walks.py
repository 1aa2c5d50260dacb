"""The first hour of newcomers who make or release: what each types after the README and one page.

Those who are sent something are in ``test_walks_received.py``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from safegen.keys.certificates import issue_hierarchy
from tests.support.person import SMALL, Person, Python


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
    upright = cv2.imread(str(person.folder / "photo.protected.jpg"))
    assert upright is not None and upright.shape[:2] == (480, 320)
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
