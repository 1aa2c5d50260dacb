"""Our output and the field's files before a second C2PA verifier that shares no code with c2pa-rs."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from safegen.compliance import rules as compliance
from safegen.credentials.read import read_credentials
from safegen.credentials.sign import Ingredient
from safegen.types import CredentialState
from tests.e2e.makers import Maker
from tests.e2e.responder import Responder
from tests.unit.credentials.conftest import Tsa, tsa  # noqa: F401 - the local time stamp authority

os.environ["ENCYPHER_C2PA_TELEMETRY"] = "off"
os.environ["ENCYPHER_C2PA_ONLINE"] = "off"
other = pytest.importorskip("encypher_c2pa", reason="the second verifier is a development dependency")

UNTRUSTED = {"signingCredential.untrusted", "timeStamp.untrusted"}
KNOWN_GAPS = {
    "com.encypher.conformance.trustedTimeStampMissing",
    "com.encypher.conformance.revocationInformationMissing",
}


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("independent") / "workspace")


@pytest.fixture(scope="module")
def release(maker: Maker) -> Path:
    return maker.release(maker.root.parent / "clip.mp4")


def second(data: bytes, roots: str, mime: str = "video/mp4", **more: Any) -> Any:
    """The other verifier's report, offline, without its own trust list."""
    options: dict[str, Any] = {"no_default_trust": True, "telemetry": False, "online": False}
    return other.verify(data, mime, trust_pem=roots or None, **(options | more))


def failures(report: Any) -> set[str]:
    return {entry["code"] for entry in report["validation_results"]["failure"]}


def roots(maker: Maker) -> str:
    return maker.identity.root_pem.decode()


def test_it_trusts_what_we_release(maker: Maker, release: Path) -> None:
    report = second(release.read_bytes(), roots(maker))
    assert report["validation_state"] == "Trusted"
    assert report["integrity"] == report["signature"] == "valid"
    assert report["hard_binding"] == "match"
    assert not failures(report)
    assert report["manifest_report"]["version_verdict"]["declared_spec_version"].startswith("2.4")


def test_it_does_not_trust_us_without_our_root(release: Path) -> None:
    report = second(release.read_bytes(), "")
    assert report["integrity"] == "valid"
    assert failures(report) <= UNTRUSTED


def test_strictly_exactly_the_two_known_gaps(maker: Maker, release: Path) -> None:
    """Offline there is no trusted time stamp and no revocation information, and nothing else is missing."""
    report = second(release.read_bytes(), roots(maker), strict_conformance=True)
    assert failures(report) == KNOWN_GAPS


def test_strictly_with_a_time_stamp_only_revocation_is_missing(
    maker: Maker,
    tsa: Tsa,  # noqa: F811
) -> None:
    path = maker.release(maker.root.parent / "stamped.mp4", content_id=2, tsa_url=tsa.url)
    report = second(path.read_bytes(), roots(maker), strict_conformance=True, tsa_trust_pem=tsa.root.decode())
    assert failures(report) == {"com.encypher.conformance.revocationInformationMissing"}


def test_strictly_with_a_time_stamp_and_a_responder_nothing_is_missing(
    maker: Maker,
    tsa: Tsa,  # noqa: F811
) -> None:
    responder = Responder(maker.identity)
    path = maker.root.parent / "complete.mp4"
    maker.release(path, content_id=4, tsa_url=tsa.url, ocsp_url=responder.url)
    report = second(path.read_bytes(), roots(maker), strict_conformance=True, tsa_trust_pem=tsa.root.decode())
    assert failures(report) == set()
    assert report["validation_state"] == "Trusted"
    assert "signingCredential.ocsp.notRevoked" in {e["code"] for e in report["validation_results"]["success"]}
    assert maker.verify(path).verdict.name == "VERIFIED"


def test_a_visible_label_is_stated_in_a_way_both_accept(maker: Maker) -> None:
    path = maker.root.parent / "labelled.mp4"
    maker.release(path, content_id=5, label="AI-generated")
    report = second(path.read_bytes(), roots(maker))
    assert report["validation_state"] == "Trusted"
    assert not failures(report)
    answer = next(
        f.answer
        for f in compliance.check_compliance(
            maker.verify(path), compliance.rule_named("eu-ai-act-50")
        ).findings
        if f.requirement.id == "visible-label"
    )
    assert "AI-generated" in answer.evidence


