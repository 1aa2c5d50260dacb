"""Consent: who may be named and shown, on whose word, and what forging, expiry and revocation do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from safegen import plugins, policies, screening
from safegen.consent import image_check, registry, service
from safegen.consent.prompt_check import apply_consent, find_named_subjects
from safegen.consent.records import Consent, Grant
from safegen.consent.registrar import load_public_key, open_registrar
from safegen.errors import CheckUnavailable, KeyUnavailable, LedgerError, UsageError
from safegen.ledger.note import LogSigner
from safegen.ledger.store import Ledger
from safegen.types import Allowed, CheckRun, Clip, Held, Refused, Request
from safegen.workspace.config import find_workspace
from tests.support.stand_ins import stand_in

POLICY = policies.load("default")
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def picture(path: Path, seed: int, size: int = 256) -> Path:
    """A structured picture; the same seed gives the same scene at any size."""
    coarse = np.random.default_rng(seed).integers(0, 255, (12, 12, 3), np.uint8)
    full = cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), cv2.resize(full, (size, size)))
    return path


@pytest.fixture
def ledger(in_memory: Path) -> Iterator[Ledger]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    signer = LogSigner("test.example/consent", Ed25519PrivateKey.generate())
    with Ledger.open(in_memory / "ledger.db", signer=signer, clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "form.pdf").write_bytes(b"signed")
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    return tmp_path


def agree(ledger: Ledger, folder: Path, subject: str = "Taylor Swift", **how: Any) -> int:
    what = Grant(subject, folder / "form.pdf", **how)
    return registry.grant(ledger, what, open_registrar(folder / "keys"), image_check.compute_descriptors)


def standing(ledger: Ledger, folder: Path, now: datetime = NOW) -> list[Consent]:
    return registry.list_consents(ledger, load_public_key(folder / "keys"), now=now)


def decided(ledger: Ledger, folder: Path, prompt: str, now: datetime = NOW) -> Allowed | Held | Refused:
    return apply_consent(
        screening.screen(Request(prompt), policy=POLICY), POLICY, standing(ledger, folder, now)
    )


def test_live_consent_lifts_the_hold_for_the_name_alone(ledger: Ledger, folder: Path) -> None:
    prompt = "Taylor Swift singing on stage"
    assert isinstance(decided(ledger, folder, prompt), Held)
    agree(ledger, folder)
    decision = decided(ledger, folder, prompt)
    assert isinstance(decision, Allowed)
    assert "consent" in {c.name for c in decision.checks}


@pytest.mark.parametrize(
    "prompt",
    ["Taylor Swift naked on a bed", "Taylor Swift in handcuffs", "Taylor Swift and Joe Biden dancing"],
)
def test_it_lifts_nothing_else(ledger: Ledger, folder: Path, prompt: str) -> None:
    agree(ledger, folder)
    assert not isinstance(decided(ledger, folder, prompt), Allowed)


def test_the_public_entry_names_nobody(ledger: Ledger, folder: Path) -> None:
    index = agree(ledger, folder, aliases=("Tay",), references=(picture(folder / "a.png", 1),))
    entry = ledger.entry(index)
    assert b"Swift" not in entry.leaf
    assert b"Tay" not in entry.leaf
    assert b"a.png" not in entry.leaf
    assert entry.public["evidence_sha256"] == registry.file_sha256(folder / "form.pdf")


@pytest.mark.parametrize("prompt", ["Ada Example rolling a ball", "a ball and ada-example", "A D A Example"])
def test_a_subject_whose_consent_ended_is_refused(ledger: Ledger, folder: Path, prompt: str) -> None:
    agree(ledger, folder, "Ada Example", expires=NOW + timedelta(days=30), aliases=("A D A Example",))
    assert not isinstance(decided(ledger, folder, prompt), Refused)
    late = decided(ledger, folder, prompt, NOW + timedelta(days=31))
    assert isinstance(late, Refused)
    assert "expired" in late.findings[0].reason


def test_revoked(ledger: Ledger, folder: Path) -> None:
    index = agree(ledger, folder, "Ada Example")
    registry.revoke(ledger, index, "asked by mail")
    decision = decided(ledger, folder, "Ada Example rolling a ball")
    assert isinstance(decision, Refused)
    assert "revoked" in decision.findings[0].reason
    assert [c.state for c in standing(ledger, folder)] == ["revoked"]
    with pytest.raises(UsageError, match="already"):
        registry.revoke(ledger, index)
    agree(ledger, folder, "Ada Example")
    assert isinstance(decided(ledger, folder, "Ada Example rolling a ball"), Allowed)


def test_consent_for_something_else_does_not_cover_the_likeness(ledger: Ledger, folder: Path) -> None:
    agree(ledger, folder, "Ada Example", scope=("voice",))
    decision = decided(ledger, folder, "Ada Example rolling a ball")
    assert isinstance(decision, Refused)
    assert "voice only" in decision.findings[0].reason


def test_names_inside_other_words_are_none(ledger: Ledger, folder: Path) -> None:
    agree(ledger, folder, "Ann Lee")
    assert not find_named_subjects("an annleease of channels", standing(ledger, folder))
    assert find_named_subjects("Ann  LEE's house", standing(ledger, folder))


def test_a_forged_grant_grants_nothing(ledger: Ledger, folder: Path) -> None:
    """Whoever can write to the ledger but does not have the registrar's key."""
    agree(ledger, folder, "Somebody Else")
    entry = ledger.entry(0)
    private = ledger.private(0)
    assert private is not None
    stolen = {**private, "subject": "Ada Example"}
    ledger.append("consent", entry.public, stolen)
    ledger.append("consent", {**entry.public, "signature": "00" * 64}, private)
    states = {c.index: c.state for c in standing(ledger, folder)}
    assert states == {0: "live", 1: "forged", 2: "forged"}
    assert isinstance(decided(ledger, folder, "Ada Example rolling a ball"), Refused)


