"""What is let in as an input, what is refused and why, and what is recorded of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from safegen import policies
from safegen.credentials.sign import Ingredient, sign_file
from safegen.errors import UnreadableInput, UsageError
from safegen.keys.identity import Identity
from safegen.media import sandbox
from safegen.pipeline import input_media
from safegen.pipeline.inputs import Admitted, admit_inputs
from safegen.pipeline.ledger_records import decision_private, decision_public
from safegen.types import Allowed, CheckRun, Held, Input, Mode, PolicyRef, Refused, Request, Role
from tests.e2e.makers import inputs as manifest_inputs
from tests.e2e.makers import paint
from tests.unit.credentials.conftest import identity  # noqa: F401

_DEFAULT = policies.load("default")
DEFAULT = _DEFAULT.model_copy(update={"inputs": _DEFAULT.inputs.model_copy(update={"people": "ignore"})})
"""Whom inputs show is another matter: tests/unit/consent."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painted video, a picture, and what is neither."""
    folder = tmp_path_factory.mktemp("inputs")
    paint(folder / "clip.mp4")
    rng = np.random.default_rng(1)
    cv2.imwrite(str(folder / "picture.png"), rng.integers(0, 255, (48, 64, 3), np.uint8))
    cv2.imwrite(str(folder / "black.png"), np.zeros((64, 64, 3), np.uint8))
    cv2.imwrite(str(folder / "dot.png"), rng.integers(0, 255, (8, 8, 3), np.uint8))
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a video\n" * 50)
    (folder / "cut.mp4").write_bytes((folder / "clip.mp4").read_bytes()[:1500])
    (folder / "cut.png").write_bytes((folder / "picture.png").read_bytes()[:60])
    (folder / "folder.mp4").mkdir()
    return folder


def run(tmp_path: Path, file: Path, role: Role = "video", mode: Mode = "extend", **how: Any) -> Admitted:
    """Admit one input."""
    request = Request("a red ball", mode=mode, inputs=(Input(role, file),))
    before = Allowed(request, PolicyRef("default", DEFAULT.digest), (CheckRun("rules", "1"),))
    more: dict[str, Any] = {"anchors": (), "ledger": None, **how}
    policy = more.pop("policy", DEFAULT)
    return admit_inputs(before, policy, temporary=tmp_path.joinpath, **more)


def test_an_input_is_copied_hashed_decoded_and_checked(files: Path, tmp_path: Path) -> None:
    found = run(tmp_path, files / "clip.mp4")
    assert isinstance(found.decision, Allowed)
    (item,) = found.decision.request.inputs
    assert item.sha256 == hashlib.sha256((files / "clip.mp4").read_bytes()).hexdigest()
    (condition,) = found.conditions
    assert (condition.role, condition.clip.count, condition.name) == ("video", 8, "clip.mp4")
    assert next(iter(condition.clip)).shape == (64, 64, 3)
    (part,) = found.ingredients
    assert (part.relationship, part.generated, part.broken) == ("parentOf", False, False)
    assert part.path.parent == tmp_path
    assert part.path.read_bytes() == (files / "clip.mp4").read_bytes()
    ran = {c["name"] for c in decision_public(found.decision)["checks"]}
    assert ran == {"rules", "input-credentials-video", "blank-video", "flash-video", "likeness-video"}
    assert decision_public(found.decision)["mode"] == "extend"
    private = decision_private(found.decision, keep_prompt=False)
    assert private["inputs"] == [{"role": "video", "sha256": item.sha256}]


def test_a_picture_is_given_to_the_model(files: Path, tmp_path: Path) -> None:
    found = run(tmp_path, files / "picture.png", "first_frame", "image")
    assert found.conditions[0].clip.count == 1
    assert found.ingredients[0].relationship == "inputTo"


