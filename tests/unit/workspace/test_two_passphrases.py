"""Encrypted local keys and a signing key with another passphrase: each is opened with its own."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from safegen.cli import group
from safegen.errors import KeyUnavailable, WorkspaceError
from safegen.keys.certificates import Hierarchy, issue_hierarchy
from safegen.keys.chain import fingerprint
from safegen.keys.files import write_private
from safegen.keys.identity import Identity
from safegen.keys.passphrase import for_signing_key, from_environment, resolve_passphrase
from safegen.workspace.backup import back_up
from safegen.workspace.config import Workspace, find_workspace
from safegen.workspace.session import open_session

LOCAL, OWN = "correct horse", "battery staple"
KEY_VARIABLE, SIGNING_VARIABLE = "SAFEGEN_KEY_PASSPHRASE", "SAFEGEN_SIGNING_PASSPHRASE"


@pytest.fixture(scope="module")
def made() -> Hierarchy:
    return issue_hierarchy("User", datetime.now(UTC))


@pytest.fixture
def root(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with encrypted local keys."""
    for variable in (KEY_VARIABLE, SIGNING_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    Identity.load_or_create(in_memory / "keys", name="User", passphrase=LOCAL.encode())
    return in_memory


def bring(root: Path, made: Hierarchy, secret: str | None, *, pem: bool = False, more: str = "") -> Workspace:
    """A workspace whose signing key is locked with *secret*."""
    lock: KeySerializationEncryption = BestAvailableEncryption(secret.encode()) if secret else NoEncryption()
    certificates = (made.leaf, made.issuing, made.root)
    if pem:
        name = "own.key"
        data = made.leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        more = f'chain = "chain.pem"\n{more}'
        (root / "chain.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in certificates))
    else:
        name = "own.p12"
        data = pkcs12.serialize_key_and_certificates(b"own", made.leaf_key, made.leaf, certificates[1:], lock)
    write_private(root / name, data)
    (root / "safegen.toml").write_text(f'format = 1\n[signing]\nkey = "{name}"\n{more}')
    return find_workspace(root)


def signs(space: Workspace) -> bool:
    with open_session(space, passphrase=from_environment) as session:
        assert session.ledger.append("decision", {"outcome": "allow"}, None) >= 0
        return bool(session.signer.sign(b"x"))


@pytest.mark.parametrize("pem", [True, False])
def test_each_key_has_its_own(
    root: Path, made: Hierarchy, monkeypatch: pytest.MonkeyPatch, pem: bool
) -> None:
    space = bring(root, made, OWN, pem=pem)
    monkeypatch.setenv(KEY_VARIABLE, LOCAL)
    with pytest.raises(KeyUnavailable, match="wrong passphrase") as refused:
        signs(space)
    assert SIGNING_VARIABLE in refused.value.hint and "passphrase_file" in refused.value.hint
    monkeypatch.setenv(SIGNING_VARIABLE, OWN)
    assert signs(space)
    monkeypatch.setenv(SIGNING_VARIABLE, "")
    write_private(root / "own.secret", f"{OWN}\n".encode())
    assert signs(bring(root, made, OWN, pem=pem, more='passphrase_file = "own.secret"\n'))
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(KeyUnavailable, match="the identity is locked"):
        signs(find_workspace(root))


@pytest.mark.parametrize(("secret", "pem"), itertools.product((LOCAL, None), (True, False)))
def test_one_variable_opens_both_and_an_open_key_needs_none(
    root: Path, made: Hierarchy, monkeypatch: pytest.MonkeyPatch, secret: str | None, pem: bool
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, LOCAL)
    assert signs(bring(root, made, secret, pem=pem))


def test_a_passphrase_for_the_signing_key_is_none_of_the_local_keys(
    in_memory: Path, made: Hierarchy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setenv(SIGNING_VARIABLE, OWN)
    assert signs(bring(in_memory, made, OWN))
    assert not Identity.load(in_memory / "keys").encrypted


def test_which_one_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_private(file, b"file\n")
    env = {SIGNING_VARIABLE: "variable"}
    for given, environ, expected in (
        (file, env, b"variable"),
        (None, env, b"variable"),
        (file, {}, b"file"),
        (file, {SIGNING_VARIABLE: ""}, b"file"),
        (None, {}, b"other"),
        (None, {KEY_VARIABLE: "local"}, b"other"),
    ):
        assert resolve_passphrase(for_signing_key(given, b"other", environ)) == expected
    assert resolve_passphrase(for_signing_key(None, None, {})) is None


def test_a_passphrase_file_is_checked(root: Path, made: Hierarchy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, LOCAL)
    space = bring(root, made, OWN, more='passphrase_file = "own.secret"\n')
    with pytest.raises(KeyUnavailable, match="cannot read the passphrase file"):
        signs(space)
    (root / "own.secret").write_text(OWN)
    (root / "own.secret").chmod(0o644)
    with pytest.raises(KeyUnavailable, match="can be read by everybody"):
        signs(space)
    (root / "safegen.toml").write_text('format = 1\n[signing]\npassphrase_file = "own.secret"\n')
    with pytest.raises(WorkspaceError, match="no key is named"):
        find_workspace(root)


def test_the_keys_commands_use_both(root: Path, made: Hierarchy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option's file opens the local keys, the variable the PKCS#12 file."""
    monkeypatch.setenv(SIGNING_VARIABLE, OWN)
    write_private(root / "local.secret", LOCAL.encode())
    bring(root, made, OWN)
    more = ["--passphrase-file", str(root / "local.secret"), "--workspace", str(root)]
    shown = CliRunner().invoke(group, ["keys", "show", "--json", *more])
    assert json.loads(shown.stdout)["root_sha-256"] == fingerprint(made.root)
    exported = CliRunner().invoke(group, ["keys", "export-trust", "--pem", *more])
    assert exported.stdout.encode() == made.root.public_bytes(Encoding.PEM)
    rotated = CliRunner().invoke(group, ["keys", "rotate", "--local", *more])
    assert rotated.exit_code == 0, rotated.output


def test_the_passphrase_is_in_no_backup(
    root: Path, tmp_path: Path, made: Hierarchy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, LOCAL)
    write_private(root / "keys" / "own.secret", OWN.encode())
    space = bring(root, made, OWN, more='passphrase_file = "keys/own.secret"\n')
    assert signs(space)
    copy = back_up(space, tmp_path / "copy")
    assert any("own.secret opens the signing key and is not in the backup" in note for note in copy.notes)
    kept = [p for p in copy.folder.rglob("*") if p.is_file()]
    assert kept and not [p for p in kept if OWN.encode() in p.read_bytes()]
