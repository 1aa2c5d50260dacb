"""What verify takes besides a file: folders, times, and manifests that lie elsewhere."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import safegen
from safegen import Verdict
from safegen._util.time import parse_moment
from safegen.credentials.remote import fetch_manifest, is_public
from safegen.errors import CheckUnavailable, UnreadableInput, UsageError
from safegen.verification.batch import collect_files
from tests.e2e.makers import Maker, hand_over
from tests.e2e.tls import self_signed

PATIENCE = 300.0
"""Seconds of silence, unless the test is over before."""


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("remote") / "workspace")


@pytest.fixture
def handed(maker: Maker, tmp_path: Path) -> Path:
    return hand_over(maker.release(tmp_path / "clip.mp4"), tmp_path / "inbox")


def test_folders(handed: Path, tmp_path: Path) -> None:
    folder = handed.parent
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    shutil.copy(handed, deep / "renamed.txt")
    (deep / "notes.mp4").write_text("no video at all")
    (folder / ".hidden").mkdir()
    shutil.copy(handed, folder / ".hidden" / "x.mp4")
    (folder / "round").symlink_to(folder)
    (folder / "link.mp4").symlink_to(handed)
    found = collect_files([folder, handed])
    assert [f.name for f in found.files] == ["clip.mp4", "renamed.txt"]
    assert found.ignored == 2  # the proof and the text
    assert collect_files([tmp_path / "missing.mp4"]).files == (tmp_path / "missing.mp4",)


def test_moments() -> None:
    assert parse_moment("2027-03-01") == datetime(2027, 3, 1, tzinfo=UTC)
    assert parse_moment("2027-03-01T12:00:00+01:00") == datetime(2027, 3, 1, 11, tzinfo=UTC)
    with pytest.raises(safegen.SafegenError, match="is not a time"):
        parse_moment("yesterday")


PRIVATE = (
    "127.0.0.1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 ::1 fe80::1 "
    "fc00::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1:: 255.255.255.255 nonsense"
)


def test_private_addresses_are_never_public() -> None:
    assert not [address for address in PRIVATE.split() if is_public(address)]
    assert is_public("93.184.216.34") and is_public("2606:2800:220:1::1")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://localhost/m", "https"),
        ("https://localhost/m", "public Internet"),
        ("https://elsewhere.example/m", "did not allow"),
        ("https://user:pw@localhost/m", "https"),
        ("file:///etc/passwd", "https"),
        ("https://localhost:99999/m", "malformed"),
        ("https://[::1/m", "malformed"),
    ],
)
def test_remote_addresses_that_are_refused(url: str, why: str) -> None:
    with pytest.raises(UnreadableInput, match=why):
        fetch_manifest(url, ["localhost"])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: https://x/\r\nContent-Length: 0\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 2**21, "larger"),
        (b"nonsense\r\n\r\n", "failed"),
    ],
)
def test_servers_that_misbehave(
    answer: bytes, why: str, tls: tuple[int, list[bytes], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safegen.credentials.remote.MAX_BYTES", 2**20)
    port, replies, context = tls
    replies[:] = [answer]
    with pytest.raises(UnreadableInput, match=why):
        fetch_manifest(f"https://localhost:{port}/m", ["localhost"], allowed=lambda _: True, context=context)


def test_a_remote_manifest_is_fetched_and_checked(
    shared: Path, tls: tuple[int, list[bytes], ssl.SSLContext], maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, replies, context = tls
    store = (shared / "data/c2pa/rs_cloud_manifest.c2pa").read_bytes()
    replies[:] = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(store) + store]
    address = f"https://localhost:{port}/m"
    got = fetch_manifest(address, ["LOCALHOST"], allowed=lambda _: True, context=context)
    assert got == store
    monkeypatch.setattr("safegen.credentials.remote.fetch_manifest", lambda *_: got)
    file = shared / "data/c2pa/py_cloud.jpg"
    report = maker.verify(file, fetch_remote=["cai-manifests.adobe.com"])
    assert report.verdict is Verdict.SIGNED_UNTRUSTED
    monkeypatch.setattr("safegen.credentials.remote.fetch_manifest", lambda *_: b"\0" * 64 + got)
    assert maker.verify(file, fetch_remote=["x"]).verdict is not Verdict.VERIFIED


def test_slow_servers_are_left(
    tls: tuple[int, list[bytes], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safegen.credentials.remote.FETCH_SECONDS", 0.5)
    port, replies, context = tls
    replies[:] = [b""]  # never answers
    with pytest.raises(UnreadableInput, match="failed"):
        fetch_manifest(f"https://localhost:{port}/m", ["localhost"], allowed=lambda _: True, context=context)
    assert replies == [b""], "the server has not moved on"


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[int, list[bytes], ssl.SSLContext]]:
    """A TLS server on the loopback interface that answers what the test put into the list."""
    context, client = self_signed(tmp_path)
    listener = socket.create_server(("127.0.0.1", 0))
    replies: list[bytes] = []
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                raw, _ = listener.accept()
                with context.wrap_socket(raw, server_side=True) as channel:
                    channel.recv(4096)
                    if replies[0]:
                        channel.sendall(replies[0])
                    else:
                        stop.wait(PATIENCE)
                        replies[:] = [b"late"]
            except (OSError, ssl.SSLError):
                continue

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1], replies, client
    stop.set()
    listener.close()


def test_command_line(handed: Path, maker: Maker, tmp_path: Path) -> None:
    """A folder, a page, a time, and a compliance answer, as a user asks for them."""
    import json

    from click.testing import CliRunner

    from safegen.cli.comply import command as comply
    from safegen.cli.verify import command as verify

    def run(command: object, *arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(command, [str(a) for a in (*arguments, "--workspace", maker.root)])  # type: ignore[arg-type]
        return done.exit_code, done.stdout

    page = tmp_path / "report.html"
    (handed.parent / "broken.mp4").write_bytes(b"")
    code, out = run(verify, handed.parent, "--json", "--no-watermark", "--html", page)
    answers = json.loads(out)
    assert [a.get("verdict") for a in answers] == [None, "VERIFIED"]
    assert code == 2 and answers[0]["exit_code"] == 2
    text = page.read_text(encoding="utf-8")
    assert "UNREADABLE" in text and "VERIFIED" in text and "data:image/jpeg;base64," in text
    assert run(verify, handed, "--html", page)[0] == 2
    assert run(verify, handed, "--no-watermark", "--at", "2099-01-01")[0] == 11
    code, out = run(comply, handed, "--rule", "eu-ai-act-50", "--json")
    unmet = {r["id"] for r in json.loads(out)["requirements"] if r["status"] == "not_met"}
    assert (code, "time-stamped" in unmet) == (9, True)


def test_a_fragmented_mp4_is_judged_with_its_fragments(shared: Path, maker: Maker, tmp_path: Path) -> None:
    """By itself its first part is not called tampered with; together a changed fragment is."""
    first, part = shared / "data/c2pa/rs_dashinit.mp4", shared / "data/c2pa/rs_dash1.m4s"
    with pytest.raises(CheckUnavailable, match="initialisation segment"):
        safegen.verify(first, workspace=maker.root)
    report = safegen.verify(first, workspace=maker.root, fragments=[part])
    assert report.verdict is Verdict.SIGNED_UNTRUSTED
    said = {n.layer: n.reason for n in report.not_checked}
    assert "fragments" in said
    assert "are in the fragments" in said["watermark"]
    changed = tmp_path / "changed.m4s"
    data = bytearray(part.read_bytes())
    data[-100] ^= 1
    changed.write_bytes(bytes(data))
    for fragments in ([changed], [part, changed], [changed, part]):
        report = safegen.verify(first, workspace=maker.root, fragments=fragments)
        assert report.verdict is Verdict.TAMPERED
    alien = tmp_path / "alien.m4s"
    alien.write_bytes(b"no fragment at all")
    assert safegen.verify(first, workspace=maker.root, fragments=[alien]).verdict is not Verdict.VERIFIED
    assert safegen.verify(first, workspace=maker.root, fragments=[alien]).exit_code >= 30
    with pytest.raises(UnreadableInput):
        safegen.verify(first, workspace=maker.root, fragments=[tmp_path / "missing.m4s"])
    whole = maker.release(tmp_path / "whole.mp4", content_id=0x4711)
    with pytest.raises(UsageError, match="not the first part"):
        safegen.verify(whole, workspace=maker.root, fragments=[whole])
    altered = tmp_path / "first.mp4"
    altered.write_bytes(first.read_bytes().replace(b"video/mp4i", b"video/mp5i"))
    assert safegen.verify(altered, workspace=maker.root, watermark=False).verdict is Verdict.TAMPERED