@pytest.mark.parametrize(
    ("name", "role", "what"),
    [
        ("missing.mp4", "video", "no such file"),
        ("folder.mp4", "video", "not a file"),
        ("empty.mp4", "video", "empty"),
        ("text.mp4", "video", "unknown format"),
        ("cut.mp4", "video", "cut.mp4"),
        ("cut.png", "first_frame", "cut.png"),
        ("picture.png", "video", "is a picture, but a video is needed"),
        ("clip.mp4", "first_frame", "but a picture is needed"),
        ("dot.png", "first_frame", "8x8 pixels"),
    ],
)
def test_what_cannot_be_used_is_refused(
    files: Path, tmp_path: Path, name: str, role: Role, what: str
) -> None:
    with pytest.raises(UnreadableInput, match=what) as stopped:
        run(tmp_path, files / name, role, "image" if role == "first_frame" else "extend")
    assert "input-1" not in str(stopped.value), "the user's name of the file, not ours"
    assert stopped.value.hint


@pytest.mark.parametrize("name", ["moving.gif", "moving.png", "moving.webp"])
def test_an_animation_is_no_picture(name: str, tmp_path: Path) -> None:
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), np.uint8)
    first, *others = (Image.fromarray(frame) for frame in noise)
    first.save(tmp_path / name, save_all=True, append_images=others)
    with pytest.raises(UnreadableInput, match=r"animation|no size") as stopped:
        run(tmp_path, tmp_path / name, "first_frame", "image")
    assert "animation" in f"{stopped.value} {stopped.value.hint}"


@pytest.mark.parametrize("name", ["huge.png", "wide.png", "huge.jpg"])
def test_a_picture_larger_than_can_be_decoded_says_so(name: str, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (20_000, 20_000) if name.startswith("huge") else (30_000, 8_000)).save(tmp_path / name)
    with pytest.raises(UnreadableInput, match=r"20000x20000|30000x8000|no size") as stopped:
        run(tmp_path, tmp_path / name, "first_frame", "image")
    assert "video" not in str(stopped.value) and "video" not in stopped.value.hint


@pytest.mark.parametrize(("more", "enough"), [(0.0, False), (1.0, True)])
def test_inputs_as_long_as_the_whole_are_said_before_anything_is_made(
    more: float, enough: bool, files: Path, tmp_path: Path
) -> None:
    length = float(8 / sandbox.probe(files / "clip.mp4").fps)
    inputs = (Input("video", files / "clip.mp4"),)
    request = Request("a red ball", mode="extend", seconds=length + more, inputs=inputs)
    before = Allowed(request, PolicyRef("default", DEFAULT.digest), (CheckRun("rules", "1"),))
    if enough:
        assert admit_inputs(before, DEFAULT, temporary=tmp_path.joinpath, anchors=(), ledger=None).conditions
        return
    with pytest.raises(UsageError, match="already 1 s long"):
        admit_inputs(before, DEFAULT, temporary=tmp_path.joinpath, anchors=(), ledger=None)


def test_what_is_too_much_is_refused(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_media, "MAX_PIXELS", 64 * 64 * 4)
    with pytest.raises(UnreadableInput, match="too long or too large"):
        run(tmp_path, files / "clip.mp4")
    monkeypatch.setattr(input_media, "MAX_BYTES", 1000)
    with pytest.raises(UnreadableInput, match="MB"):
        run(tmp_path, files / "clip.mp4")


def test_what_the_frame_checks_find_refuses(files: Path, tmp_path: Path) -> None:
    found = run(tmp_path, files / "black.png", "first_frame", "image")
    assert isinstance(found.decision, Refused)
    assert "black.png" in found.decision.findings[0].reason


def signed(folder: Path, maker: Identity, use: str, parts: tuple[Ingredient, ...] = ()) -> Path:
    """A clip by *maker* that says what may be done with it."""
    from safegen.credentials.manifest import build_manifest

    out = folder / f"signed-{use}-{len(parts)}.mp4"
    made = manifest_inputs(7, training_mining={"cawg.ai_inference": use}, ingredients=parts)
    plain = paint(folder / f"plain-{use}-{len(parts)}.mp4")
    sign_file(plain, out, build_manifest(made), signer=maker.signer(), ingredients=parts)
    return out