def test_edits_and_references(maker: Maker, release: Path) -> None:
    for relationship in ("parentOf", "inputTo", "componentOf"):
        source = Ingredient(release, "source", relationship, "source")
        target = maker.root.parent / f"{relationship}.mp4"
        maker.release(target, content_id=3, seed=1, ingredients=[source])
        report = second(target.read_bytes(), roots(maker))
        assert report["validation_state"] == "Trusted", failures(report)
        assert not failures(report)


def mutants(data: bytes, count: int, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        at = rng.randrange(len(data))
        found.append(data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :])
    found += [data[: rng.randrange(1, len(data))] for _ in range(count // 10)]
    return found


def differ(maker: Maker, release: Path, folder: Path, count: int, seed: int) -> dict[str, int]:
    """How often both call a mutant broken, both call it intact, or only one does."""
    seen = {"both broken": 0, "both intact": 0, "only we refuse": 0, "only they refuse": 0}
    target = folder / "mutant.mp4"
    for mutant in mutants(release.read_bytes(), count, seed):
        target.write_bytes(mutant)
        ours = read_credentials(target, anchors_pem=[maker.identity.root_pem])
        try:
            theirs = second(mutant, roots(maker))
            sound = theirs["integrity"] == "valid" and not failures(theirs)
        except ValueError:
            sound = False
        mine = ours.state is CredentialState.VALID and not ours.ingredient_failures
        name = {(0, 0): "both broken", (1, 1): "both intact", (0, 1): "only we refuse"}.get(
            (int(mine), int(sound)), "only they refuse"
        )
        seen[name] += 1
    return seen


def test_mutants_are_judged_alike(maker: Maker, release: Path, tmp_path: Path) -> None:
    seen = differ(maker, release, tmp_path, 300, seed=1)
    assert seen["both broken"] > 100  # the rest hits padding and what C2PA leaves out of the hash
    assert seen["only they refuse"] == 0, seen


@pytest.mark.slow
def test_many_mutants_are_judged_alike(maker: Maker, release: Path, tmp_path: Path) -> None:
    seen = differ(maker, release, tmp_path, 5000, seed=2)
    assert seen["only they refuse"] == 0, seen


MIMES = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".jpg": "image/jpeg",
    ".wav": "audio/wav",
    ".avi": "video/avi",
    ".m4a": "audio/mp4",
    ".pdf": "application/pdf",
}


OLD_BINDING = {"rs_legacy.mp4"}
"""Bound by the first version of the BMFF hash, which specification 2.x validators no longer accept."""


def test_the_fields_own_files(shared: Path) -> None:
    """Both verifiers agree on which of other tools' files are intact, but for one named difference."""
    compared, differ = 0, set()
    for path in sorted((shared / "data/c2pa").iterdir()):
        ours = read_credentials(path) if path.suffix in MIMES else None
        if ours is None or ours.state not in {CredentialState.VALID, CredentialState.INVALID}:
            continue
        mime = "image/jpeg" if path.name.endswith(".xyz.jpg") else MIMES[path.suffix]
        theirs = second(path.read_bytes(), "", mime=mime)
        compared += 1
        if (ours.state is CredentialState.VALID) != (theirs["integrity"] == "valid"):
            differ.add(path.name)
    assert compared >= 10
    assert differ == OLD_BINDING


def test_labels_that_c2pa_does_not_insist_on(maker: Maker, release: Path, tmp_path: Path) -> None:
    """A claim or a signature under another label is none: c2pa-rs shows it, both verifiers refuse it."""
    data = release.read_bytes()
    for label, code in (
        (b"c2pa.claim.v2\0", "claim.missing"),
        (b"c2pa.signature\0", "claimSignature.missing"),
    ):
        assert data.count(label) == 1
        target = tmp_path / "renamed.mp4"
        target.write_bytes(data.replace(label, b"x" + label[1:]))
        ours = read_credentials(target, anchors_pem=[maker.identity.root_pem])
        assert ours.state is CredentialState.UNREADABLE
        assert code in ours.unreadable
        assert second(target.read_bytes(), roots(maker))["integrity"] == "invalid"
