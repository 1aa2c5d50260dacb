"""A local OCSP responder with a delegated certificate: what `signing.ocsp_url` asks in the tests."""

from __future__ import annotations

import http.server
import threading
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from safegen.keys.identity import Identity

GOOD, REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED


class Responder:
    """Answers for the leaf certificates of one identity; ``revoked_at`` turns its answers."""

    def __init__(self, identity: Identity, *, delegated: bool = True) -> None:
        self.identity, self.delegated = identity, delegated
        self.revoked_at: datetime | None = None
        self.raw: bytes | None = None
        self.asked = 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _delegate(identity, self.key)
        responder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 300

            def do_POST(self) -> None:
                question = ocsp.load_der_ocsp_request(self.rfile.read(int(self.headers["Content-Length"])))
                assert question.serial_number == identity.leaf.serial_number
                responder.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(responder.answer() if responder.raw is None else responder.raw)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ocsp"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, *, age: timedelta = timedelta(minutes=5), leaf: x509.Certificate | None = None) -> bytes:
        """The answer (DER) about *leaf* (default: the one in use), of some minutes ago as real ones are."""
        own, then = self.identity, datetime.now(UTC) - age
        status = GOOD if self.revoked_at is None else REVOKED
        made = ocsp.OCSPResponseBuilder().add_response(
            leaf or own.leaf,
            own.issuing,
            hashes.SHA1(),
            status,
            then,
            then + timedelta(days=1),
            self.revoked_at,
            None,
        )
        if self.delegated:
            made = made.certificates([self.certificate])
        who = self.certificate if self.delegated else own.issuing
        key = self.key if self.delegated else own.issuing_key()
        made = made.responder_id(ocsp.OCSPResponderEncoding.HASH, who)
        return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _delegate(identity: Identity, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now, issuer = datetime.now(UTC), identity.issuing
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "responder")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.KeyUsage(True, *[False] * 8), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), True)
        .add_extension(x509.OCSPNoCheck(), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False)
        .sign(identity.issuing_key(), hashes.SHA256())
    )
