"""Third-party time stamps over checkpoints: RFC 3161.

What is stamped are the three lines of a checkpoint (origin, size, root; c2sp.org/tlog-checkpoint), without
signatures: the root commits to every entry, so a stamp proves that the entries existed at its time, whatever
the clock of the workspace said. Tokens are kept as ``.tsr`` files (DER TimeStampResp, as ``openssl ts``
writes them): beside the checkpoints, and beside the proof sidecar of each release.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.files import write_durable
from safegen._util.http import MAX_ANSWER, RequestFailed, parse_service_url, post
from safegen._util.time import Clock, utc_now
from safegen.errors import LedgerError, UnreadableInput, UsageError
from safegen.ledger.checkpoint import Checkpoint, parse_unverified
from safegen.ledger.note import NoteError
from safegen.ledger.timestamp_der import with_sorted_certificates

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

SUFFIX = ".tsr"
MAX_TOKEN = MAX_ANSWER
SECONDS = 20.0
"""For the whole request."""
CLOCK_SKEW = timedelta(minutes=5)


class StampRejected(UnreadableInput):
    """A time stamp is malformed, about something else, or not of a trusted authority."""


@dataclass(frozen=True)
class StoredStamp:
    """A time stamp kept beside the checkpoints: the token, and the size of the tree it claims to be about."""

    size: int
    token: bytes
    path: Path


def checkpoint_body(note: str) -> bytes:
    """The stamped bytes of a checkpoint *note*, or of the one that ends a proof. Raises UsageError."""
    try:
        return parse_unverified(note).text.encode()
    except NoteError as error:
        raise UsageError(f"this is not a checkpoint: {error}", hint="give a checkpoint or a proof") from error


def request_stamp(url: str, body: bytes, *, seconds: float = SECONDS) -> bytes:
    """A time stamp over *body* from the authority at *url*: the DER response, checked to answer the request.

    Whether the authority is trusted is the verifier's business. Redirects are not followed. Raises
    UsageError for an address that is not plain http or https, LedgerError when the authority cannot be
    reached, is too slow, or does not give a stamp over these bytes.
    """
    from http.client import HTTPException

    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    where = parse_service_url(url, what="time stamp authority", setting="signing.tsa_url")
    asked = TimestampRequestBuilder().data(body).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = post(where, asked.as_bytes(), media_type="application/timestamp-query", seconds=seconds)
        found = _decode(answer)
        imprint = found.tst_info.message_imprint
        if imprint.message != asked.message_imprint.message or found.tst_info.nonce != asked.nonce:
            raise StampRejected("it answers a different request")
    except (OSError, HTTPException, ValueError, StampRejected) as error:
        why = str(error) if isinstance(error, StampRejected | RequestFailed) else type(error).__name__
        raise LedgerError(
            f"the time stamp authority {where[0]} returned no stamp: {why}",
            hint="check signing.tsa_url in safegen.toml, then retry with `safegen log stamp`",
        ) from error
    return answer


def verify_stamp(
    token: bytes, body: bytes, anchors_pem: Sequence[bytes], *, now: Clock | None = None
) -> datetime:
    """The time (UTC) at which an authority under *anchors_pem* stamped *body*.

    The authority's certificate needs the time-stamping use alone, and has to be valid at the time of the
    stamp (RFC 3161 section 2.3). Raises StampRejected.
    """
    from cryptography import x509
    from rfc3161_client import VerifierBuilder

    try:
        roots = list({root for pem in anchors_pem for root in x509.load_pem_x509_certificates(pem)})
        if not roots:
            raise StampRejected("no time stamp authority is trusted")
        found = _decode(token)
        VerifierBuilder(roots=roots).build().verify_message(found, body)
        _require_stamping_only(found)
        stamped_at = found.tst_info.gen_time
    except StampRejected:
        raise
    except Exception as error:  # parsing is lazy in `cryptography`: any field may turn out malformed
        raise StampRejected(f"the time stamp does not verify: {_fault(token, body)}") from error
    stamped_at = stamped_at.replace(tzinfo=UTC) if stamped_at.tzinfo is None else stamped_at.astimezone(UTC)
    if stamped_at > (now or utc_now)() + CLOCK_SKEW:
        raise StampRejected("the time stamp is in the future")
    return stamped_at


def _fault(token: bytes, body: bytes) -> str:
    """What is wrong with a stamp that did not verify, in our words: the library's are for programmers."""
    try:
        about_this = imprint_matches(token, body)
    except Exception:  # any field may turn out malformed
        return "it is malformed"
    if not about_this:
        return "it is about something else"
    return "it is damaged, or of no authority that you trust: see `safegen trust add --tsa`"


