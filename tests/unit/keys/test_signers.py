"""Signers: the right key for the certificate, the right words when it is not."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from safegen.errors import KeyUnavailable, SigningFailed
from safegen.keys.certificates import Hierarchy, issue_hierarchy
from safegen.keys.signers import (
    algorithm_of,
    from_callback,
    from_paths,
    from_pem,
    from_pkcs12,
    load_private_key,
    order_chain,
)


@pytest.fixture(scope="module")
def made() -> Hierarchy:
    return issue_hierarchy("User", datetime.now(UTC))


def pem(*certificates: Any) -> bytes:
    return b"".join(c.public_bytes(Encoding.PEM) for c in certificates)


def key_pem(key: Any, secret: bytes | None = None) -> bytes:
    lock = BestAvailableEncryption(secret) if secret else NoEncryption()
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return data


def test_algorithms() -> None:
    found = [
        algorithm_of(key.public_key())
        for key in (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP384R1()),
            ec.generate_private_key(ec.SECP521R1()),
            rsa.generate_private_key(65537, 2048),
            ed25519.Ed25519PrivateKey.generate(),
        )
    ]
    assert found == ["es256", "es384", "es512", "ps256", "ed25519"]
    for key in (ec.generate_private_key(ec.SECP256K1()), rsa.generate_private_key(65537, 1024)):
        with pytest.raises(KeyUnavailable):
            algorithm_of(key.public_key())


def test_pem_with_and_without_a_passphrase(made: Hierarchy) -> None:
    chain = pem(made.leaf, made.issuing)
    assert len(from_pem(key_pem(made.leaf_key), chain).sign(b"data")) == 64
    locked = key_pem(made.leaf_key, b"secret")
    assert from_pem(locked, chain, lambda: b"secret").alg == "es256"
    for wrong in (None, b"other"):
        with pytest.raises(KeyUnavailable, match="passphrase"):
            from_pem(locked, chain, wrong)

    def never() -> bytes:
        raise AssertionError("an open key needs no passphrase")

    assert from_pem(key_pem(made.leaf_key), chain, never)


def test_secrets_do_not_show(made: Hierarchy) -> None:
    assert "PrivateKey" not in repr(from_pem(key_pem(made.leaf_key), pem(made.leaf)))


def test_a_key_of_another_certificate(made: Hierarchy) -> None:
    with pytest.raises(KeyUnavailable, match="does not belong"):
        from_pem(key_pem(made.issuing_key), pem(made.leaf, made.issuing))
    with pytest.raises(KeyUnavailable, match="does not belong"):
        from_pem(key_pem(made.leaf_key), pem(made.issuing, made.leaf))


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_damaged_keys_and_chains(data: bytes, made: Hierarchy) -> None:
    with pytest.raises(KeyUnavailable):
        load_private_key(data)
    with pytest.raises(KeyUnavailable):
        from_pem(key_pem(made.leaf_key), data)
    with pytest.raises(KeyUnavailable):
        from_pkcs12(data, b"x")


def test_pkcs12_order(made: Hierarchy) -> None:
    data = pkcs12.serialize_key_and_certificates(
        b"me", made.leaf_key, made.leaf, [made.root, made.issuing], BestAvailableEncryption(b"x")
    )
    assert from_pkcs12(data, b"x").chain_pem == pem(made.leaf, made.issuing)
    assert order_chain(made.leaf, [made.issuing, made.root]) == [made.leaf, made.issuing]
    bare = pkcs12.serialize_key_and_certificates(b"me", None, made.leaf, None, NoEncryption())
    with pytest.raises(KeyUnavailable, match="lacks a key"):
        from_pkcs12(bare)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_key_files_of_the_user_have_to_be_private(made: Hierarchy, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_bytes(pem(made.leaf, made.issuing))
    (tmp_path / "key.pem").write_bytes(key_pem(made.leaf_key))
    (tmp_path / "key.pem").chmod(0o644)
    with pytest.raises(KeyUnavailable, match="read by others"):
        from_paths(tmp_path / "chain.pem", tmp_path / "key.pem")
    (tmp_path / "key.pem").chmod(0o600)
    assert from_paths(tmp_path / "chain.pem", tmp_path / "key.pem").sign(b"x")
    with pytest.raises(KeyUnavailable):
        from_paths(tmp_path / "none.pem", tmp_path / "key.pem")


def test_callbacks(made: Hierarchy) -> None:
    chain = pem(made.leaf, made.issuing)
    assert from_callback(lambda data: data[:1], alg="es256", chain_pem=chain).sign(b"ab") == b"a"
    for alg in ("es384", "hs256"):
        with pytest.raises(KeyUnavailable):
            from_callback(lambda data: data, alg=alg, chain_pem=chain)

    def broken(_: bytes) -> bytes:
        raise TimeoutError

    with pytest.raises(SigningFailed, match="TimeoutError"):
        from_callback(broken, alg="es256", chain_pem=chain).sign(b"x")
    for answer in (b"", None, "text"):
        with pytest.raises(SigningFailed, match="no signature"):
            from_callback(lambda _, a=answer: a, alg="es256", chain_pem=chain).sign(b"x")  # type: ignore[misc]
