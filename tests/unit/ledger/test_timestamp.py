"""RFC 3161 stamps over checkpoints: what an authority may answer, and what does not count."""

from __future__ import annotations

import http.server
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from safegen.errors import LedgerError, UsageError
from safegen.keys.identity import Identity
from safegen.ledger import Ledger, LogSigner, timestamp
from safegen.ledger.timestamp_der import with_sorted_certificates
from tests.unit.credentials.conftest import Tsa, identity, tsa  # noqa: F401

BODY = b"example.com/log\n7\n" + b"QUFB" * 10 + b"QUE=\n"
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    servers = []

    def start(answer: Answer) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 300

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()


def reply(data: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def test_a_stamp_verifies_over_its_checkpoint_only(tsa: Tsa) -> None:  # noqa: F811
    token = timestamp.request_stamp(tsa.url, BODY)
    when = timestamp.verify_stamp(token, BODY, [tsa.root])
    assert abs(when - datetime.now(UTC)) < timedelta(minutes=2)
    with pytest.raises(timestamp.StampRejected, match=r"does not verify: it is about something else$"):
        timestamp.verify_stamp(token, BODY.replace(b"7", b"8"), [tsa.root])
    with pytest.raises(timestamp.StampRejected, match="no time stamp authority"):
        timestamp.verify_stamp(token, BODY, [])
    with pytest.raises(timestamp.StampRejected, match="future"):
        timestamp.verify_stamp(token, BODY, [tsa.root], now=lambda: when - timedelta(hours=1))


def test_openssl_agrees(tsa: Tsa, tmp_path: Path) -> None:  # noqa: F811
    """As docs/ledger.md says: the three lines and the kept file are all that others need."""
    (tmp_path / "lines.txt").write_bytes(BODY)
    (tmp_path / "root.pem").write_bytes(tsa.root)
    (tmp_path / "stamp.tsr").write_bytes(timestamp.request_stamp(tsa.url, BODY))
    command = "openssl ts -verify -data lines.txt -in stamp.tsr -CAfile root.pem"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_changed_byte_is_noticed(tsa: Tsa) -> None:  # noqa: F811
    token = timestamp.request_stamp(tsa.url, BODY)
    when = timestamp.verify_stamp(token, BODY, [tsa.root])
    for at in range(0, len(token), 7):
        forged = bytearray(token)
        forged[at] ^= 0x41
        try:
            assert timestamp.verify_stamp(bytes(forged), BODY, [tsa.root]) == when
        except timestamp.StampRejected:
            continue


def test_certificates_are_sorted_and_nothing_else(tsa: Tsa) -> None:  # noqa: F811
    token = timestamp.request_stamp(tsa.url, BODY)
    once = with_sorted_certificates(token)
    assert sorted(once) == sorted(token)
    assert with_sorted_certificates(once) == once


@given(
    st.binary(max_size=200)
    | st.builds(lambda b: b"\x30\x0a\x30\x08\x06\x00\xa0\x04\x30\x02\xa0" + b, st.binary())
)
def test_other_bytes_pass_unchanged_in_length(data: bytes) -> None:
    assert len(with_sorted_certificates(data)) == len(data)
    with pytest.raises(timestamp.StampRejected):
        timestamp._decode(data)


def test_another_root_does_not_vouch(tsa: Tsa, tmp_path: Path) -> None:  # noqa: F811
    from safegen.keys.identity import Identity

    other = Identity.load_or_create(tmp_path / "keys", name="Nobody").root_pem
    token = timestamp.request_stamp(tsa.url, BODY)
    with pytest.raises(timestamp.StampRejected, match="of no authority that you trust: see"):
        timestamp.verify_stamp(token, BODY, [other])


def test_a_replayed_answer_is_refused(tsa: Tsa, serve: Callable[[Answer], str]) -> None:  # noqa: F811
    old = timestamp.request_stamp(tsa.url, BODY)
    with pytest.raises(LedgerError, match="a different request"):
        timestamp.request_stamp(serve(reply(old)), BODY)


def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    stop = threading.Event()
    for _ in range(20):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        stop.wait(0.1)


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"hello"),
        reply(b""),
        reply(b"", 500),
        reply(b"", 302, Location="http://example.com/"),
        reply(b"0" * (timestamp.MAX_TOKEN + 1)),
        slow,
    ],
    ids=["junk", "empty", "error", "redirect", "large", "slow"],
)
def test_an_authority_that_misbehaves(serve: Callable[[Answer], str], answer: Answer) -> None:
    with pytest.raises(LedgerError, match="returned no stamp"):
        timestamp.request_stamp(serve(answer), BODY, seconds=0.5)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "", "http://", "http://u:p@h/"])
