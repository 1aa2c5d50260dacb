"""From the request to the verdict, with real parts: what a release is, and what happens to it out there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import safegen
from safegen import Verdict
from safegen.credentials.read import find_assertion
from tests.e2e import attacks
from tests.e2e.conftest import PROMPT, SECONDS, Studio


def test_release_verifies(studio: Studio) -> None:
    report = studio.verify(studio.first.path)
    assert report.verdict is Verdict.VERIFIED
    assert report.ledger is not None
    assert report.ledger.bytes_match
    assert [w.payload for w in report.watermarks if w.present] == [studio.first.content_id]
    assert not report.not_checked
    json.dumps(report.to_dict())


def test_manifest_says_what_was_done_and_not_the_prompt(studio: Studio) -> None:
    manifest = studio.verify(studio.first.path).credentials.manifest
    assert manifest is not None
    labels = {a["label"].split("__")[0] for a in manifest["assertions"]}
    wanted = {"c2pa.actions.v2", "c2pa.soft-binding", "c2pa.ai-disclosure", "cawg.training-mining"}
    wanted |= {"org.safegen.policy", "org.safegen.generation", "org.safegen.attributes"}
    assert wanted <= labels
    actions = find_assertion(manifest, "c2pa.actions.v2")["actions"]
    assert actions[0]["action"] == "c2pa.created"
    assert actions[0]["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    policy = find_assertion(manifest, "org.safegen.policy")
    assert {c["name"] for c in policy["checks"]} >= {"rules", "classifier"}
    assert {c["name"] for c in policy["frameChecks"]} >= {"blank", "world"}
    assert manifest["thumbnail"]
    text = json.dumps(manifest).lower()
    assert PROMPT not in text
    assert "rolling" not in text
    assert str(studio.workspace) not in text


def test_attributes_are_recorded(studio: Studio) -> None:
    values = {a.name: a.value for a in studio.first.attributes}
    assert {"colour", "shape", "motion", "background"} <= set(values)
    assert values["colour"] == "red"
    assert values["motion"] == "right"


def test_same_seed_gives_the_same_pictures(studio: Studio, tmp_path: Path) -> None:
    again = safegen.generate(
        PROMPT, tmp_path / "again.mp4", seed=1, seconds=SECONDS, workspace=tmp_path / "w"
    )
    from safegen.media.sandbox import open_clip

    first, second = next(iter(open_clip(studio.first.path))), next(iter(open_clip(again.path)))
    assert np.abs(first.astype(int) - second).mean() < 2.5  # the marks differ, the pictures do not
    assert again.content_id != studio.first.content_id


def test_no_flipped_byte_is_ever_verified(studio: Studio, tmp_path: Path) -> None:
    data = studio.first.path.read_bytes()
    target = tmp_path / "flipped.mp4"
    shutil.copy(studio.first.sidecars[0], target.with_name(target.name + ".tlog-proof"))
    rng = np.random.default_rng(0)
    positions = sorted({*range(64), *rng.integers(0, len(data), 460).tolist(), len(data) - 1})
    assert len(positions) >= 500
    verdicts = set()
    for position in positions:
        target.write_bytes(data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :])
        try:
            verdicts.add(studio.verify(target, watermark=False).verdict)
        except safegen.SafegenError as error:
            assert error.exit_code in {2, 4}
    assert Verdict.VERIFIED not in verdicts
    assert Verdict.TAMPERED in verdicts


def test_stripped_file_is_recovered_with_its_manifest(studio: Studio, tmp_path: Path) -> None:
    report = studio.verify(attacks.remux(studio.first.path, tmp_path / "remuxed.mp4"))
    assert report.verdict is Verdict.RECOVERED
    assert report.recovered_manifest is not None
    assert find_assertion(report.recovered_manifest, "org.safegen.generation")["model"]["name"] == "tiny"


@pytest.mark.parametrize("crf", [23, 28])
def test_reencoded_file_is_recovered(studio: Studio, tmp_path: Path, crf: int) -> None:
    report = studio.verify(attacks.reencode(studio.first.path, tmp_path / "again.mp4", crf=crf))
    assert report.verdict is Verdict.RECOVERED


def test_pictures_alone_lead_back(studio: Studio, tmp_path: Path) -> None:
    """Blurred and squeezed until no mark is left: the recorded pictures still know the release."""
    target = attacks.reencode(studio.first.path, tmp_path / "blurred.mp4", crf=36, change=_soften)
    report = studio.verify(target)
    assert not any(w.payload for w in report.watermarks)
    assert report.verdict is Verdict.RECOVERED
    assert report.recovered_manifest == studio.verify(studio.first.path).credentials.manifest


@pytest.mark.parametrize("release", ["first", "other"])
def test_honest_crop_is_recovered(studio: Studio, tmp_path: Path, release: str) -> None:
    source: Path = getattr(studio, release).path
    target = attacks.reencode(source, tmp_path / "cropped.mp4", change=attacks.crop(0.5))
    assert studio.verify(target).verdict is Verdict.RECOVERED


@pytest.mark.parametrize("victim", ["second", "other"])
def test_pasted_mark_is_a_conflict(studio: Studio, tmp_path: Path, victim: str) -> None:
    source = attacks.reencode(getattr(studio, victim).path, tmp_path / "plain.mp4", change=_blur)
    target = attacks.paste_mark(studio.first.content_id, source, tmp_path / "pasted.mp4")
    assert studio.verify(target).verdict is Verdict.CONFLICT


def _soften(frame: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(frame, (0, 0), 4)


def _blur(frame: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(frame, (0, 0), 5)


def test_credentials_of_another_release_do_not_fit(studio: Studio, tmp_path: Path) -> None:
    """The manifest of one release attached to the stripped pictures of another."""
    first, second = studio.first.path.read_bytes(), studio.second.path.read_bytes()
    box = _c2pa_box(first)
    stripped = attacks.remux(studio.second.path, tmp_path / "bare.mp4").read_bytes()
    size = int.from_bytes(stripped[:4], "big")
    target = tmp_path / "swapped.mp4"
    target.write_bytes(stripped[:size] + box + stripped[size:])
    assert box in first
    assert box not in second
    assert studio.verify(target).verdict in {Verdict.TAMPERED, Verdict.CONFLICT}


def _c2pa_box(data: bytes) -> bytes:
    """The top-level ``uuid`` box that holds the manifest store."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"uuid":
            return data[at : at + size]
        at += size
    raise AssertionError("no uuid box")


def test_other_videos_have_no_provenance(studio: Studio, shared: Path) -> None:
    report = studio.verify(shared / "data/clips/cogvideo_4.mp4")
    assert report.verdict is Verdict.NO_PROVENANCE


def test_ledger_checks_out(studio: Studio) -> None:
    from safegen.keys.identity import Identity
    from safegen.keys.log_key import decode_vkey
    from safegen.ledger.store import Ledger
    from safegen.workspace.config import find_workspace

    space = find_workspace(studio.workspace)
    origin, key = decode_vkey(Identity.load(space.keys).log_vkey)
    with Ledger.open(space.ledger_url, read_only=True) as ledger:
        kinds = [e.kind for e in ledger.entries()]
        assert 3 <= kinds.count("release") <= kinds.count("decision")
        assert ledger.check(keys=[key], origin=origin).ok
        assert not ledger.check().ok, "nothing is complete that nobody's key vouches for"
