"""Every row of the two tables of docs/verify.md and the design, on real files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import safegen
from safegen import Verdict
from safegen.credentials.sign import Ingredient
from safegen.keys.signers import KeySigner
from tests.e2e import attacks
from tests.e2e.makers import Maker, hand_over, paint
from tests.unit.credentials.conftest import short_lived


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("tables") / "workspace")


@pytest.fixture(scope="module")
def release(maker: Maker) -> Path:
    return maker.release(maker.root.parent / "clip.mp4")


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the top-level boxes."""
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], at, at + size
        at += size


def without_credentials(data: bytes) -> bytes:
    return b"".join(data[s:e] for kind, s, e in boxes(data) if kind != b"uuid")


def credentials_box(data: bytes) -> bytes:
    return next(data[s:e] for kind, s, e in boxes(data) if kind == b"uuid")


def after_ftyp(data: bytes, box: bytes) -> bytes:
    end = next(e for kind, _, e in boxes(data) if kind == b"ftyp")
    return data[:end] + box + data[end:]


def changed(path: Path, release: Path, change: Callable[[bytes], bytes]) -> Path:
    """*path*: the release, changed; the proof lies beside it as before."""
    hand_over(release, path.parent)
    (path.parent / release.name).rename(path)
    (path.parent / f"{release.name}.tlog-proof").rename(path.with_name(path.name + ".tlog-proof"))
    path.write_bytes(change(release.read_bytes()))
    return path


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]


# --- the table of verdicts ------------------------------------------------------------------------


def test_verified(maker: Maker, release: Path) -> None:
    report = maker.verify(release)
    assert report.verdict is Verdict.VERIFIED
    assert report.ledger is not None and report.ledger.bytes_match
    assert report.trusted_by is not None and "this workspace" in report.trusted_by


def test_verified_repacked(maker: Maker, release: Path, tmp_path: Path) -> None:
    """The brand in ``ftyp`` lies outside the hash: the content stands, the bytes are others."""
    path = changed(tmp_path / "clip.mp4", release, lambda d: d.replace(b"iso2", b"iso5", 1))
    report = maker.verify(path)
    assert report.verdict is Verdict.VERIFIED_REPACKED
    assert report.ledger is not None and not report.ledger.bytes_match


def test_signed_untrusted(release: Path, tmp_path: Path) -> None:
    stranger = Maker.open(tmp_path / "stranger")
    assert stranger.verify(hand_over(release, tmp_path / "inbox")).verdict is Verdict.SIGNED_UNTRUSTED


def test_signed_unlogged(maker: Maker, release: Path, tmp_path: Path) -> None:
    """The signer is trusted, and no proof is at hand."""
    stranger = Maker.open(tmp_path / "stranger")
    trust = maker.trust_file(tmp_path / "trust.json")
    path = hand_over(release, tmp_path / "inbox")
    assert stranger.verify(path, trust=[trust]).verdict is Verdict.VERIFIED
    path.with_name(path.name + ".tlog-proof").unlink()
    assert stranger.verify(path, trust=[trust]).verdict is Verdict.SIGNED_UNLOGGED


def test_other_tools_file(shared: Path, tmp_path: Path) -> None:
    import json

    settings = json.loads((shared / "data/c2pa/trust_config_test_settings.json").read_text())
    anchors = tmp_path / "anchors.pem"
    anchors.write_text(settings["trust"]["trust_anchors"])
    report = Maker.open(tmp_path / "w").verify(shared / "data/c2pa/rs_video1.mp4", trust=[anchors])
    assert report.verdict is Verdict.SIGNED_UNLOGGED


def test_withdrawn(maker: Maker, tmp_path: Path) -> None:
    path = maker.release(tmp_path / "withdrawn.mp4", content_id=77)
    assert maker.verify(path).verdict is Verdict.VERIFIED
    with maker.ledger() as ledger:
        index = ledger.find_releases(content_id=77)[0].index
        ledger.withdraw(index, "a mistake")
    report = maker.verify(path)
    assert report.verdict is Verdict.WITHDRAWN
    assert "withdrawn" in report.summary


