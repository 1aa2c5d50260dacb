"""Attacks on files: thousands of flips, boxes, cuts, swapped parts, strangers' manifests, wrong times."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import safegen
from safegen import Verdict
from safegen.credentials.sign import sign_file
from safegen.verification import gather
from tests.e2e.makers import Maker, hand_over, paint
from tests.e2e.test_verify_tables import after_ftyp, boxes, credentials_box, without_credentials

LIMIT = 300.0
"""Seconds after which a file counts as one that hangs: hundreds of times what any takes."""


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("attacks") / "workspace")


@pytest.fixture(scope="module")
def release(maker: Maker) -> Path:
    return maker.release(maker.root.parent / "clip.mp4")


@pytest.fixture
def handed(release: Path, tmp_path: Path) -> Path:
    return hand_over(release, tmp_path / "inbox")


def judge(maker: Maker, path: Path, **more: object) -> Verdict | None:
    """The verdict; None for a deliberate error. Anything else, or a hang, fails the test."""
    started = time.monotonic()
    try:
        return maker.verify(path, **more).verdict
    except safegen.SafegenError as error:
        assert error.exit_code in {2, 4}
        return None
    finally:
        assert time.monotonic() - started < LIMIT, "hangs"


def flips(maker: Maker, handed: Path, count: int, seed: int) -> Counter[Verdict | None]:
    data, rng = handed.read_bytes(), random.Random(seed)
    seen: Counter[Verdict | None] = Counter()
    for _ in range(count):
        at = rng.randrange(len(data))
        handed.write_bytes(data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1 :])
        seen[judge(maker, handed)] += 1
    return seen


def test_flipped_bytes(maker: Maker, handed: Path) -> None:
    seen = flips(maker, handed, 150, seed=1)
    assert not seen[Verdict.VERIFIED]
    assert seen[Verdict.TAMPERED] > 30


@pytest.mark.slow
def test_five_thousand_flipped_bytes(maker: Maker, handed: Path) -> None:
    seen = flips(maker, handed, 5000, seed=2)
    assert sum(seen.values()) == 5000
    assert not seen[Verdict.VERIFIED]
    assert set(seen) <= {
        None,
        Verdict.TAMPERED,
        Verdict.CONFLICT,
        Verdict.NO_PROVENANCE,
        Verdict.CREDENTIALS_UNREADABLE,
        Verdict.VERIFIED_REPACKED,
        Verdict.SIGNED_UNLOGGED,
        Verdict.SIGNED_UNTRUSTED,
    }, seen


def swapped_moov(a: bytes, b: bytes) -> bytes:
    """*a* with the ``moov`` of *b*."""
    other = next(b[s:e] for kind, s, e in boxes(b) if kind == b"moov")
    return b"".join(other if kind == b"moov" else a[s:e] for kind, s, e in boxes(a))


def spliced(a: bytes, b: bytes) -> bytes:
    """*a* with the media data of *b*."""
    other = next(b[s:e] for kind, s, e in boxes(b) if kind == b"mdat")
    return b"".join(other if kind == b"mdat" else a[s:e] for kind, s, e in boxes(a))


def joined(a: bytes, b: bytes) -> bytes:
    return a + b


def foreign_credentials(a: bytes, b: bytes) -> bytes:
    return after_ftyp(without_credentials(a), credentials_box(b))


def both_credentials(a: bytes, b: bytes) -> bytes:
    return after_ftyp(a, credentials_box(b))


SWAPS: list[Callable[[bytes, bytes], bytes]] = [
    swapped_moov,
    spliced,
    joined,
    foreign_credentials,
    both_credentials,
]


@pytest.mark.parametrize("swap", SWAPS, ids=lambda f: f.__name__)
def test_parts_of_two_releases(
    swap: Callable[[bytes, bytes], bytes], maker: Maker, handed: Path, tmp_path: Path
) -> None:
    """Of two genuine releases of the same maker, both in the ledger."""
    other = maker.release(tmp_path / "other.mp4", content_id=99, seed=4)
    mixed = swap(handed.read_bytes(), other.read_bytes())
    handed.write_bytes(mixed)
    allowed = {Verdict.TAMPERED, Verdict.CONFLICT, Verdict.CREDENTIALS_UNREADABLE, Verdict.NO_PROVENANCE}
    assert judge(maker, handed) in {None, *allowed}


def test_stripped_and_attached_again(maker: Maker, handed: Path) -> None:
    """The same box at the same place is the same file; anywhere else it is not."""
    data = handed.read_bytes()
    bare, box = without_credentials(data), credentials_box(data)
    handed.write_bytes(after_ftyp(bare, box))
    assert judge(maker, handed) is Verdict.VERIFIED
    handed.write_bytes(bare + box)
    assert judge(maker, handed) is not Verdict.VERIFIED


def test_another_signers_manifest(maker: Maker, handed: Path, release: Path, tmp_path: Path) -> None:
    """The pictures of a release, signed by a stranger who copies every statement, with the true proof."""
    from safegen.credentials.manifest import build_manifest
    from tests.e2e.makers import inputs

    stranger = Maker.open(tmp_path / "stranger")
    bare = tmp_path / "bare.mp4"
    bare.write_bytes(without_credentials(release.read_bytes()))
    handed.unlink()
    sign_file(paint(bare), handed, build_manifest(inputs(0xABCDEF)), signer=stranger.identity.signer())
    report = maker.verify(handed)
    assert report.verdict is Verdict.SIGNED_UNTRUSTED
    assert report.ledger is None


def test_another_releases_proof(maker: Maker, handed: Path, tmp_path: Path) -> None:
    """A true proof of another release beside a stranger's eyes: signed, but not logged."""
    other = maker.release(tmp_path / "other2.mp4", content_id=98, seed=5)
    shutil.copy(f"{other}.tlog-proof", f"{handed}.tlog-proof")
    stranger = Maker.open(tmp_path / "third")
    trust = maker.trust_file(tmp_path / "trust.json")
    report = stranger.verify(handed, trust=[trust])
    assert report.verdict is Verdict.SIGNED_UNLOGGED
    assert any("a different file" in n.reason for n in report.not_checked)