def imprint_matches(token: bytes, body: bytes) -> bool:
    """Whether *token* is a stamp over *body*, whoever made it. Raises StampRejected for one that is none."""
    import hashlib

    sizes = {32: "sha256", 48: "sha384", 64: "sha512"}
    imprint = _decode(token).tst_info.message_imprint.message
    name = sizes.get(len(imprint))
    if name is None:
        raise StampRejected("it uses an unsupported hash")
    return hashlib.new(name, body).digest() == imprint


def store_stamp(folder: Path, body: bytes, token: bytes) -> Path:
    """Keep *token* over the checkpoint *body* in *folder*, durably; its path. Raises LedgerError."""
    origin, size, root = body.decode().split("\n")[:3]
    head = Checkpoint(origin, int(size), b"")
    path = folder / f"{head.size}-{_file_part(root)}{SUFFIX}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_durable(path, token)
    except OSError as error:
        raise LedgerError(
            f"the time stamp cannot be written to {path}: {error.strerror}", hint="check the folder"
        ) from error
    return path


def read_stamps(folder: Path, least: int) -> Iterator[StoredStamp]:
    """The time stamps in *folder* over trees of at least *least* entries, smallest first."""
    for size, path in list_stamp_files(folder, least):
        yield StoredStamp(size, read_token(path), path)


def list_stamp_files(folder: Path, least: int = 0) -> list[tuple[int, Path]]:
    """Size of the tree, by its name, and path of every time stamp in *folder*, as in ``kept``."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob(f"*{SUFFIX}"):
        size = path.name.partition("-")[0]
        if size.isascii() and size.isdecimal() and len(size) < 20 and int(size) >= least:
            found.append((int(size), path))
    return sorted(found)


def read_token(path: Path) -> bytes:
    """Read the token in the file *path*. Raises StampRejected when it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            token = file.read(MAX_TOKEN + 1)
    except OSError as error:
        raise StampRejected(f"{path.name} cannot be read: {error.strerror}") from error
    if len(token) > MAX_TOKEN:
        raise StampRejected(f"{path.name} is too large for a time stamp")
    return token


def _file_part(root: str) -> str:
    """A part of the root that may stand in a file name."""
    return "".join(c for c in root if c.isalnum())[:16]


def _decode(token: bytes) -> TimeStampResponse:
    from rfc3161_client import PKIStatus, decode_timestamp_response

    if len(token) > MAX_TOKEN:
        raise StampRejected("it is too large")
    try:
        found = decode_timestamp_response(with_sorted_certificates(token))
        if found.status != PKIStatus.GRANTED:
            raise StampRejected(f"the authority refused ({found.status})")
        _ = found.tst_info
    except (ValueError, TypeError) as error:
        raise StampRejected(f"it cannot be decoded: {error}") from error
    return found


def _require_stamping_only(found: TimeStampResponse) -> None:
    """Refuse a signer whose certificate is for more than time stamps."""
    from cryptography import x509

    signers = {(info.issuer, info.serial_number) for info in found.signed_data.signer_infos}
    for der in found.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) in signers:
            uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            if len(list(uses)) != 1:
                raise StampRejected("the authority's certificate is not for time stamps only")
