"""From a mark to its manifest: through a resolution service (a real one over TLS), and through the ledger."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from click.testing import CliRunner

from safegen import Verdict
from safegen.cli import group
from safegen.credentials import remote
from safegen.credentials.assertions import binding_value
from safegen.credentials.manifest import build_manifest
from safegen.credentials.sign import sign_file
from safegen.errors import GateFailed, UsageError
from safegen.ledger import Ledger
from safegen.types import Report, WatermarkReading
from safegen.verification import local_lookup, run, soft_binding_api, watermarks
from safegen.workspace import config
from tests.e2e.conftest import Studio
from tests.e2e.makers import TILE, Maker, inputs, paint
from tests.e2e.tls import self_signed

MARK = 0x1234_5678_9ABC_DEF0


class Service:
    """A manifest repository with the calls of the C2PA Soft Binding Resolution API."""

    def __init__(self, folder: Path) -> None:
        self.by_value: dict[tuple[str, str], list[str]] = {}
        self.stores: dict[str, bytes] = {}
        self.matches: bytes | None = None
        self.by_content: dict[str, list[dict[str, object]]] = {}
        self.sent: list[tuple[str, str]] = []
        self.refuses: int | None = None
        self.asked: list[str] = []
        server_side, self.client = self_signed(folder)
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 300

            def do_GET(self) -> None:
                service.asked.append(self.path)
                body, kind = service.answer(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body or b"")

            def do_POST(self) -> None:
                service.asked.append(self.path)
                if service.refuses is not None:  # without a look at what is sent
                    self.send_response(service.refuses)
                    self.end_headers()
                    return
                shown = self.rfile.read(int(self.headers["Content-Length"]))
                digest = hashlib.sha256(shown).hexdigest()
                service.sent.append((self.headers["Content-Type"], digest))
                self.send_response(200)
                self.end_headers()
                found = json.dumps({"matches": service.by_content.get(digest, [])}).encode()
                self.wfile.write(found if service.matches is None else service.matches)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # The handshake is for each connection's own thread: in accept() a silent client stops them all.
        self.server.socket = server_side.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://localhost:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, path: str) -> tuple[bytes | None, str]:
        parts = urlsplit(path)
        if parts.path == "/v1/matches/byBinding":
            query = parse_qs(parts.query)
            ids = self.by_value.get((query["alg"][0], query["value"][0]), [])
            shown = json.dumps({"matches": [{"manifestId": i, "similarityScore": 100} for i in ids]}).encode()
            return self.matches if self.matches is not None else shown, "application/json"
        return self.stores.get(unquote(parts.path.removeprefix("/v1/manifests/"))), "application/c2pa"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service(tmp_path)
    real = remote.fetch_manifest

    def local(url: str, hosts: list[str], **asked: Any) -> bytes:
        return real(url, hosts, allowed=lambda _: True, context=made.client, **asked)

    monkeypatch.setattr(remote, "fetch_manifest", local)
    yield made
    made.server.shutdown()


@pytest.fixture
def stripped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip without credentials in which the id MARK is read (painted clips are too small for a mark)."""
    reading = WatermarkReading(TILE, True, MARK, -90.0, True)
    monkeypatch.setattr(
        watermarks,
        "detect_watermarks",
        lambda *_: watermarks.WatermarkSearch((reading,), None, frozenset({TILE})),
    )
    return paint(tmp_path / "stripped.mp4")


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("resolving") / "workspace")


def known(
    service: Service, maker: Maker, folder: Path, *, content_id: int = MARK, of: Path | None = None
) -> str:
    """Register a manifest for MARK; its id. *of*: the file that it is about (default: another one)."""
    source = of or paint(folder / "other.mp4", seed=9)
    made = sign_file(
        source,
        folder / "signed.mp4",
        build_manifest(inputs(content_id)),
        signer=maker.identity.signer(),
        manifest_location="sidecar" if of else "embedded",
    )
    service.stores[made.manifest_id] = made.manifest_bytes
    service.by_value[(TILE, binding_value(MARK))] = [made.manifest_id]
    return made.manifest_id


def ask(maker: Maker, path: Path, url: str | None, *, send: bool = False) -> Report:
    return run.verify_file(path, workspace=config.find_workspace(maker.root), resolve=url, send=send)


def reasons(report: Report) -> str:
    return " ".join(n.reason for n in report.not_checked)


def test_a_lead_is_no_proof(service: Service, stripped: Path, maker: Maker, tmp_path: Path) -> None:
    manifest_id = known(service, maker, tmp_path)
    report = ask(maker, stripped, service.url)
    assert report.verdict is Verdict.MARKED_UNRESOLVED
    assert manifest_id in " ".join(report.reasons)
    assert report.recovered_manifest is not None
    assert len(service.asked) == 2


