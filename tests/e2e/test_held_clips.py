"""A clip that the frames gate holds: approved by its digest, released as it was, once; nothing else is."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import safegen
from safegen import Verdict
from safegen.cli import group
from safegen.detectors.frames.known import add
from safegen.errors import HeldForReview
from safegen.media import sandbox
from safegen.pipeline import produce
from safegen.review import queue
from safegen.review.export import SkippedCases, labelled_rows
from safegen.types import Allowed, AudioTrack, Clip, Generated, Held, ModelRef, Outlook, PolicyRef, Request
from safegen.workspace import config
from safegen.workspace.session import open_ledger_for_writing

PROMPT = "a pattern that rolls"
POLICY = """\
extends: default
name: house
version: 1
frames: {required: [blank, known], optional: [], rules: {known_content: {review: 0.3}}}
attributes: []
"""


def frames(seed: int) -> np.ndarray:
    """Rolling stripes."""
    base = np.random.default_rng(seed).integers(30, 225, (32, 32, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    return np.stack([np.roll(base, 4 * i, 1) for i in range(24)])


class Painter:
    """A generator whose every clip is another one, whatever the seed: nothing can be made a second time."""

    name = "painter"
    modes = frozenset({"text"})

    def __init__(self) -> None:
        self.made = 0

    def outlook(self, request: Request) -> Outlook:
        return Outlook(256, 256, 3.0, 8)

    def generate(self, request: Request, *, progress: object, conditions: object = ()) -> Generated:
        self.made += 1
        clip = Clip.from_array(frames(7) ^ np.uint8(self.made & 1), Fraction(8))
        sound = AudioTrack(np.full((24000, 1), 0.25, np.float32), 8000)
        model = ModelRef("painter", "painter", "1", None)
        return Generated(Clip(clip.open, 256, 256, clip.fps, 24, sound), model, {"guidance": 4.5})


class House:
    """A workspace, a policy that holds what is on a list, and the list with the painter's pattern."""

    def __init__(self, folder: Path) -> None:
        self.root, self.folder = folder / "workspace", folder
        self.policy = folder / "house.yaml"
        self.policy.write_text(POLICY)
        self.list = folder / "known.jsonl"
        add(self.list, "the pattern", Clip.from_array(frames(7), 8))
        self.painter = Painter()

    def generate(self, name: str, approval: int | None = None, prompt: str = PROMPT) -> safegen.Release:
        return safegen.generate(
            prompt, self.folder / name, policy=str(self.policy), workspace=self.root, approval=approval
        )

    def protect(self, file: Path, name: str) -> safegen.Release:
        return safegen.protect(file, self.folder / name, policy=str(self.policy), workspace=self.root)

    def hold(self, name: str = "video.mp4", approval: int | None = None) -> int:
        """Generate, be held; the decision about the clip."""
        with pytest.raises(HeldForReview, match="frames gate") as stopped:
            self.generate(name, approval)
        assert not (self.folder / name).exists()
        return int(stopped.value.hint.rpartition("show ")[2].rstrip("`"))

    def decide(self, index: int, act: Any = "approve") -> None:
        with open_ledger_for_writing(config.find_workspace(self.root)) as ledger:
            queue.record_review(ledger, index, act, reviewer="Ada")

    def entry(self, index: int) -> dict[str, Any]:
        with open_ledger_for_writing(config.find_workspace(self.root)) as ledger:
            return dict(ledger.entry(index).public)

    def cli(self, *arguments: str) -> str:
        done = CliRunner().invoke(group, [*arguments, "--workspace", str(self.root)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    found = House(tmp_path)
    monkeypatch.setenv("SAFEGEN_KNOWN", str(found.list))
    monkeypatch.setattr(produce, "find_generator", lambda model: found.painter)
    answer(monkeypatch, Allowed)
    return found


def answer(monkeypatch: pytest.MonkeyPatch, kind: type[Allowed] | type[Held]) -> None:
    """What the prompt's screen says."""
    monkeypatch.setattr(
        "safegen.screening.screen",
        lambda request, *, policy: kind(request, PolicyRef(policy.name, policy.digest), ()),
    )


def test_an_approved_clip_is_released_as_it_was_held(house: House) -> None:
    index = house.hold()
    held = house.entry(index)
    assert [c["name"] for c in held["checks"]] == ["blank", "known"]
    assert held["categories"] == ["known_content"]
    assert house.entry(held["request"])["outcome"] == "allow"
    assert set(held["output"]["files"]) == {"clip.mkv", "sound.npy", "made.json"}
    shown = json.loads(house.cli("review", "show", str(index), "--json"))
    assert shown["findings"][0]["detector"] == "known"
    assert shown["prompt"] == PROMPT
    kept = Path(shown["clip"])
    assert kept.parent.stat().st_mode & 0o077 == 0
    seen = np.stack(list(sandbox.open_clip(kept)))
    assert np.array_equal(seen, frames(7) ^ 1)
    assert "clip " in house.cli("review", "list")
    assert str(kept) in house.cli("review", "show", str(index))
    with pytest.raises(HeldForReview, match="waiting, not approved"):
        house.generate("video.mp4", index)
    house.decide(index)
    before = house.painter.made
    release = house.generate("video.mp4", index)
    assert house.painter.made == before
    public = house.entry(release.index)
    assert public["frames_sha256"] == held["output"]["frames_sha256"]
    assert house.entry(public["review"])["act"] == "approve"
    assert [c["name"] for c in public["frame_checks"]] == ["blank", "known"]
    report = safegen.verify(house.folder / "video.mp4", workspace=house.root)
    assert report.verdict is Verdict.VERIFIED
    assert report.credentials.manifest is not None
    stated = {a["label"]: a["data"] for a in report.credentials.manifest["assertions"]}
    assert stated["org.safegen.policy"]["review"]["entry"] == public["review"]
    assert not kept.parent.exists()
    with pytest.raises(HeldForReview, match="cannot be released"):
        house.generate("again.mp4", index)
    with open_ledger_for_writing(config.find_workspace(house.root)) as ledger:
        left = SkippedCases()
        assert list(labelled_rows(ledger, left)) == []
    assert left.clips == 1


@pytest.mark.parametrize("file", ["clip.mkv", "sound.npy", "made.json"])
def test_what_is_not_what_was_held_is_not_released(house: House, file: str) -> None:
    index = house.hold()
    house.decide(index)
    folder = house.root / "held" / house.entry(index)["output"]["id"]
    other = house.hold("other.mp4")
    swapped = house.root / "held" / house.entry(other)["output"]["id"]
    original = (folder / file).read_bytes()
    data = (swapped / file).read_bytes() if file == "clip.mkv" else original + b" "
    (folder / file).write_bytes(data)
    with pytest.raises(HeldForReview, match="differs from the file that was held"):
        house.generate("video.mp4", index)
    with pytest.raises(HeldForReview, match="a different prompt"):
        (folder / file).write_bytes(original)
        house.generate("video.mp4", index, prompt="another pattern")
    assert house.generate("video.mp4", index).path.exists()


def test_a_clip_that_is_gone_is_said_and_its_approval_stays(house: House) -> None:
    index = house.hold()
    house.decide(index)
    shutil.rmtree(house.root / "held")
    with pytest.raises(HeldForReview, match="cannot be released"):
        house.generate("video.mp4", index)
    assert json.loads(house.cli("review", "show", str(index), "--json"))["status"] == "approved"


def test_a_held_prompt_whose_clip_is_approved(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person who let the clip pass saw what came of the prompt; an approved prompt excuses no clip."""
    answer(monkeypatch, Held)
    with pytest.raises(HeldForReview, match="review it first"):
        house.generate("video.mp4")
    house.decide(0)
    index = house.hold(approval=0)
    house.decide(index)
    assert house.generate("video.mp4", index).path.exists()


def test_a_video_made_elsewhere_passes_by_its_digest_once(house: House, files: Path) -> None:
    clip, other = files / "a.mp4", files / "b.mp4"
    with pytest.raises(HeldForReview, match="frames gate") as stopped:
        house.protect(clip, "out.mp4")
    index = int(stopped.value.hint.rpartition("show ")[2].rstrip("`"))
    assert set(house.entry(index)["output"]) == {"source_sha256"}
    assert "SHA-256" in house.cli("review", "show", str(index))
    house.decide(index)
    with pytest.raises(HeldForReview):
        house.protect(other, "other.mp4")
    release = house.protect(clip, "out.mp4")
    assert house.entry(house.entry(release.index)["review"])["act"] == "approve"
    with pytest.raises(HeldForReview):
        house.protect(clip, "again.mp4")
    assert not (house.folder / "again.mp4").exists()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two encodings of the pattern."""
    from safegen.media.encode import Encoding, encode_mp4

    for name, crf in (("a.mp4", 18), ("b.mp4", 19)):
        encode_mp4(iter(frames(7)), tmp_path / name, fps=Fraction(8), encoding=Encoding(crf=crf))
    return tmp_path
