"""A small video, identities, and a local time stamp authority."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from safegen.errors import SafegenError
from safegen.keys.identity import Identity
from safegen.types import Json
from tests.e2e.responder import Responder

CREATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of 64x64 H.264 in an MP4, about 2 kB."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for i in range(8):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), i * 25, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """An identity without a passphrase."""
    return Identity.load_or_create(tmp_path_factory.mktemp("home") / "keys", name="Studio Nord")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Another maker."""
    return Identity.load_or_create(tmp_path_factory.mktemp("other") / "keys", name="Stranger")


@pytest.fixture
def own(tmp_path: Path) -> Identity:
    """An identity of one test's own."""
    return Identity.load_or_create(tmp_path / "keys", name="Studio Nord")


@pytest.fixture
def responder(own: Identity) -> Iterator[Responder]:
    """An OCSP responder for its certificate."""
    made = Responder(own)
    yield made
    made.server.shutdown()


@pytest.fixture
def definition() -> Json:
    """The smallest manifest of a generated video."""
    action = {"action": "c2pa.created", "digitalSourceType": CREATED}
    return {
        "claim_generator_info": [{"name": "safegen", "version": "0"}],
        "title": "clip",
        "format": "video/mp4",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }


@pytest.fixture
def signed(video: Path, identity: Identity, definition: Json, tmp_path: Path) -> Path:
    """The video, signed by ``identity``."""
    from safegen.credentials.sign import sign_file

    path = tmp_path / "signed.mp4"
    sign_file(video, path, definition, signer=identity.signer())
    return path


@pytest.fixture(scope="session")
def rows(shared: Path) -> list[Json]:
    """What c2pa says about the field's own test files."""
    found: list[Json] = json.loads((shared / "data/c2pa/expected.json").read_text())["rows"]
    return found


@pytest.fixture(scope="session")
def field_anchors(shared: Path) -> str:
    """The roots of those files' test certificates."""
    settings = json.loads((shared / "data/c2pa/trust_config_test_settings.json").read_text())
    return str(settings["trust"]["trust_anchors"])


def short_lived(folder: Path, seconds: float) -> Identity:
    """An identity whose leaf ends *seconds* from now."""
    start = datetime.now(UTC) - timedelta(days=365) + timedelta(seconds=seconds)
    made = Identity.load_or_create(folder, name="Ephemeral", clock=lambda: start)
    return Identity.load(made.folder)


def in_time(folder: Path, work: Callable[[Identity], None], seconds: float = 2.5) -> Identity:
    """*work* done with an identity whose leaf ends in *seconds*, or later where the machine is too slow."""
    failed: BaseException | None = None
    for attempt in range(8):
        made = short_lived(folder / f"{attempt}", seconds * 2**attempt)
        try:
            work(made)
        except (SafegenError, AssertionError) as error:
            failed = error
            continue
        if datetime.now(UTC) + timedelta(seconds=1) < made.expires:
            return made
    raise AssertionError("it cannot be done in time") from failed


@pytest.fixture
def ephemeral(tmp_path: Path) -> Callable[[Callable[[Identity], None]], Identity]:
    """The identity with which something was done before its leaf ended, which is soon."""
    return lambda work: in_time(tmp_path / "ephemeral", work)


class Tsa:
    """A time stamp authority: ``url`` and its root as PEM."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = _tsa_certificates(folder)
        handler = _handler(folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tsa]:
    """A local RFC 3161 authority on the loopback interface (``openssl ts`` answers)."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    authority = Tsa(tmp_path_factory.mktemp("tsa"))
    yield authority
    authority.server.shutdown()


def _handler(folder: Path) -> type[http.server.BaseHTTPRequestHandler]:
    alone = threading.Lock()  # a client that keeps its line open must not keep shutdown() waiting: threads

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 300

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            with alone:
                answer = stamped(asked)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    def stamped(asked: bytes) -> bytes:
        query, reply = folder / "query.tsq", folder / "reply.tsr"
        query.write_bytes(asked)
        command = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", query, "-out", reply]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
        return reply.read_bytes()

    return Handler


def _tsa_certificates(folder: Path) -> bytes:
    now = datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def base(subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("TSA root"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False)
        )

    def usage(sign: bool) -> x509.KeyUsage:
        return x509.KeyUsage(sign, False, False, False, False, not sign, not sign, False, False)

    root = (
        base("TSA root", root_key.public_key())
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(usage(False), True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        base("TSA", key.public_key())
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(usage(True), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "cert.pem").write_bytes(leaf.public_bytes(pem))
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    (folder / "serial").write_text("01\n")
    (folder / "ts.cnf").write_text(
        "[tsa]\ndefault_tsa = t\n[t]\ndir = .\nserial = serial\ncrypto_device = builtin\n"
        "signer_cert = cert.pem\ncerts = root.pem\nsigner_key = key.pem\nsigner_digest = sha256\n"
        "default_policy = 1.2.3.4.1\ndigests = sha256, sha384, sha512\naccuracy = secs:1\n"
        "ordering = no\ntsa_name = no\ness_cert_id_chain = no\n"
    )
    return root.public_bytes(pem)
