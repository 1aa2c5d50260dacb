"""The local identity: private on disk, whole or absent, one winner, clear when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from safegen.errors import KeyUnavailable, UsageError
from safegen.keys import files, passphrase
from safegen.keys.chain import check_chain
from safegen.keys.identity import Identity
from safegen.keys.log_key import decode_vkey, key_id
from safegen.keys.renewal import move_root_key, rotate_leaf
from safegen.keys.signers import load_chain

NOW = datetime.now(UTC)
posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys"


def make(folder: Path, secret: passphrase.Passphrase = None) -> Identity:
    return Identity.load_or_create(folder, name="Studio Nord", passphrase=secret)


@posix
@pytest.mark.parametrize("secret", [None, b"correct horse"])
def test_files_are_private(folder: Path, secret: bytes | None) -> None:
    rotate_leaf(make(folder, secret))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert not [p for p in folder.parent.iterdir() if p != folder]
    assert (folder / "root.key.pem").exists() == (secret is not None)
    keys = [p for p in folder.glob("*.pem") if b"PRIVATE KEY" in p.read_bytes()]
    assert all((b"ENCRYPTED PRIVATE KEY" in p.read_bytes()) == (secret is not None) for p in keys)
    assert len(keys) == (4 if secret else 3)


@posix
def test_files_are_private_under_any_umask(folder: Path) -> None:
    old = os.umask(0)
    try:
        make(folder, b"x")
    finally:
        os.umask(old)
    assert all(not p.stat().st_mode & 0o077 for p in [folder, *folder.iterdir()])


def test_certificates_follow_the_profile(folder: Path) -> None:
    made = make(folder)
    (root,), (leaf, issuing) = load_chain(made.root_pem), load_chain(made.chain_pem)
    assert check_chain([leaf, issuing], [root], at=NOW).trusted
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [e.dotted_string for e in extended] == [
        ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string,
        "1.3.6.1.4.1.62558.2.1",
    ]
    for certificate, below in ((root, issuing), (issuing, leaf)):
        ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        aki = below.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert aki.key_identifier == ski.key_identifier
    lengths = [
        c.extensions.get_extension_for_class(x509.BasicConstraints).value for c in (root, issuing, leaf)
    ]
    assert [(c.ca, c.path_length) for c in lengths] == [(True, 1), (True, 0), (False, None)]
    assert len({c.serial_number for c in (root, issuing, leaf)}) == 3
    identifiers = [x509.SubjectKeyIdentifier.from_public_key(c.public_key()) for c in (root, issuing, leaf)]
    assert len({i.digest for i in identifiers}) == 3
    for certificate in (root, issuing, leaf):
        text = certificate.subject.rfc4514_string()
        assert "not verified by anyone" in text and "Studio Nord" in text
    assert leaf.not_valid_before_utc < NOW < leaf.not_valid_after_utc <= issuing.not_valid_after_utc
    assert made.fingerprint in check_chain([leaf, issuing], [root], at=NOW).anchor  # type: ignore[operator]


def test_the_log_has_its_own_key_and_name(folder: Path, tmp_path: Path) -> None:
    made, other = make(folder), make(tmp_path / "other")
    origin, key = decode_vkey(made.log_vkey)
    assert origin == made.log_origin != other.log_origin
    assert origin.startswith("safegen.local/") and len(origin) == len("safegen.local/") + 16
    assert made.log_key.public_key() == key
    assert made.log_vkey.split("+")[1] == key_id(origin, key.public_bytes_raw()).hex()
    assert made.log_vkey.count("+") >= 2


def test_known_verifier_key() -> None:
    # The example key of the Go note package and of c2sp.org/signed-note.
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert decode_vkey(vkey)[0] == "PeterNeumann"
    for copied in (f"  {vkey}\n", vkey.replace("c74f20a3", "C74F20A3"), vkey.replace("c74f", "c7 4f")):
        assert decode_vkey(copied)[0] == "PeterNeumann"


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        "a b+c74f20a3+AAAA",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+\ud800",
        "PeterNeumann+c74f20a3",
    ],
)
def test_bad_verifier_keys(vkey: str) -> None:
    with pytest.raises(UsageError):
        decode_vkey(vkey)


def test_it_stays_the_same(folder: Path) -> None:
    first, second = make(folder, b"x"), make(folder, b"x")
    assert (first.root_pem, first.chain_pem, first.log_vkey) == (
        second.root_pem,
        second.chain_pem,
        second.log_vkey,
    )
    assert second.signer().sign(b"data") and second.name == "Studio Nord"


def test_passphrases(folder: Path) -> None:
    asked: list[int] = []

    def ask() -> bytes:
        asked.append(1)
        return b"secret"

    made = make(folder, ask)
    assert made.encrypted
    again = Identity.load(folder, passphrase=ask)
    assert again.fingerprint and again.log_vkey and len(asked) == 1, "public parts need no passphrase"
    again.unlock()
    assert len(asked) == 2, "asked once per identity"
    for wrong in (b"other", None, lambda: None, b""):
        with pytest.raises(KeyUnavailable, match="passphrase") as caught:
            Identity.load(folder, passphrase=wrong).unlock()
        assert "SAFEGEN_KEY_PASSPHRASE" in caught.value.hint
    assert b"secret" not in b"".join(p.read_bytes() for p in folder.iterdir())
    assert "secret" not in repr(Identity.load(folder, passphrase=b"secret"))


def test_sources_of_passphrases(tmp_path: Path) -> None:
    assert passphrase.from_environment({"SAFEGEN_KEY_PASSPHRASE": "a b"}) == b"a b"
    assert passphrase.from_environment({}) is None
    (tmp_path / "p").write_bytes(b"first\r\nsecond\n")
    (tmp_path / "p").chmod(0o600)
    assert passphrase.from_file(tmp_path / "p") == b"first"
    read, write = os.pipe()
    os.write(write, b"piped\n")
    os.close(write)
    assert passphrase.from_descriptor(read) == b"piped"
    (tmp_path / "p").write_bytes(b"\n")
    for source in (tmp_path / "p", tmp_path / "none"):
        with pytest.raises(KeyUnavailable):
            passphrase.from_file(source)


@pytest.mark.parametrize("file", ["identity.json", "root.pem", "issuing.pem", "signing.pem", "log.pem"])
@pytest.mark.parametrize("damage", [b"", b"garbage", None], ids=["empty", "garbage", "missing"])
def test_damage_is_told(folder: Path, file: str, damage: bytes | None) -> None:
    make(folder)
    if damage is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(damage)
    with pytest.raises(KeyUnavailable) as caught:
        found = Identity.load(folder)
        found.unlock()
        _ = found.fingerprint
    assert caught.value.hint


def test_swapped_keys_are_told(folder: Path, tmp_path: Path) -> None:
    make(folder)
    other = make(tmp_path / "other")
    (folder / "log.pem").write_bytes((other.folder / "log.pem").read_bytes())
    with pytest.raises(KeyUnavailable, match="log key"):
        Identity.load(folder).unlock()


def test_a_newer_version_is_told(folder: Path) -> None:
    make(folder)
    public = json.loads((folder / "identity.json").read_text())
    (folder / "identity.json").write_text(json.dumps({**public, "version": 2}))
    with pytest.raises(KeyUnavailable, match="version 2"):
        Identity.load(folder)


@posix
@pytest.mark.parametrize("file", ["issuing.pem", "signing.pem", "log.pem"])
def test_keys_that_others_can_read_are_refused(folder: Path, file: str) -> None:
    make(folder)
    (folder / file).chmod(0o640)
    with pytest.raises(KeyUnavailable, match="read by others") as caught:
        make(folder)
    assert "chmod 600" in caught.value.hint


@posix
def test_a_folder_that_others_can_change_is_refused(folder: Path) -> None:
    make(folder)
    folder.chmod(0o770)
    with pytest.raises(KeyUnavailable, match="others can change"):
        make(folder)


def test_a_folder_with_other_things_is_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(KeyUnavailable, match="not empty"):
        make(folder)
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]
    assert [p.name for p in folder.parent.iterdir()] == ["keys"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "two\nlines", "\x1b[31m"])
def test_names_that_certificates_cannot_hold(folder: Path, name: str) -> None:
    with pytest.raises(UsageError):
        Identity.load_or_create(folder, name=name)
    assert not folder.exists()


def test_rotation_keeps_the_root_the_log_and_the_history(folder: Path) -> None:
    made = make(folder, b"x")
    old = made.leaf
    fresh = rotate_leaf(rotate_leaf(made))
    assert fresh.leaf.serial_number != old.serial_number and fresh.leaf.public_key() != old.public_key()
    assert (fresh.root_pem, fresh.log_vkey, fresh.issuing) == (made.root_pem, made.log_vkey, made.issuing)
    assert len(fresh.history) == 2 and load_chain(b"".join(fresh.history))[0] == old
    assert b"PRIVATE" not in b"".join(fresh.history)
    chain, root = load_chain(fresh.chain_pem), load_chain(fresh.root_pem)
    assert check_chain(chain, root, at=NOW).trusted
    fresh.unlock()


def test_expiry_is_visible(folder: Path) -> None:
    made = make(folder)
    later = Identity.load(folder, clock=lambda: NOW + timedelta(days=366))
    assert not made.expired and later.expired and later.expires.tzinfo is not None
    with pytest.raises(KeyUnavailable, match="expired") as caught:
        later.signer()
    assert "rotate" in caught.value.hint
    renewed = rotate_leaf(later)
    assert not renewed.expired and renewed.signer().sign(b"x")
    late = Identity.load(folder, clock=lambda: NOW + timedelta(days=11 * 365))
    with pytest.raises(KeyUnavailable, match="issuing CA"):
        rotate_leaf(late)


def test_the_root_key_can_go_offline(folder: Path, tmp_path: Path) -> None:
    made = make(folder, b"x")
    assert made.root_key_here
    move_root_key(made, tmp_path / "stick.pem")
    assert not made.root_key_here and b"ENCRYPTED" in (tmp_path / "stick.pem").read_bytes()
    rotate_leaf(make(folder, b"x")).unlock()
    with pytest.raises(KeyUnavailable):
        move_root_key(made, tmp_path / "again.pem")
    with pytest.raises(UsageError):
        move_root_key(made, tmp_path / "stick.pem")


def test_a_root_key_that_cannot_be_moved_stays(folder: Path, tmp_path: Path) -> None:
    made = make(folder, b"x")
    with pytest.raises(KeyUnavailable, match="cannot write"):
        move_root_key(made, tmp_path / "no such folder" / "stick.pem")
    assert made.root_key_here


def test_without_a_passphrase_there_is_no_root_key(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="never written"):
        move_root_key(make(folder), tmp_path / "stick.pem")
    assert not (tmp_path / "stick.pem").exists()


def run(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def test_of_many_makers_one_wins(folder: Path, tmp_path: Path) -> None:
    code = """
        import pathlib, sys, time
        from safegen.keys.identity import Identity
        print("ready", flush=True)
        while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.005)
        made = Identity.load_or_create(pathlib.Path(sys.argv[1]), name="Studio")
        made.unlock()
        print(made.fingerprint, made.log_vkey)
    """
    makers = [run(code, folder, tmp_path / "go") for _ in range(4)]
    for maker in makers:
        assert maker.stdout is not None and maker.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    answers = {maker.communicate(timeout=300)[0] for maker in makers}
    assert len(answers) == 1 and all(maker.returncode == 0 for maker in makers)
    assert [p.name for p in folder.parent.iterdir()] == ["keys"]


@posix
@pytest.mark.parametrize("writes", range(6))
def test_killed_in_the_middle_leaves_nothing_half(folder: Path, writes: int) -> None:
    """SIGKILL after so many of the five files and before the rename."""
    code = """
        import os, pathlib, signal, sys
        from safegen.keys import creation
        from safegen.keys.identity import Identity
        left, write = int(sys.argv[2]), creation.write_private
        def counting(path, data):
            global left
            if left == 0: os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            write(path, data)
        creation.write_private = counting
        creation._publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        Identity.load_or_create(pathlib.Path(sys.argv[1]), name="Studio")
    """
    killed = run(code, folder, writes)
    killed.wait(timeout=300)
    assert killed.returncode == -signal.SIGKILL
    assert not folder.exists()
    left = list(folder.parent.iterdir())
    assert len(left) == 1 and left[0].name.startswith(".keys.making-")
    make(folder).unlock()
    os.utime(left[0], (0, 0))
    for path in folder.iterdir():
        path.unlink()
    make(folder)
    assert [p.name for p in folder.parent.iterdir()] == ["keys"], "the stale one was swept"


@posix
def test_a_failed_write_keeps_the_old_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(folder)
    before = (folder / "signing.pem").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(KeyUnavailable, match="No space"):
        rotate_leaf(made)
    monkeypatch.undo()
    assert (folder / "signing.pem").read_bytes() == before
    assert not [p for p in folder.rglob("*") if ".tmp" in p.name]
    make(folder).unlock()
