"""The mark's key is public: anybody can put a release's mark into another video. It leads nowhere good."""

from __future__ import annotations

from pathlib import Path

import pytest

import safegen
from safegen import Verdict
from safegen.credentials.manifest import build_manifest
from safegen.credentials.sign import sign_file
from tests.e2e.attacks import paste_mark
from tests.e2e.makers import Maker, inputs, paint

PAYLOAD = 0xC0FFEE
GOOD = {Verdict.VERIFIED, Verdict.VERIFIED_REPACKED, Verdict.EXPIRED_BUT_LOGGED, Verdict.RECOVERED}


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("planted") / "workspace")


@pytest.fixture(scope="module")
def planted(maker: Maker) -> Path:
    """Somebody's own pictures with the id of a release hidden in them."""
    folder = maker.root.parent
    maker.release(folder / "genuine.mp4", content_id=PAYLOAD)
    return paste_mark(
        PAYLOAD, paint(folder / "victim.mp4", seed=5, frames=16, size=256), folder / "planted.mp4"
    )


def test_the_mark_is_really_there(planted: Path) -> None:
    assert [mark.reading.payload for mark in safegen.detect(planted).marks] == [PAYLOAD]


@pytest.mark.parametrize("who", ["the maker", "a stranger", "who pinned the maker"])
def test_a_planted_mark_proves_nothing(maker: Maker, planted: Path, tmp_path: Path, who: str) -> None:
    asking = maker if who == "the maker" else Maker.open(tmp_path / "anna", name="Anna")
    trust = [maker.trust_file(tmp_path / "trust.json")] if who == "who pinned the maker" else []
    report = asking.verify(planted, watermark=True, trust=trust)
    assert report.verdict in {Verdict.MARKED_UNRESOLVED, Verdict.CONFLICT}
    assert report.watermarks and report.trusted_by is None
    assert report.verdict is Verdict.MARKED_UNRESOLVED or who == "the maker"


def test_nor_does_it_with_the_proof_of_the_release_beside_it(
    maker: Maker, planted: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(planted.read_bytes())
    proof = maker.root.parent / "genuine.mp4.tlog-proof"
    (tmp_path / "copy.mp4.tlog-proof").write_bytes(proof.read_bytes())
    assert maker.verify(copy, watermark=True).verdict not in GOOD


def test_a_stranger_signs_a_video_that_carries_the_mark(maker: Maker, planted: Path, tmp_path: Path) -> None:
    """Signed by somebody, marked as the maker's: the maker is not made its author."""
    thief = Maker.open(tmp_path / "thief", name="Studio Nord")
    signed = tmp_path / "signed.mp4"
    sign_file(planted, signed, build_manifest(inputs(PAYLOAD)), signer=thief.identity.signer())
    report = maker.verify(signed, watermark=True)
    assert report.verdict not in GOOD and report.trusted_by is None