def test_nobody_is_asked_unless_named(service: Service, stripped: Path, maker: Maker, tmp_path: Path) -> None:
    known(service, maker, tmp_path)
    assert ask(maker, stripped, None).verdict is Verdict.MARKED_UNRESOLVED
    assert not service.asked


def test_a_manifest_about_these_very_bytes(
    service: Service, stripped: Path, maker: Maker, tmp_path: Path
) -> None:
    """Signed with the manifest kept elsewhere: then it counts like one that lies beside the file."""
    known(service, maker, tmp_path, of=stripped)
    report = ask(maker, stripped, service.url)
    assert report.verdict is Verdict.SIGNED_UNLOGGED
    assert report.credentials.source == "resolved"


def test_a_manifest_of_another_mark(service: Service, stripped: Path, maker: Maker, tmp_path: Path) -> None:
    known(service, maker, tmp_path, content_id=MARK + 1)
    report = ask(maker, stripped, service.url)
    assert report.recovered_manifest is None
    assert "does not name this mark" in reasons(report)


def test_a_broken_manifest(service: Service, stripped: Path, maker: Maker, tmp_path: Path) -> None:
    manifest_id = known(service, maker, tmp_path)
    store = service.stores[manifest_id]
    service.stores[manifest_id] = store.replace(b"Studio Nord", b"Studio Sued")
    report = ask(maker, stripped, service.url)
    assert report.recovered_manifest is None
    assert "does not verify" in reasons(report)


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"matches": 7}', b'{"matches": [{}]}', b"\xff" * 9])
def test_services_that_misbehave(service: Service, stripped: Path, maker: Maker, answer: bytes) -> None:
    service.matches = answer
    report = ask(maker, stripped, service.url)
    assert report.verdict is Verdict.MARKED_UNRESOLVED
    assert "not a list of matches" in reasons(report)


