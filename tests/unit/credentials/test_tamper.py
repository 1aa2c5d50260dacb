"""Signed files and their mutants: what was changed after signing never reads as it was."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from safegen.credentials.read import read_credentials
from safegen.credentials.sign import Ingredient, sign_file
from safegen.errors import UsageError
from safegen.keys.identity import Identity
from safegen.types import CredentialsEvidence, CredentialState, Json


def boxes(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of the top-level boxes."""
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8].decode("latin-1"), at, at + size
        at += size


def read(path: Path, data: bytes, identity: Identity) -> CredentialsEvidence:
    path.write_bytes(data)
    return read_credentials(path, anchors_pem=[identity.root_pem])


def intact(evidence: CredentialsEvidence) -> bool:
    return evidence.state is CredentialState.VALID and not evidence.ingredient_failures


def sweep(signed: Path, identity: Identity, step: int) -> dict[str, list[int]]:
    """Offsets by top-level box whose flip still reads as intact and trusted."""
    data = signed.read_bytes()
    mutant = signed.with_name("mutant.mp4")
    kept: dict[str, list[int]] = {}
    for kind, start, end in boxes(data):
        for at in range(start, end, step):
            flipped = bytearray(data)
            flipped[at] ^= 0x10
            evidence = read(mutant, bytes(flipped), identity)
            if intact(evidence):
                kept.setdefault(kind, []).append(at - start)
    return kept


def check_kept(kept: dict[str, list[int]]) -> None:
    # C2PA leaves `ftyp` out of the hash; in the manifest's own box it ignores the padding and what
    # comes before the manifest store that nothing depends on (flags, the merkle offset).
    assert set(kept) <= {"ftyp", "uuid"}
    assert all(offset >= 8 for offset in kept.get("ftyp", []))


def test_flipped_bytes(signed: Path, identity: Identity) -> None:
    check_kept(sweep(signed, identity, step=41))


@pytest.mark.slow
def test_every_flipped_byte(signed: Path, identity: Identity) -> None:
    check_kept(sweep(signed, identity, step=1))


@pytest.mark.parametrize("kind", ["free", "skip", "uuid", "mdat", "abcd"])
def test_appended_boxes(kind: str, signed: Path, identity: Identity) -> None:
    extra = struct.pack(">I4s", 32, kind.encode()) + b"appended payload bytes.."
    evidence = read(signed.with_name("m.mp4"), signed.read_bytes() + extra, identity)
    assert evidence.state is CredentialState.INVALID and not evidence.trusted
    assert evidence.failures == ("assertion.bmffHash.mismatch",)
    assert evidence.reason == "The picture data was changed after signing"


@pytest.mark.parametrize("junk", [b"x", b"junk", b"\0" * 64])
def test_trailing_junk(junk: bytes, signed: Path, identity: Identity) -> None:
    assert not intact(read(signed.with_name("m.mp4"), signed.read_bytes() + junk, identity))


def test_truncated(signed: Path, identity: Identity) -> None:
    data = signed.read_bytes()
    for size in [*range(1, len(data), len(data) // 40), len(data) - 1]:
        evidence = read(signed.with_name("m.mp4"), data[:size], identity)
        assert not intact(evidence) and not evidence.trusted and evidence.reason


def test_stripped(signed: Path, video: Path, identity: Identity) -> None:
    data = signed.read_bytes()
    without = b"".join(data[start:end] for kind, start, end in boxes(data) if kind != "uuid")
    evidence = read(signed.with_name("m.mp4"), without, identity)
    assert evidence.state is CredentialState.ABSENT and evidence.manifest is None


def test_a_manifest_moved_to_another_video(signed: Path, video: Path, identity: Identity) -> None:
    other = bytearray(video.read_bytes())
    other[-3] ^= 1
    (manifest,) = (signed.read_bytes()[s:e] for kind, s, e in boxes(signed.read_bytes()) if kind == "uuid")
    (head,) = ((s, e) for kind, s, e in boxes(bytes(other)) if kind == "ftyp")
    moved = bytes(other[: head[1]]) + manifest + bytes(other[head[1] :])
    evidence = read(signed.with_name("m.mp4"), moved, identity)
    assert evidence.state is CredentialState.INVALID and not evidence.trusted


def remix(source: Path, video: Path, out: Path, identity: Identity, definition: Json) -> CredentialsEvidence:
    """*video*, signed with *source* as its parent."""
    bare = {**definition, "assertions": []}
    parent = Ingredient(source, "source", "parentOf", "source")
    sign_file(video, out, bare, signer=identity.signer(), ingredients=[parent])
    return read_credentials(out, anchors_pem=[identity.root_pem])


def test_an_intact_ingredient(signed: Path, video: Path, identity: Identity, definition: Json) -> None:
    parent = read_credentials(signed)
    evidence = remix(signed, video, signed.with_name("remix.mp4"), identity, definition)
    assert intact(evidence) and evidence.trusted
    assert evidence.ancestors == (parent.manifest_id,)


def test_a_tampered_ingredient(signed: Path, video: Path, identity: Identity, definition: Json) -> None:
    data = bytearray(signed.read_bytes())
    data[-3] ^= 1
    tampered = signed.with_name("tampered.mp4")
    tampered.write_bytes(bytes(data))
    evidence = remix(tampered, video, signed.with_name("remix.mp4"), identity, definition)
    assert evidence.state is CredentialState.VALID and not evidence.failures
    assert evidence.ingredient_failures == ("assertion.bmffHash.mismatch",)


def test_a_tampered_grandparent(signed: Path, video: Path, identity: Identity, definition: Json) -> None:
    data = bytearray(signed.read_bytes())
    data[-3] ^= 1
    tampered = signed.with_name("tampered.mp4")
    tampered.write_bytes(bytes(data))
    remix(tampered, video, signed.with_name("child.mp4"), identity, definition)
    evidence = remix(
        signed.with_name("child.mp4"), video, signed.with_name("grand.mp4"), identity, definition
    )
    assert "assertion.bmffHash.mismatch" in evidence.ingredient_failures
    assert len(evidence.ancestors) == 2


def test_a_stranger_as_ingredient_is_a_note(
    signed: Path, video: Path, stranger: Identity, definition: Json
) -> None:
    evidence = remix(signed, video, signed.with_name("remix.mp4"), stranger, definition)
    assert intact(evidence) and evidence.trusted
    assert "ingredient:signingCredential.untrusted" in evidence.notes


def test_signing_again_keeps_the_first_manifest(
    signed: Path, identity: Identity, definition: Json, stranger: Identity
) -> None:
    first = read_credentials(signed)
    with pytest.raises(UsageError, match="would drop"):
        sign_file(signed, signed.with_name("again.mp4"), definition, signer=stranger.signer())
    evidence = remix(signed, signed, signed.with_name("again.mp4"), stranger, definition)
    assert evidence.ancestors == (first.manifest_id,)