def test_an_entry_that_is_not_in_the_tree_stops_everything(ledger: Ledger, folder: Path) -> None:
    agree(ledger, folder)
    with ledger.database.writing() as connection:
        _rewrite(connection)
    with pytest.raises(LedgerError):
        standing(ledger, folder)


def _rewrite(connection: Any) -> None:
    from sqlalchemy import select, update

    from safegen.ledger.models import EntryRow, table

    rows = table(EntryRow)
    leaf = bytes(connection.execute(select(rows.c.leaf)).scalar_one())
    changed = leaf.replace(b'"likeness"', b'"likenesz"')
    assert changed != leaf
    connection.execute(update(rows).values(leaf=changed))


def test_generating_needs_no_registrar_key_and_granting_does(ledger: Ledger, folder: Path) -> None:
    agree(ledger, folder)
    (folder / "keys" / "consent.key").unlink()
    assert [c.state for c in standing(ledger, folder)] == ["live"]
    with pytest.raises(KeyUnavailable, match="registrar"):
        agree(ledger, folder, "Ada Example")


def test_a_locked_registrar_key(ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEGEN_CONSENT_PASSPHRASE", "one")
    agree(ledger, folder)
    monkeypatch.setenv("SAFEGEN_CONSENT_PASSPHRASE", "two")
    with pytest.raises(KeyUnavailable, match="opened"):
        agree(ledger, folder)


def test_redacting_takes_a_consent_away(ledger: Ledger, folder: Path) -> None:
    agree(ledger, folder)
    ledger.redact(0)
    (found,) = standing(ledger, folder)
    assert (found.state, found.subject, found.references) == ("redacted", "", ())


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"subject": " "}, "not a usable name"),
        ({"subject": "x"}, "not a usable name"),
        ({"subject": "a\nb c"}, "not a usable name"),
        ({"scope": ()}, "needs a scope"),
        ({"scope": ("everything",)}, "needs a scope"),
        ({"expires": NOW - timedelta(days=1)}, "already have expired"),
        ({"minor": True, "expires": NOW + timedelta(days=5)}, "guardian"),
        ({"minor": True, "guardian": "Eve"}, "within a year"),
        ({"minor": True, "guardian": "Eve", "expires": NOW + timedelta(days=400)}, "within a year"),
    ],
)
def test_grants_that_make_no_sense(ledger: Ledger, folder: Path, how: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        agree(ledger, folder, **how)
    assert len(ledger) == 0


def test_minors_are_strict(ledger: Ledger, folder: Path) -> None:
    agree(ledger, folder, "Taylor Swift", minor=True, guardian="Eve", expires=NOW + timedelta(days=90))
    assert isinstance(decided(ledger, folder, "Taylor Swift singing on stage"), Refused)
    agree(ledger, folder, "Ada Example", minor=True, guardian="Eve", expires=NOW + timedelta(days=90))
    assert isinstance(decided(ledger, folder, "Ada Example rolling a ball"), Allowed)


# --- reference images -------------------------------------------------------------------------


def shown(ledger: Ledger, folder: Path, file: Path, **how: Any) -> list[tuple[str, str]]:
    pixels = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
    more: dict[str, Any] = {"generated": False, "people": "attest", **how}
    agreed = standing(ledger, folder, more.pop("now", NOW))
    found, ran = image_check.check_likeness(
        Clip.from_array(pixels[None], 1),
        file.name,
        registry.file_sha256(file),
        ledger=ledger,
        consents=agreed,
        **more,
    )
    assert ran.name == "likeness"
    return [(action, finding.reason) for finding, action in found]


class Faces:
    """A face detector that says what it is told (the model's weights are not on every machine)."""

    def __init__(self, score: float | None) -> None:
        self.score = score

    def run(self, clip: Any) -> Any:
        if self.score is None:
            raise RuntimeError("boom")
        return [], CheckRun("faces", "1", score=self.score)


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> Any:
    def be(score: float | None) -> None:
        stand_in(monkeypatch, plugins.load_frame_detector, "faces", Faces(score))

    return be


def test_without_a_face_detector_somebody_has_to_state_it(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    file = picture(folder / "a.png", 1)
    with pytest.raises(CheckUnavailable, match="no face detector") as stopped:
        shown(ledger, folder, file)
    assert "attest" in stopped.value.hint
    assert shown(ledger, folder, file, generated=True) == []
    assert shown(ledger, folder, file, people="ignore") == []
    registry.attest(ledger, file, no_person=True, by="me")
    assert shown(ledger, folder, file) == []


def test_a_face_needs_an_attestation_and_that_a_live_consent(
    ledger: Ledger, folder: Path, faces: Any
) -> None:
    file = picture(folder / "a.png", 1)
    faces(0.1)
    assert shown(ledger, folder, file) == []
    faces(0.95)
    assert [a for a, _ in shown(ledger, folder, file)] == ["block"]
    index = agree(ledger, folder, expires=NOW + timedelta(days=30))
    registry.attest(ledger, file, consent=(index,), by="me")
    assert shown(ledger, folder, file) == []
    (late,) = shown(ledger, folder, file, now=NOW + timedelta(days=31))
    assert late[0] == "block"
    assert "expired" in late[1]
    faces(None)
    with pytest.raises(CheckUnavailable):
        shown(ledger, folder, file)


def test_no_person_although_there_is_a_face_is_for_a_person(ledger: Ledger, folder: Path, faces: Any) -> None:
    file = picture(folder / "a.png", 1)
    registry.attest(ledger, file, no_person=True, by="me")
    faces(0.95)
    assert [a for a, _ in shown(ledger, folder, file)] == ["review"]


def test_a_copy_of_a_reference_is_recognised(ledger: Ledger, folder: Path, faces: Any) -> None:
    faces(0.0)
    index = agree(ledger, folder, references=(picture(folder / "ref.png", 1),))
    copy, other = picture(folder / "copy.png", 1, 180), picture(folder / "other.png", 2)
    assert shown(ledger, folder, copy) == []
    registry.revoke(ledger, index)
    ((action, reason),) = shown(ledger, folder, copy, people="ignore")
    assert action == "block"
    assert "Taylor Swift" in reason
    assert shown(ledger, folder, other) == []


def test_attestations_that_say_nothing(ledger: Ledger, folder: Path) -> None:
    file = picture(folder / "a.png", 1)
    for how in ({}, {"consent": (0,), "no_person": True}, {"consent": (7,)}):
        with pytest.raises(UsageError):
            registry.attest(ledger, file, by="me", **how)  # type: ignore[arg-type]


# --- the command line -------------------------------------------------------------------------


def test_the_commands(folder: Path) -> None:
    from safegen.cli.consent import command

    run = CliRunner()
    space = ["--workspace", str(folder / "ws"), "--json"]
    form = ["--evidence", str(folder / "form.pdf")]
    granted = run.invoke(command, ["grant", "Ada Example", *form, "--expires", "2100-01-01", *space])
    assert granted.exit_code == 0, granted.output
    assert '"consent": 0' in granted.output
    assert '"state": "live"' in run.invoke(command, ["list", *space]).output
    assert run.invoke(command, ["check", "Ada Example rolling a ball", *space]).exit_code == 0
    assert run.invoke(command, ["revoke", "0", "--reason", "asked", *space]).exit_code == 0
    assert run.invoke(command, ["check", "Ada Example rolling a ball", *space]).exit_code == 3
    assert run.invoke(command, ["list", *space]).output.strip() == "[]"
    file = picture(folder / "a.png", 1)
    attested = run.invoke(command, ["attest", str(file), "--no-person", *space])
    assert attested.exit_code == 0, attested.output
    assert run.invoke(command, ["check", str(file), *space]).exit_code == 0
    assert service.list_consents(find_workspace(folder / "ws"), _reader(folder / "ws"))[0].state == "revoked"


def _reader(root: Path) -> Ledger:
    return Ledger.open(find_workspace(root).ledger_url, read_only=True)


def test_a_consent_is_frozen(ledger: Ledger, folder: Path) -> None:
    agree(ledger, folder)
    (found,) = standing(ledger, folder)
    assert replace(found, state="expired").live is False
