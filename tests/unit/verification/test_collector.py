"""What cannot be checked is noted once, in a fixed order, and nothing takes a note away."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import UnreadableInput
from safegen.types import CredentialsEvidence, CredentialState, LedgerEvidence, NotChecked, WatermarkReading
from safegen.verification import gather, ledger_proofs, timestamps, watermarks
from safegen.verification.collector import EvidenceCollector
from safegen.verification.gather import gather_evidence
from safegen.verification.options import VerifyOptions
from safegen.verification.soft_binding_api import ResolutionService
from safegen.verification.trust import Trust

ABSENT = CredentialsEvidence(CredentialState.ABSENT)
ELSEWHERE = CredentialsEvidence(CredentialState.REMOTE_NOT_FETCHED, reason="see https://maker.example/a.c2pa")
PINNED = Trust(log_keys={"log.example": [Ed25519PrivateKey.generate().public_key()]})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"any bytes")
    return path


def credentials(monkeypatch: pytest.MonkeyPatch, found: CredentialsEvidence) -> None:
    monkeypatch.setattr(EvidenceCollector, "read_credentials", lambda *_: found)


def layers(collector: EvidenceCollector) -> list[str]:
    return [note.layer for note in collector.not_checked]


def test_notes_stay_as_they_come(file: Path) -> None:
    collector = EvidenceCollector(file)
    collector.note("proof", "a")
    collector.note("proof", "a")
    collector.note_all("time stamp", ["b", "c", "b"])
    assert collector.not_checked == (
        NotChecked("proof", "a"),
        NotChecked("proof", "a"),
        NotChecked("time stamp", "b"),
        NotChecked("time stamp", "c"),
    )


def test_a_muted_collector_keeps_its_notes_to_itself(file: Path) -> None:
    collector = EvidenceCollector(file, VerifyOptions(watermark=False))
    muted = collector.muted()
    muted.note("proof", "a")
    assert collector.not_checked == ()
    assert (muted.path, muted.options) == (collector.path, collector.options)


def test_by_default_nobody_is_trusted_and_there_is_no_ledger() -> None:
    options = VerifyOptions()
    assert options.trust == Trust() and not options.trust.anchors and not options.trust.log_keys
    with options.open_ledger() as ledger:
        assert ledger is None


def test_the_order_of_the_notes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their order is that of the report."""
    credentials(monkeypatch, ELSEWHERE)
    monkeypatch.setattr("safegen.credentials.embedded.is_init_segment", lambda _path: True)
    file.with_name("a.mp4.c2pa").write_bytes(b"no manifest store")
    file.with_name("a.mp4.tlog-proof").write_text("no proof")
    options = VerifyOptions(fragments=(file,), resolve="https://service.example/v1")
    collector = EvidenceCollector(file, options)
    gather_evidence(collector)
    assert layers(collector) == [
        "fragments",
        "credentials beside the file",
        "remote credentials",
        "watermark",
        "resolution service",
        "proof sidecar",
        "ledger",
    ]
    assert collector.options is options and options.watermark, "the caller's options are left alone"
    (mark,) = (n.reason for n in collector.not_checked if n.layer == "watermark")
    assert mark == "the pictures are in the fragments"


def test_the_fast_path_notes_the_watermark_before_the_time_stamp(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = LedgerEvidence(True, True, "ledger", "log.example", 0, {})

    def no_stamp(collector: EvidenceCollector, *_: object) -> LedgerEvidence:
        collector.note_all(timestamps.LAYER, ["it is damaged"])
        return entry

    credentials(monkeypatch, ABSENT)
    monkeypatch.setattr(ledger_proofs, "check_own_ledger_fast", lambda *_: entry)
    monkeypatch.setattr(timestamps, "check_time_stamps", no_stamp)
    collector = EvidenceCollector(file, VerifyOptions(watermark=False))
    assert gather_evidence(collector).evidence.ledger is entry
    assert layers(collector) == ["watermark", "time stamp"]
    assert collector.not_checked[0].reason == "you asked to skip it"


def test_a_fast_path_that_gives_up_says_nothing_twice(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials(monkeypatch, ABSENT)
    file.with_name("a.mp4.tlog-proof").write_text("no proof")
    options = VerifyOptions(PINNED, database=file.with_name("ledger.db"), watermark=False)
    collector = EvidenceCollector(file, options)
    gather_evidence(collector)
    assert layers(collector).count("proof sidecar") == 1


def test_an_expired_certificate_or_a_mark_to_look_for_rules_the_fast_path_out(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(ledger_proofs, "check_own_ledger_fast", lambda c, *_: asked.append(c.path))
    monkeypatch.setattr(watermarks, "detect_watermarks", lambda *_: watermarks.WatermarkSearch())
    credentials(monkeypatch, ABSENT)
    gather_evidence(EvidenceCollector(file))
    credentials(monkeypatch, CredentialsEvidence(CredentialState.ABSENT, expired=True))
    gather_evidence(EvidenceCollector(file, VerifyOptions(watermark=False)))
    assert asked == []


def test_a_proof_that_was_named_and_cannot_be_read_is_no_note(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials(monkeypatch, ABSENT)
    options = VerifyOptions(proof=file.with_name("absent"), watermark=False)
    with pytest.raises(UnreadableInput, match="cannot be read"):
        gather_evidence(EvidenceCollector(file, options))


def test_a_service_notes_through_any_function() -> None:
    notes: list[tuple[str, str]] = []

    def fail(*_: object) -> bytes:
        raise UnreadableInput("no route")

    reading = WatermarkReading("org.safegen.watermark.tile.1", True, 7, -90.0, True)
    service = ResolutionService(
        "https://service.example/v1",
        fail,
        fail,
        lambda _: ABSENT,
        lambda layer, reason: notes.append((layer, reason)),
    )
    assert service.host == "service.example"
    assert service.resolve_by_binding([reading]) == []
    assert service.resolve_by_content({7}) == []
    assert [layer for layer, _ in notes] == ["resolution service"] * 4
    assert notes[0][1] == notes[2][1] == "no route"


def test_gathering_looks_watermarks_up_through_their_module() -> None:
    """Tests replace the search in its module: gathering must not hold a name of its own for it."""
    assert not hasattr(gather, "detect_watermarks")