def test_expired(maker: Maker, tmp_path: Path) -> None:
    """An expired certificate without an independent witness of the time proves nothing."""
    brief = short_lived(tmp_path / "brief", 3600)
    signer: KeySigner = brief.signer()
    path = maker.release(tmp_path / "brief.mp4", content_id=5, signer=signer)
    root = tmp_path / "brief.pem"
    root.write_bytes(brief.root_pem)
    from datetime import UTC, datetime, timedelta

    later = datetime.now(UTC) + timedelta(days=2)
    report = maker.verify(path, trust=[root], at=later)
    assert report.verdict is Verdict.SIGNED_UNTRUSTED
    assert report.credentials.expired
    assert any("expired" in reason for reason in report.reasons)


@pytest.fixture(scope="module")
def marked(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> safegen.Release:
    """A clip with a real mark, protected through the whole pipeline."""
    folder = tmp_path_factory.mktemp("marked")
    source = moving(folder / "source.mp4")
    return safegen.protect(source, folder / "marked.mp4", workspace=maker.root)


def moving(path: Path, seed: int = 0) -> Path:
    """Three seconds of soft shapes that move: enough picture for a mark."""
    rng = np.random.default_rng(seed)
    base = cv2.GaussianBlur(rng.integers(0, 255, (384, 640, 3)).astype(np.float32), (0, 0), 6)
    base = ((base - base.min()) / (base.max() - base.min()) * 200 + 25).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 512, 384, "yuv420p"
        for i in range(24):
            frame = np.ascontiguousarray(base[:, 5 * i : 5 * i + 512])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_marked_release_verifies(maker: Maker, marked: safegen.Release) -> None:
    report = maker.verify(marked.path, watermark=True)
    assert report.verdict is Verdict.VERIFIED
    assert [w.payload for w in report.watermarks if w.present] == [marked.content_id]


def test_recovered_and_unresolved(maker: Maker, marked: safegen.Release, tmp_path: Path) -> None:
    """Stripped: the mark leads home where the ledger knows it, and names an id elsewhere."""
    stripped = attacks.remux(marked.path, tmp_path / "stripped.mp4")
    assert maker.verify(stripped, watermark=True).verdict is Verdict.RECOVERED
    elsewhere = Maker.open(tmp_path / "elsewhere").verify(stripped, watermark=True)
    assert elsewhere.verdict is Verdict.MARKED_UNRESOLVED
    assert f"{marked.content_id:016x}" in elsewhere.summary


def test_pasted_mark_is_a_conflict(maker: Maker, marked: safegen.Release, tmp_path: Path) -> None:
    victim = moving(tmp_path / "victim.mp4", seed=9)
    pasted = attacks.paste_mark(marked.content_id, victim, tmp_path / "pasted.mp4")
    assert maker.verify(pasted, watermark=True).verdict is Verdict.CONFLICT


def test_tampered_file_still_says_what_its_mark_names(
    maker: Maker, marked: safegen.Release, tmp_path: Path
) -> None:
    path = tmp_path / "tampered.mp4"
    data = marked.path.read_bytes()
    end = next(e for kind, _, e in boxes(data) if kind == b"mdat")
    path.write_bytes(flip(data, end - 40))
    report = maker.verify(path, watermark=True)
    assert report.verdict is Verdict.TAMPERED
    assert any(marked.manifest_id in reason for reason in report.reasons)


def test_no_provenance(maker: Maker, tmp_path: Path) -> None:
    report = maker.verify(paint(tmp_path / "plain.mp4"))
    assert report.verdict is Verdict.NO_PROVENANCE
    assert "nothing about whether" in report.summary


# --- the table of what c2pa alone says ------------------------------------------------------------


@pytest.mark.parametrize("kind", [b"mdat", b"moov"])
def test_flip_in_content(kind: bytes, maker: Maker, release: Path, tmp_path: Path) -> None:
    data = release.read_bytes()
    end = next(e for k, _, e in boxes(data) if k == kind)
    report = maker.verify(changed(tmp_path / "c.mp4", release, lambda d: flip(d, end - 12)))
    assert report.verdict is Verdict.TAMPERED
    assert "assertion.bmffHash.mismatch" in report.credentials.failures
    assert any("picture data was changed" in reason for reason in report.reasons)


@pytest.mark.parametrize(
    ("needle", "code"),
    [(b"Studio Nord", "assertion.hashedURI.mismatch"), (b"c2pa_rs", "claimSignature.mismatch")],
)
def test_flip_in_credentials(needle: bytes, code: str, maker: Maker, release: Path, tmp_path: Path) -> None:
    """In an assertion, in the claim."""
    at = release.read_bytes().index(needle)
    report = maker.verify(changed(tmp_path / "c.mp4", release, lambda d: flip(d, at)))
    assert report.verdict is Verdict.TAMPERED
    assert code in report.credentials.failures


@pytest.mark.parametrize("kind", [b"free", b"skip", b"mdat", b"uuid"])
def test_inserted_boxes(kind: bytes, maker: Maker, release: Path, tmp_path: Path) -> None:
    """At the end and after ``ftyp``: c2pa's defaults leave free and skip out of the hash, ours do not."""
    box = struct.pack(">I4s", 40, kind) + b"x" * 32
    for change in (lambda d: d + box, lambda d: after_ftyp(d, box)):
        path = changed(tmp_path / "c.mp4", release, change)
        assert maker.verify(path).verdict is Verdict.TAMPERED


def test_tampered_ingredient(maker: Maker, release: Path, tmp_path: Path) -> None:
    """c2pa calls the remix "Trusted"; its source is not what its credentials say."""
    data = release.read_bytes()
    end = next(e for kind, _, e in boxes(data) if kind == b"mdat")
    bad = changed(tmp_path / "bad.mp4", release, lambda d: flip(d, end - 12))
    remix = maker.release(
        tmp_path / "remix.mp4", content_id=8, ingredients=[Ingredient(bad, "bad", "parentOf", "bad")]
    )
    report = maker.verify(remix)
    assert report.verdict is Verdict.CONFLICT
    assert report.credentials.ingredient_failures


def test_truncation(maker: Maker, release: Path, tmp_path: Path) -> None:
    size = len(release.read_bytes())
    seen = set()
    for end in {*range(1, size, size // 60), size - 1}:
        path = changed(tmp_path / "c.mp4", release, lambda d, end=end: d[:end])
        try:
            seen.add(maker.verify(path).verdict)
        except safegen.SafegenError as error:
            assert error.exit_code in {2, 4}
    assert seen <= {Verdict.TAMPERED, Verdict.CREDENTIALS_UNREADABLE, Verdict.NO_PROVENANCE}


def test_trailing_junk(maker: Maker, release: Path, tmp_path: Path) -> None:
    for junk in (b"x", b"junk" * 8, b"\0" * 64):
        path = changed(tmp_path / "c.mp4", release, lambda d, junk=junk: d + junk)
        allowed = {Verdict.TAMPERED, Verdict.CREDENTIALS_UNREADABLE, Verdict.NO_PROVENANCE}
        assert maker.verify(path).verdict in allowed


def test_stripped(maker: Maker, release: Path, tmp_path: Path) -> None:
    path = changed(tmp_path / "c.mp4", release, without_credentials)
    assert maker.verify(path).verdict is Verdict.NO_PROVENANCE


def test_remuxed_with_the_original_manifest(maker: Maker, release: Path, tmp_path: Path) -> None:
    box = credentials_box(release.read_bytes())
    bare = attacks.remux(release, tmp_path / "bare.mp4").read_bytes()
    path = changed(tmp_path / "c.mp4", release, lambda _: after_ftyp(bare, box))
    report = maker.verify(path)
    assert report.verdict is Verdict.TAMPERED
    assert "assertion.bmffHash.mismatch" in report.credentials.failures


def test_remote_manifest_is_named_and_not_fetched(maker: Maker, shared: Path) -> None:
    report = maker.verify(shared / "data/c2pa/py_cloud.jpg")
    assert report.verdict is Verdict.NO_PROVENANCE
    assert any("https://" in n.reason and "--fetch-remote" in n.reason for n in report.not_checked)
