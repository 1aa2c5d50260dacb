"""Asking an OCSP responder (RFC 6960) about the certificate one is about to sign with."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from safegen._util.http import RequestFailed, parse_service_url, post
from safegen.errors import SigningFailed

if TYPE_CHECKING:
    from cryptography import x509

SECONDS = 20.0
"""For the whole question."""


class NoOcspAnswer(SigningFailed):
    """The responder cannot be reached, or what it says is no current and genuine "good"."""


def request_ocsp_response(
    url: str, chain: tuple[x509.Certificate, ...], *, now: datetime, seconds: float = SECONDS
) -> bytes:
    """What the responder at *url* says about the leaf of *chain* (leaf, issuer, ...): its answer (DER).

    Raises NoOcspAnswer unless it is a current, genuine "good", SigningFailed for a certificate that was
    revoked and for a chain without the leaf's issuer, UsageError for an address that is not plain http or
    https.
    """
    from http.client import HTTPException

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    from safegen.keys.revocation import check_revocation

    where = parse_service_url(url, what="OCSP responder", setting="signing.ocsp_url")
    if len(chain) < 2:
        raise SigningFailed(
            "an OCSP responder is configured, but the chain lacks the leaf's issuer", hint=_HINT
        )
    # SHA-1 names the issuer here, and protects nothing (RFC 6960 4.3 asks every responder to know it).
    question = ocsp.OCSPRequestBuilder().add_certificate(chain[0], chain[1], hashes.SHA1())  # noqa: S303
    data = question.build().public_bytes(Encoding.DER)
    try:
        answer = post(where, data, media_type="application/ocsp-request", seconds=seconds)
    except (OSError, HTTPException, RequestFailed) as error:
        why = str(error) if isinstance(error, RequestFailed) else type(error).__name__
        raise NoOcspAnswer(f"the OCSP responder {where[0]} did not answer: {why}", hint=_HINT) from error
    found = check_revocation(chain, (), ocsp_responses=[answer], at=now)
    if found.status == "revoked":
        raise SigningFailed(
            f"nothing was signed: {found.reason}",
            hint="put a new certificate of its issuer under [signing] in safegen.toml",
        )
    if found.status != "good":
        raise NoOcspAnswer(
            f"the OCSP responder {where[0]} does not vouch for the signing certificate", hint=_HINT
        )
    return answer


_HINT = (
    "check signing.ocsp_url in safegen.toml; with ocsp_required = false a clip is released without "
    "revocation information"
)
