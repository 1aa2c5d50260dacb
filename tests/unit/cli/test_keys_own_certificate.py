"""``safegen keys`` where a certificate under [signing] signs: it acts on that one, or says who has to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from safegen.cli import group
from safegen.errors import KeyUnavailable, UsageError
from safegen.keys.bundle import parse_trust
from safegen.keys.certificates import Hierarchy, issue_hierarchy
from safegen.keys.chain import fingerprint
from safegen.keys.identity import Identity
from safegen.keys.revocation import check_revocation
from safegen.keys.revoke import CURRENT
from safegen.workspace.config import find_workspace
from safegen.workspace.session import open_session

LOCAL = ("certificate_expires", "certificate_serial", "root_sha-256")


def keys(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(group, ["keys", *arguments, "--workspace", str(root)])


def trust_add(root: Path, file: Path) -> None:
    added = CliRunner().invoke(group, ["trust", "add", "-y", str(file), "--workspace", str(root)])
    assert added.exit_code == 0, added.output


def answer(root: Path, *arguments: str) -> dict[str, Any]:
    done = keys(root, *arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def configure(root: Path, key: Any, *certificates: x509.Certificate) -> None:
    """Let *key* sign instead of the local identity."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (root / "own.key").write_bytes(pem)
    (root / "own.key").chmod(0o600)
    (root / "chain.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in certificates))
    (root / "safegen.toml").write_text('format = 1\n[signing]\nkey = "own.key"\nchain = "chain.pem"\n')


def crl(made: Hierarchy, *serials: int) -> bytes:
    """The list of the issuer in *made*."""
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(made.issuing.subject)
    builder = builder.last_update(now).next_update(now + CURRENT)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(made.issuing_key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def made() -> Hierarchy:
    return issue_hierarchy("User", datetime.now(UTC))


@pytest.fixture
def root(in_memory: Path, made: Hierarchy) -> Path:
    """A workspace with a ledger, where a certificate of another issuer signs."""
    with open_session(find_workspace(in_memory)):
        pass
    configure(in_memory, made.leaf_key, made.leaf, made.issuing, made.root)
    return in_memory


def held(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted((root / "keys").rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    ("arguments", "why", "what"),
    [
        (["revoke", "--reason", "keyCompromise"], "only its issuer can revoke", "trust add FILE"),
        (["rotate"], "its issuer renews it", "name its files under [signing]"),
        (["move-root", "stick.pem"], "its issuer's", "--local"),
    ],
)
def test_what_only_the_issuer_does_is_refused(root: Path, arguments: list[str], why: str, what: str) -> None:
    before = held(root)
    done = keys(root, *arguments)
    assert isinstance(done.exception, UsageError)
    assert why in str(done.exception) and what in done.exception.hint and "--local" in done.exception.hint
    assert held(root) == before, "nothing was revoked, renewed or moved"


def test_a_revocation_is_refused_also_by_serial_and_without_a_ledger(
    tmp_path: Path, root: Path, made: Hierarchy
) -> None:
    serial = f"{made.leaf.serial_number:x}"
    done = keys(root, "revoke", "--serial", serial)
    assert isinstance(done.exception, UsageError) and "only its issuer" in str(done.exception)
    assert serial in str(done.exception) and "issuing CA" in str(done.exception)
    assert keys(tmp_path / "new", "init").exit_code == 0
    configure(tmp_path / "new", made.leaf_key, made.leaf, made.issuing)
    done = keys(tmp_path / "new", "revoke")
    assert isinstance(done.exception, UsageError) and "only its issuer" in str(done.exception)
    done = keys(root, "revoke", "--serial", "1234")
    assert isinstance(done.exception, UsageError) and "issued no certificate 1234" in str(done.exception)


def test_a_certificate_that_cannot_be_read_is_not_passed_over(root: Path) -> None:
    (root / "chain.pem").unlink()
    before = held(root)
    done = keys(root, "revoke")
    assert isinstance(done.exception, KeyUnavailable) and held(root) == before
    shown = answer(root, "show")
    assert all(shown[name].startswith("unknown: ") for name in LOCAL)
    assert keys(root, "export-trust").exit_code != 0


def test_the_local_identity_is_meant_when_it_is_said(root: Path) -> None:
    first = Identity.load(root / "keys").leaf
    answer(root, "rotate", "--local")
    second = Identity.load(root / "keys").leaf
    assert second != first
    old = f"{first.serial_number:x}"
    assert answer(root, "revoke", "--serial", old)["revoked"] == old, "named by its serial number"
    done = answer(root, "revoke", "--local")
    assert done["revoked"] == f"{second.serial_number:x}"
    assert Identity.load(root / "keys").leaf != second
    moved = keys(root, "move-root", str(root / "stick.pem"), "--local")
    assert isinstance(moved.exception, KeyUnavailable) and "never written" in str(moved.exception)


def test_a_copy_of_the_local_certificate_is_revoked_and_signs_no_more(in_memory: Path) -> None:
    with open_session(find_workspace(in_memory)):
        pass
    own = Identity.load(in_memory / "keys")
    leaf = own.leaf
    configure(in_memory, own.signer().key, leaf, own.issuing)
    with open_session(find_workspace(in_memory)) as session:
        assert session.signer.sign(b"x")
    done = keys(in_memory, "revoke")
    assert done.exit_code == 0 and f"{leaf.serial_number:x}" in done.stdout.splitlines()[0]
    assert "nothing is signed with the certificate under [signing] any more" in done.stderr
    with pytest.raises(KeyUnavailable, match="was revoked"), open_session(find_workspace(in_memory)):
        pass
    (in_memory / "safegen.toml").write_text("format = 1\n")
    with open_session(find_workspace(in_memory)) as session:
        assert session.signer.sign(b"x"), "the local identity has a fresh one"


@pytest.mark.parametrize("whole", [True, False])
def test_the_issuers_list_stops_signing_and_goes_to_others(root: Path, made: Hierarchy, whole: bool) -> None:
    if not whole:  # the issuer is known only from what was pinned
        configure(root, made.leaf_key, made.leaf)
        pinned = root / "issuer.pem"
        pinned.write_bytes(made.issuing.public_bytes(Encoding.PEM))
        trust_add(root, pinned)
    for serials, revoked in (((), False), ((made.leaf.serial_number,), True)):
        (root / "list.crl").write_bytes(crl(made, *serials))
        trust_add(root, root / "list.crl")
        if not revoked:
            with open_session(find_workspace(root)) as session:
                assert session.signer.sign(b"x")
            continue
        refusal = pytest.raises(KeyUnavailable, match="nothing is signed")
        with refusal as refused, open_session(find_workspace(root)):
            pass
        assert "[signing]" in refused.value.hint
    if whole:
        bundle = parse_trust(keys(root, "export-trust").stdout.encode())
        anchors = [x509.load_pem_x509_certificate(pem) for pem in bundle.roots]
        assert anchors == [made.root]
        told = check_revocation([made.leaf, made.issuing], anchors, crls=bundle.crls, at=datetime.now(UTC))
        assert told.status == "revoked", "whoever pins the bundle believes the stolen key nothing more"


def test_a_strangers_list_stops_nothing(root: Path, made: Hierarchy) -> None:
    stranger = issue_hierarchy("User", datetime.now(UTC))  # the same names
    (root / "list.crl").write_bytes(crl(stranger, made.leaf.serial_number))
    trust_add(root, root / "list.crl")
    with open_session(find_workspace(root)) as session:
        assert session.signer.sign(b"x")


def test_show_and_init_speak_of_the_certificate_that_signs(root: Path, made: Hierarchy) -> None:
    own = Identity.load(root / "keys")
    shown = answer(root, "show")
    assert shown["signs_with"] == "the certificate under [signing]"
    assert shown["certificate_expires"] == made.leaf.not_valid_after_utc.isoformat()
    assert shown["certificate_serial"] == f"{made.leaf.serial_number:x}"
    assert shown["local_certificate_expires"] == own.expires.isoformat()
    assert shown["local_certificate_serial"] == f"{own.leaf.serial_number:x}"
    assert shown["local_root_sha-256"] == own.fingerprint
    started = answer(root, "init")
    assert shown["root_sha-256"] == started["root_sha-256"] == fingerprint(made.root)
    assert started["local_root_sha-256"] == own.fingerprint
    (root / "safegen.toml").write_text("format = 1\n")
    shown, started = answer(root, "show"), answer(root, "init")
    assert shown["signs_with"] == started["signs_with"] == "the local identity"
    assert shown["root_sha-256"] == started["root_sha-256"] == own.fingerprint
    assert not [name for name in (*shown, *started) if name.startswith("local_")]


def test_the_log_keeps_its_own_key(root: Path) -> None:
    before = Identity.load(root / "keys").log_vkey
    assert answer(root, "rotate-log")["log_key"] != before
    with open_session(find_workspace(root)) as session:
        assert session.ledger.append("decision", {"outcome": "allow"}, None)