def test_unknown_ids_and_dead_services(service: Service, stripped: Path, maker: Maker) -> None:
    assert "has no manifest" in reasons(ask(maker, stripped, service.url))
    service.matches = b'{"matches": [{"manifestId": "urn:gone"}]}'
    assert "answered 404" in reasons(ask(maker, stripped, service.url))
    assert "failed" in reasons(ask(maker, stripped, "https://localhost:9/v1"))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip with neither credentials nor a mark."""
    monkeypatch.setattr(watermarks, "detect_watermarks", lambda *_: watermarks.WatermarkSearch())
    return paint(tmp_path / "bare.mp4", seed=3)


def shown(service: Service, path: Path, *found: dict[str, object]) -> None:
    """The service knows what *path* shows."""
    service.by_content[hashlib.sha256(path.read_bytes()).hexdigest()] = list(found)


def test_by_content_is_a_lead(service: Service, bare: Path, maker: Maker, tmp_path: Path) -> None:
    manifest_id = known(service, maker, tmp_path)
    shown(service, bare, {"manifestId": manifest_id, "similarityScore": 87})
    report = ask(maker, bare, service.url, send=True)
    assert report.verdict is Verdict.NO_PROVENANCE
    assert manifest_id in report.reasons[0]
    assert "87 of 100" in report.reasons[0]
    assert report.recovered_manifest is not None
    ((kind, digest),) = service.sent
    assert (kind, digest) == ("video/mp4", hashlib.sha256(bare.read_bytes()).hexdigest())
    assert service.asked[0] == f"/v1/matches/byContent?maxResults={soft_binding_api.MAX_MATCHES}"


def test_no_file_is_sent_unless_told(service: Service, bare: Path, maker: Maker, tmp_path: Path) -> None:
    shown(service, bare, {"manifestId": known(service, maker, tmp_path)})
    assert ask(maker, bare, service.url).recovered_manifest is None
    assert service.asked == []


def test_no_file_is_sent_where_the_mark_was_enough(
    service: Service, stripped: Path, maker: Maker, tmp_path: Path
) -> None:
    known(service, maker, tmp_path)
    assert ask(maker, stripped, service.url, send=True).recovered_manifest is not None
    assert service.sent == []


def test_by_content_about_these_very_bytes(
    service: Service, bare: Path, maker: Maker, tmp_path: Path
) -> None:
    shown(service, bare, {"manifestId": known(service, maker, tmp_path, of=bare)})
    report = ask(maker, bare, service.url, send=True)
    assert report.verdict is Verdict.SIGNED_UNLOGGED
    assert report.credentials.source == "resolved"


def test_by_content_names_another_mark(
    service: Service, stripped: Path, maker: Maker, tmp_path: Path
) -> None:
    manifest_id = known(service, maker, tmp_path, content_id=MARK + 1)
    service.by_value.clear()
    shown(service, stripped, {"manifestId": manifest_id})
    report = ask(maker, stripped, service.url, send=True)
    assert report.recovered_manifest is None
    assert "a different mark" in reasons(report)


def test_by_content_leads_to_no_other_service(
    service: Service, bare: Path, maker: Maker, tmp_path: Path
) -> None:
    manifest_id = known(service, maker, tmp_path)
    shown(service, bare, {"manifestId": manifest_id, "endpoint": "https://elsewhere.example/v1"})
    report = ask(maker, bare, service.url, send=True)
    assert report.recovered_manifest is None
    assert "elsewhere.example/v1, a host you did not name" in reasons(report)
    shown(service, bare, {"manifestId": manifest_id, "endpoint": f"{service.url}/", "similarityScore": True})
    report = ask(maker, bare, service.url, send=True)
    assert report.recovered_manifest is not None
    assert "similarity" not in report.reasons[0]


@pytest.mark.parametrize("status", [413, 415, 500])
def test_a_service_that_will_not_have_the_file(
    service: Service, bare: Path, maker: Maker, status: int
) -> None:
    service.refuses = status
    with bare.open("ab") as file:  # more than any buffer between the two holds
        file.write((2**23).to_bytes(4, "big") + b"free" + bytes(2**23 - 8))
    report = ask(maker, bare, service.url, send=True)
    assert report.verdict is Verdict.NO_PROVENANCE
    assert f"answered {status}" in reasons(report) or "failed" in reasons(report)


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"matches": 7}', b'{"matches": ["x"]}', b"\xff" * 9])
def test_by_content_and_services_that_misbehave(
    service: Service, bare: Path, maker: Maker, answer: bytes
) -> None:
    service.matches = answer
    report = ask(maker, bare, service.url, send=True)
    assert report.verdict is Verdict.NO_PROVENANCE
    assert "not a list of matches" in reasons(report)


def test_a_file_is_not_sent_for_ever(
    service: Service, bare: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "UPLOAD_SECONDS", 0.0)
    assert "TimeoutError" in reasons(ask(maker, bare, service.url, send=True))
    monkeypatch.setattr(remote, "MAX_UPLOAD_BYTES", 10)
    assert "are not sent" in reasons(ask(maker, bare, service.url, send=True))
    assert service.sent == []


def test_by_content_at_the_command_line(service: Service, bare: Path, maker: Maker, tmp_path: Path) -> None:
    shown(service, bare, {"manifestId": known(service, maker, tmp_path)})
    arguments = ["verify", str(bare), "--workspace", str(maker.root), "--json", "--resolve-by-content"]
    assert CliRunner().invoke(group, arguments).exit_code == 2
    done = CliRunner().invoke(group, [*arguments, "--resolve", service.url])
    assert done.exit_code == Verdict.NO_PROVENANCE.exit_code, done.output
    assert json.loads(done.stdout)["recovered_manifest"]
    assert len(service.sent) == 1


@pytest.mark.parametrize(
    "url", ["http://localhost/", "localhost", "https://", "https://u:p@h/", "https://h/?q=1"]
)
def test_addresses_that_are_none(stripped: Path, maker: Maker, url: str) -> None:
    with pytest.raises(UsageError, match="not the address"):
        ask(maker, stripped, url)


def test_private_addresses_are_not_asked(stripped: Path, maker: Maker) -> None:
    assert "public Internet" in reasons(ask(maker, stripped, "https://localhost/v1"))


def test_by_the_own_ledger(maker: Maker, tmp_path: Path) -> None:
    clip = maker.release(tmp_path / "clip.mp4", content_id=77)
    with maker.ledger(read_only=True) as ledger:
        (found,) = local_lookup.find_local_releases(ledger, 77)
        assert found.sha256 == maker.verify(clip).sha256
        assert local_lookup.find_local_releases(ledger, 78) == []
    out = tmp_path / "manifest.c2pa"
    arguments = ["log", "resolve", f"{77:016x}", "-o", str(out), "--workspace", str(maker.root), "--json"]
    done = CliRunner().invoke(group, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["manifest_id"] == found.manifest_id
    assert out.read_bytes() == found.manifest
    missing = CliRunner().invoke(group, ["log", "resolve", "f" * 16, "--workspace", str(maker.root)])
    assert isinstance(missing.exception, GateFailed)


@pytest.mark.slow
def test_a_copy_leads_to_its_release(studio: Studio) -> None:
    """A real mark: the release of a real clip is found by the file itself, and not by a stranger's clip."""
    with Ledger.open(config.find_workspace(studio.workspace).ledger_url, read_only=True) as ledger:
        (found,) = local_lookup.find_local_releases(ledger, studio.first.path)
    assert found.manifest_id == studio.first.manifest_id