def broken(file: Path) -> Path:
    """*file* with one byte of its pictures changed."""
    data = bytearray(file.read_bytes())
    data[data.index(b"mdat") + 400] ^= 1
    out = file.with_name("broken-" + file.name)
    out.write_bytes(data)
    return out


@pytest.mark.parametrize("use", ["notAllowed", "constrained"])
def test_credentials_that_forbid_it_refuse(
    tmp_path: Path,
    identity: Identity,  # noqa: F811
    use: str,
) -> None:
    file = signed(tmp_path, identity, use)
    found = run(tmp_path, file, anchors=[identity.root_pem])
    assert isinstance(found.decision, Refused)
    assert f"cawg.ai_inference={use}" in found.decision.findings[0].reason
    assert decision_public(found.decision)["categories"] == ["input_rights"]
    lenient = DEFAULT.model_copy(update={"inputs": DEFAULT.inputs.model_copy(update={"forbidden": "allow"})})
    (tmp_path / "again").mkdir()
    assert isinstance(run(tmp_path / "again", file, policy=lenient).decision, Allowed)


def test_trusted_credentials_say_that_all_of_it_is_generated(
    tmp_path: Path,
    identity: Identity,  # noqa: F811
) -> None:
    file = signed(tmp_path, identity, "allowed")
    known = run(tmp_path, file, anchors=[identity.root_pem])
    assert isinstance(known.decision, Allowed)
    assert known.ingredients[0].generated
    (tmp_path / "again").mkdir()
    assert not run(tmp_path / "again", file).ingredients[0].generated, (
        "an unknown signer's word does not count"
    )


@pytest.mark.parametrize(("action", "outcome"), [("block", Refused), ("review", Held), ("allow", Allowed)])
def test_credentials_that_do_not_match_are_for_the_policy(
    tmp_path: Path,
    identity: Identity,  # noqa: F811
    action: str,
    outcome: type,
) -> None:
    file = broken(signed(tmp_path, identity, "allowed"))
    policy = DEFAULT.model_copy(update={"inputs": DEFAULT.inputs.model_copy(update={"broken": action})})
    found = run(tmp_path, file, policy=policy)
    assert type(found.decision) is outcome
    assert found.ingredients[0].broken
    if action != "allow":
        assert "does not match its credentials" in found.decision.findings[0].reason


def test_a_broken_ingredient_of_an_input_counts_too(
    tmp_path: Path,
    identity: Identity,  # noqa: F811
) -> None:
    below = broken(signed(tmp_path, identity, "allowed"))
    part = Ingredient(below, "below", "inputTo", "below")
    found = run(tmp_path, signed(tmp_path, identity, "allowed", (part,)))
    assert isinstance(found.decision, Refused)
    assert "something it was made from" in found.decision.findings[0].reason


def test_a_refused_prompt_stays_refused_and_a_held_one_held(files: Path, tmp_path: Path) -> None:
    request = Request("x", mode="extend", inputs=(Input("video", files / "clip.mp4"),))
    before = Held(request, PolicyRef("default", DEFAULT.digest), (CheckRun("rules", "1"),), score=0.6)
    found = admit_inputs(before, DEFAULT, temporary=tmp_path.joinpath, anchors=(), ledger=None)
    assert isinstance(found.decision, Held)
    assert found.decision.score == 0.6


def test_without_inputs_nothing_happens(tmp_path: Path) -> None:
    before = Allowed(Request("x"), PolicyRef("default", DEFAULT.digest), (CheckRun("rules", "1"),))
    found = admit_inputs(before, DEFAULT, temporary=tmp_path.joinpath, anchors=(), ledger=None)
    assert found == Admitted(before)
    assert not list(tmp_path.iterdir())
    assert replace(found).ingredients == ()
