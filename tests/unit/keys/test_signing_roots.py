"""What others pin for a certificate of one's own: its root, else its topmost CA, never nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from safegen.errors import KeyUnavailable
from safegen.keys.certificates import Hierarchy, issue_hierarchy
from safegen.keys.chain import check_chain
from safegen.keys.files import write_private
from safegen.keys.signing_roots import configured_roots, read_chain_roots

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def made() -> Hierarchy:
    return issue_hierarchy("User", NOW)


def write(path: Path, *certificates: x509.Certificate) -> Path:
    path.write_bytes(b"".join(pem(c) for c in certificates))
    return path


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def test_the_root_else_the_topmost_authority(made: Hierarchy, tmp_path: Path) -> None:
    stranger = issue_hierarchy("Stranger", NOW)
    file = tmp_path / "chain.pem"
    for certificates, expected in (
        ((made.leaf, made.issuing, made.root), made.root),
        ((made.leaf, made.root, made.issuing), made.root),
        ((made.leaf, made.issuing), made.issuing),
        ((made.leaf, stranger.root, made.issuing, stranger.issuing), made.issuing),
    ):
        roots = configured_roots(write(file, *certificates), None)
        assert roots == (pem(expected),)
        found = check_chain([made.leaf, made.issuing], [expected], at=NOW)
        assert found.trusted, "who pins it can check what the certificate signs"


def test_only_a_leaf_gives_nothing_to_pin(made: Hierarchy, tmp_path: Path) -> None:
    stranger = issue_hierarchy("Stranger", NOW)
    for certificates in (
        (made.leaf,),
        (made.leaf, made.root),
        (made.leaf, stranger.issuing),
        (made.leaf,) * 2,
    ):
        file = write(tmp_path / "chain.pem", *certificates)
        assert read_chain_roots(file) == ()
        with pytest.raises(KeyUnavailable, match="no certificate of the CA") as refused:
            configured_roots(file, None)
        assert "add the CA's certificates" in refused.value.hint


def test_a_pkcs12_file_brings_its_root(made: Hierarchy, tmp_path: Path) -> None:
    file = tmp_path / "own.p12"
    for others, expected in (
        ([made.issuing, made.root], made.root),
        ([made.issuing], made.issuing),
        ([], None),
    ):
        secret = BestAvailableEncryption(b"secret")
        write_private(
            file, pkcs12.serialize_key_and_certificates(b"own", made.leaf_key, made.leaf, others, secret)
        )
        if expected is None:
            with pytest.raises(KeyUnavailable, match="no certificate of the CA"):
                configured_roots(None, file, b"secret")
        else:
            assert configured_roots(None, file, b"secret") == (pem(expected),)
        with pytest.raises(KeyUnavailable, match="wrong passphrase"):
            configured_roots(None, file, b"other")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificates")
    for file in (tmp_path / "none.pem", tmp_path / "bad.pem", tmp_path):
        with pytest.raises(KeyUnavailable) as refused:
            read_chain_roots(file)
        assert refused.value.hint
    assert configured_roots(None, None) == (), "the local identity signs"
