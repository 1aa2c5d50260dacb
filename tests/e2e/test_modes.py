"""Every way of working, from a request to what verify says; on a stand-in that paints, so that it is quick.

The embedded model has `test_ways_tiny.py`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import safegen
from safegen import Shot, Verdict
from safegen.consent import service
from safegen.errors import Interrupted, RefusedByPolicy
from safegen.ledger.store import Ledger
from safegen.pipeline import produce
from safegen.pipeline.kept_prompt import prompt_or_kept
from safegen.request import build, variations
from safegen.verification.json_report import find_assertion, report_to_json
from safegen.verification.summary import summary_rows
from safegen.workspace import config
from tests.e2e.makers import Maker, paint
from tests.e2e.painter import Painter

GENERATED, PARTLY = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    found = Painter()
    monkeypatch.setattr(produce, "find_generator", lambda model: found)
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that keeps prompts, a release in it, a picture and a video without credentials."""
    folder = tmp_path_factory.mktemp("ways")
    config.find_workspace(folder / "workspace").create()
    (folder / "workspace" / "safegen.toml").write_text("format = 1\n[privacy]\nkeep_prompts = true\n")
    cv2.imwrite(str(folder / "photo.png"), np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    paint(folder / "camera.mp4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(produce, "find_generator", lambda model: Painter())
        safegen.generate("a red ball", folder / "own.mp4", seed=1, workspace=folder / "workspace")
    for name in ("photo.png", "camera.mp4"):
        service.attest(folder / name, (), True, "tester", folder / "workspace", passphrase=None)
    return folder


def left(folder: Path) -> set[str]:
    """Every file outside the workspace."""
    return {
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and "workspace" not in p.parts
    }


WAYS: dict[str, tuple[Any, list[tuple[str, str]], list[str], str]] = {
    "image": (
        lambda p, **o: safegen.generate("a red ball", p / "out.mp4", image=p / "photo.png", **o),
        [("photo.png", "inputTo")],
        ["c2pa.created"],
        PARTLY,
    ),
    "edit": (
        lambda p, **o: safegen.remix(p / "camera.mp4", "a red ball", p / "out.mp4", strength=0.5, **o),
        [("camera.mp4", "parentOf")],
        ["c2pa.opened", "c2pa.edited"],
        PARTLY,
    ),
    "extend": (
        lambda p, **o: safegen.extend(p / "own.mp4", None, p / "out.mp4", **o),
        [("own.mp4", "parentOf")],
        ["c2pa.opened", "c2pa.edited"],
        GENERATED,
    ),
    "extend_back": (
        lambda p, **o: safegen.extend(p / "own.mp4", "a ball", p / "out.mp4", backwards=True, **o),
        [("own.mp4", "parentOf")],
        ["c2pa.opened", "c2pa.edited"],
        GENERATED,
    ),
    "loop": (
        lambda p, **o: safegen.loop(p / "camera.mp4", None, p / "out.mp4", **o),
        [("camera.mp4", "parentOf")],
        ["c2pa.opened", "c2pa.edited"],
        PARTLY,
    ),
    "blend": (
        lambda p, **o: safegen.blend(p / "own.mp4", p / "camera.mp4", None, p / "out.mp4", **o),
        [("own.mp4", "componentOf"), ("camera.mp4", "componentOf")],
        ["c2pa.created", "c2pa.placed", "c2pa.placed"],
        PARTLY,
    ),
    "storyboard": (
        lambda p, **o: safegen.storyboard([Shot(0, "a red ball"), Shot(1, "a box")], p / "out.mp4", **o),
        [],
        ["c2pa.created"],
        GENERATED,
    ),
}


QUICK = ("image", "extend", "blend")
"""Those that the default suite runs: one of each relationship."""


@pytest.mark.parametrize("mode", [m if m in QUICK else pytest.param(m, marks=pytest.mark.slow) for m in WAYS])
def test_a_way_of_working_is_released_with_what_it_was_made_from(
    mode: str, place: Path, painter: Painter
) -> None:
    make, parts, actions, kind = WAYS[mode]
    root = place / "workspace"
    release = make(place, workspace=root, seed=5, overwrite=True)
    request, conditions = painter.seen[-1]
    assert request.mode == mode
    assert [c.name for c in conditions] == [title for title, _ in parts]
    report = safegen.verify(release.path, workspace=root, watermark=mode == "extend")
    assert report.verdict is Verdict.VERIFIED
    found = report.credentials.ingredients
    assert [(i.title, i.relationship) for i in found if i.level == 1] == parts
    stated = find_assertion(report.credentials.manifest, "c2pa.actions.v2")["actions"]
    assert [a["action"] for a in stated] == [*actions, "c2pa.watermarked.bound"]
    assert stated[len(actions) - 1]["digitalSourceType"].endswith("/" + kind)
    assert find_assertion(report.credentials.manifest, "org.safegen.generation")["mode"] == mode
    own = [i for i in found if i.title == "own.mp4"]
    assert all(
        i.manifest_id
        == safegen.verify(place / "own.mp4", workspace=root, watermark=False).credentials.manifest_id
        for i in own
    ), "the input's own credentials are kept"
    rows = dict(summary_rows(report))
    assert ("made from" in rows) == bool(parts)
    assert len(report_to_json(report)["credentials"]["ingredients"]) == len(found)
    with Ledger.open(config.find_workspace(root).ledger_url, read_only=True) as ledger:
        index = ledger.entry(release.index).public["decision"]
        kept = ledger.private(index) or {}
    assert [i["sha256"] for i in kept["inputs"]] == [i.sha256 for i in request.inputs]
    assert all(len(i.sha256) == 64 for i in request.inputs)


def test_a_prompt_left_out_is_the_one_that_was_kept(place: Path) -> None:
    space = config.find_workspace(place / "workspace")
    prompt, notes = prompt_or_kept(None, [place / "own.mp4"], space)
    assert prompt == "a red ball"
    assert "kept for own.mp4" in notes[0]
    own = build.extend(place / "own.mp4", prompt, notes=notes)
    assert (own.request.prompt, own.notes) == (prompt, notes)
    prompt, notes = prompt_or_kept(None, [place / "camera.mp4"], space)
    assert prompt == ""
    assert "without a prompt" in notes[0]
    both = [place / "camera.mp4", place / "own.mp4"]
    assert prompt_or_kept(None, both, space)[0] == "a red ball"
    assert prompt_or_kept("a blue box", both, space) == ("a blue box", ())


def test_a_clip_that_may_not_be_used_leaves_nothing_but_a_record(place: Path, painter: Painter) -> None:
    maker = Maker.open(place / "workspace-of-another", "Somebody")
    foreign = maker.release(place / "foreign.mp4")
    before = left(place)
    with pytest.raises(RefusedByPolicy, match="do not allow generative use"):
        safegen.remix(foreign, "a red ball", place / "never.mp4", workspace=place / "workspace")
    assert not painter.seen
    assert left(place) == before
    with Ledger.open(config.find_workspace(place / "workspace").ledger_url, read_only=True) as ledger:
        last = ledger.entries("decision", 1)[0].public
    assert last["outcome"] == "block"
    assert last["categories"] == ["input_rights"]
    assert "input-credentials-video" in {c["name"] for c in last["checks"]}


def test_a_clip_that_was_tampered_with_is_refused(place: Path, painter: Painter, tmp_path: Path) -> None:
    file = tmp_path / "tampered.mp4"
    data = bytearray((place / "own.mp4").read_bytes())
    data[data.rindex(b"mdat") + 5000] ^= 1
    file.write_bytes(data)
    with pytest.raises(RefusedByPolicy, match="does not match its credentials"):
        safegen.extend(file, "a red ball", tmp_path / "never.mp4", workspace=place / "workspace")
    assert not painter.seen
    assert not (tmp_path / "never.mp4").exists()


def test_stopping_while_an_input_is_read_leaves_nothing(
    place: Path, painter: Painter, tmp_path: Path
) -> None:
    class Stopping:
        def stage(self, name: str, total: int | None = None) -> None:
            self.reading = name == "reading inputs"

        def advance(self, amount: int = 1) -> None:
            pass

        def cancelled(self) -> bool:
            return self.reading

    with pytest.raises(Interrupted):
        safegen.loop(
            place / "camera.mp4", "x", tmp_path / "no.mp4", workspace=place / "workspace", progress=Stopping()
        )
    assert not painter.seen
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


@pytest.mark.slow
def test_variations_fail_alone_and_are_resumed(place: Path, painter: Painter, tmp_path: Path) -> None:
    from safegen.api.generation import variations as make

    asked = build.generate("a red ball", seed=3)
    first, second = variations.derive_seeds(3, 2)
    assert first == 3
    painter.fails = {second}
    root = place / "workspace"
    out = tmp_path / "clip.mp4"
    items = list(make(asked, out, 2, workspace=root))
    assert [i.error is None for i in items] == [True, False]
    assert {p.name for p in tmp_path.glob("*.mp4")} == {"clip-1.mp4"}
    painter.fails, painter.seen = set(), []
    again = list(make(asked, out, 2, resume=True, workspace=root))
    assert again[0].kept == tmp_path / "clip-1.mp4"
    assert again[1].release is not None
    assert [r.seed for r, _ in painter.seen] == [second]
    shutil.copy(place / "own.mp4", tmp_path / "clip-2.mp4")
    third = list(make(asked, out, 2, resume=True, workspace=root))
    assert third[1].error is not None, "another file of that name is not taken for the variation"