def test_only_plain_web_addresses(url: str) -> None:
    with pytest.raises(UsageError):
        timestamp.request_stamp(url, BODY)


def test_stamps_are_kept_beside_the_checkpoints(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append("audit", {"n": 1})
    folder = tmp_path / "checkpoints"
    for size, token in ((12, b"b"), (3, b"a"), (1, b"z")):
        timestamp.store_stamp(folder, f"example.com/log\n{size}\nQUFB\n".encode(), token)
    (folder / "x-1.tsr").write_bytes(b"not ours")
    assert [(k.size, k.token) for k in timestamp.read_stamps(folder, 2)] == [(3, b"a"), (12, b"b")]
    assert not (folder / "3-QUFB.tsr").stat().st_mode & 0o077


def codes(ledger: Ledger, *authorities: bytes) -> set[str]:
    return {p.code for p in ledger.check(authorities=authorities).problems}


def test_check_looks_at_the_stamps(
    ledger: Ledger,
    tmp_path: Path,
    tsa: Tsa,  # noqa: F811
    identity: Identity,  # noqa: F811
) -> None:
    folder = tmp_path / "checkpoints"
    for n in range(3):
        ledger.append("audit", {"n": n})
        body = timestamp.checkpoint_body(ledger.checkpoint())
        timestamp.store_stamp(folder, body, timestamp.request_stamp(tsa.url, body))
    report = ledger.check(authorities=[tsa.root])
    assert report.ok, report.problems
    assert report.stamps == 3
    assert any("not checked" in note for note in ledger.check().notes)
    assert codes(ledger, identity.root_pem) == {"stamp-untrusted"}
    second = next(folder.glob("2-*.tsr"))
    genuine = second.read_bytes()
    for bad, code in (
        (b"garbage", "stamp-corrupt"),
        (b"x" * (timestamp.MAX_TOKEN + 1), "stamp-corrupt"),
        (next(folder.glob("3-*.tsr")).read_bytes(), "stamp-forked"),
    ):
        second.write_bytes(bad)
        assert codes(ledger, tsa.root) == codes(ledger) == {code}
    second.write_bytes(genuine)
    (folder / "9-AAAA.tsr").write_bytes(genuine)
    assert codes(ledger, tsa.root) == {"rolled-back"}


def test_a_clock_that_ran_ahead_is_noted(tmp_path: Path, tsa: Tsa) -> None:  # noqa: F811
    ahead = datetime.now(UTC) + timedelta(days=1)
    signer = LogSigner("example.com/ahead", Ed25519PrivateKey.generate())
    folder = tmp_path / "checkpoints"
    with Ledger.open(tmp_path / "a.db", signer=signer, checkpoint_dir=folder, clock=lambda: ahead) as ledger:
        ledger.append("audit", {})
        body = timestamp.checkpoint_body(ledger.checkpoint())
        timestamp.store_stamp(folder, body, timestamp.request_stamp(tsa.url, body))
        report = ledger.check(authorities=[tsa.root])
    assert report.ok
    assert any("dated after" in note for note in report.notes)