def test_wrong_time(maker: Maker, handed: Path) -> None:
    """Judged long before or after its certificate, nothing without a time stamp is verified."""
    now = datetime.now(UTC)
    for moment in (now - timedelta(days=3650), now + timedelta(days=3650)):
        assert maker.verify(handed, at=moment).verdict is Verdict.SIGNED_UNTRUSTED
    assert maker.verify(handed, at=now).verdict is Verdict.VERIFIED


def test_light_path_agrees_with_the_ledger(
    maker: Maker, handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The glance into the database says what the ledger says, and falls back where it is unsure."""
    light = maker.verify(handed)
    monkeypatch.setattr(gather.ledger_proofs.fast_lookup, "lookup_release", lambda *_: None)
    full = maker.verify(handed)
    assert (light.verdict, light.ledger) == (full.verdict, full.ledger)


# --- fuzzing --------------------------------------------------------------------------------------

SEEDS = ["py_CA_ct.jpg", "py_sample1_signed.wav", "py_XCA.jpg", "rs_video1.mp4"]
EDIT = st.tuples(
    st.sampled_from(["flip", "cut", "insert", "drop", "copy", "zero"]),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 4096),
    st.binary(min_size=1, max_size=24),
)


def edited(data: bytes, edits: list[tuple[str, float, int, bytes]]) -> bytes:
    for kind, where, size, junk in edits:
        at = int(where * len(data))
        data = {
            "flip": data[:at] + bytes([(data[at] if at < len(data) else 0) ^ junk[0]]) + data[at + 1 :],
            "cut": data[: max(at, 1)],
            "insert": data[:at] + junk + data[at:],
            "drop": data[:at] + data[at + size :],
            "copy": data[:at] + data[at : at + size] * 2 + data[at + size :],
            "zero": data[:at] + b"\0" * min(size, len(data) - at) + data[at + size :],
        }[kind]
    return data


def in_time(work: Callable[[], Verdict]) -> Verdict | None:
    """What *work* answers within LIMIT; None for a deliberate error. What hangs is left behind, and fails."""
    answers: list[Verdict | None] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except safegen.SafegenError as error:
            assert error.hint or str(error)
            answers.append(None)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive(), f"a file takes more than {LIMIT:.0f} s"
    if errors:
        raise errors[0]
    return answers[0]


def test_what_hangs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.e2e.test_verify_attacks.LIMIT", 0.05)
    stop = threading.Event()
    with pytest.raises(AssertionError, match="takes more than"):
        in_time(lambda: stop.wait(300) and Verdict.VERIFIED)
    stop.set()


def fuzz(maker: Maker, release: Path, shared: Path, folder: Path, examples: int) -> int:
    """How many damaged sets of files were judged; none of them as VERIFIED, none for longer than LIMIT."""
    judged = 0
    corpus = [release.read_bytes(), Path(f"{release}.tlog-proof").read_bytes()]
    corpus.append(maker.trust_file(folder / "trust.json").read_bytes())
    media = [corpus[0], *((shared / "data/c2pa" / name).read_bytes() for name in SEEDS)]
    target = hand_over(release, folder / "inbox")
    proof, trust = Path(f"{target}.tlog-proof"), folder / "fuzzed.json"

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(
        st.sampled_from(["medium", "proof", "trust"]),
        st.integers(0, 4),
        st.lists(EDIT, min_size=1, max_size=4),
    )
    def run(part: str, seed: int, edits: list[tuple[str, float, int, bytes]]) -> None:
        nonlocal judged
        target.write_bytes(edited(media[seed], edits) if part == "medium" else corpus[0])
        proof.write_bytes(edited(corpus[1], edits) if part == "proof" else corpus[1])
        trust.write_bytes(edited(corpus[2], edits) if part == "trust" else corpus[2])
        changed = target.read_bytes() != corpus[0]
        stranger = folder / "stranger"
        for root in (maker.root, stranger):
            verdict = in_time(
                lambda at=root: safegen.verify(target, workspace=at, trust=[trust], watermark=False).verdict
            )
            assert not (changed and verdict is Verdict.VERIFIED)
        judged += 1

    run()
    return judged


def test_fuzzed_files_proofs_and_trust(maker: Maker, release: Path, shared: Path, tmp_path: Path) -> None:
    assert fuzz(maker, release, shared, tmp_path, 60) >= 60


@pytest.mark.slow
def test_fuzzed_for_longer(maker: Maker, release: Path, shared: Path, tmp_path: Path) -> None:
    assert fuzz(maker, release, shared, tmp_path, 4000) >= 4000
