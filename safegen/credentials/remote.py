"""Fetching a remote manifest (or sending a file): only when asked, only with named hosts, never private ones.

An address inside a file is chosen by whoever made the file. So: https only, a host that the user named,
addresses that are public on the Internet, the connection made to the very address that was checked, no
redirects, and limits on size and time. What comes back is evidence like any other: it is checked against
the file.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from safegen._util.logs import logger, waiting
from safegen.errors import UnreadableInput

_log = logger(__name__)

MAX_BYTES = 16 * 2**20
FETCH_SECONDS = 10.0
"""For the whole of it: connecting, and every byte."""
UPLOAD_SECONDS = 300.0
"""Seconds for the whole of it where a file is sent."""
MAX_UPLOAD_BYTES = 1024 * 2**20
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Upload:
    """A file that is sent, and its MIME type."""

    path: Path
    mime: str


class FetchRefused(UnreadableInput):
    """Nothing was fetched; ``why`` is the reason alone, for whoever asked for something else."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"the remote manifest was not fetched: {why}", hint="check --fetch-remote and the connection"
        )


class _DeadlineReader:
    """A file as the HTTP client reads it; raises TimeoutError after the deadline."""

    def __init__(self, file: IO[bytes], deadline: float) -> None:
        self._file, self._deadline = file, deadline

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        _left(self._deadline)
        return self._file.read(size)


def is_public(address: str) -> bool:
    """Whether *address* is one on the public Internet; mapped and translated private ones are not."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None or found.teredo is not None:
            return inner is not None and is_public(str(inner))
    return found.is_global and not found.is_multicast


def fetch_manifest(
    url: str,
    hosts: Sequence[str],
    *,
    allowed: Callable[[str], bool] = is_public,
    context: ssl.SSLContext | None = None,
    accept: str = "application/c2pa",
    send: Upload | None = None,
) -> bytes:
    """The manifest store (or what else *accept* asks for) at *url*, which has to be on one of *hosts*.

    *allowed* decides which IP addresses may be spoken to; *context* checks the server's certificate; *send*
    is a file to POST there (at most ``MAX_UPLOAD_BYTES`` bytes).
    Raises FetchRefused (an UnreadableInput): another scheme or host, a private address, a redirect, too
    large, too slow.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port or 443
    except ValueError as error:
        raise FetchRefused("its address is malformed") from error
    if parts.scheme != "https" or not host or parts.username or parts.password:
        raise FetchRefused("its address is not a plain https address")
    if host not in {h.lower().rstrip(".") for h in hosts}:
        raise FetchRefused(f"it is on {host}, which you did not allow")
    if send is not None and send.path.stat().st_size > MAX_UPLOAD_BYTES:
        raise FetchRefused(f"files larger than {MAX_UPLOAD_BYTES // 2**20} MB are not sent")
    deadline = time.monotonic() + (FETCH_SECONDS if send is None else UPLOAD_SECONDS)
    _log.info("network: %(host)s, %(what)s", {"host": host, "what": "GET" if send is None else "POST a file"})
    try:
        with waiting(_log, f"an answer from {host}"):
            address = _resolve(host, port, allowed)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            tls = context or ssl.create_default_context()
            return _exchange(host, address, port, path, tls, deadline, accept, send)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchRefused(f"fetching it from {host} failed ({type(error).__name__})") from error


def _resolve(host: str, port: int, allowed: Callable[[str], bool]) -> str:
    """One address of *host*. All of them have to be allowed: a mixed answer is an attack or a mistake."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = [str(sockaddr[0]) for _, _, _, _, sockaddr in answers]
    if not found or not all(allowed(address) for address in found):
        raise FetchRefused(f"{host} resolves to an address that is not on the public Internet")
    return found[0]


def _exchange(
    host: str,
    address: str,
    port: int,
    path: str,
    context: ssl.SSLContext,
    deadline: float,
    accept: str,
    send: Upload | None,
) -> bytes:
    """GET or POST over TLS to *address*, the certificate checked for *host*."""
    raw = socket.create_connection((address, port), timeout=min(FETCH_SECONDS, _left(deadline)))
    with raw, context.wrap_socket(raw, server_hostname=host) as channel, ExitStack() as files:
        connection = http.client.HTTPSConnection(host, port, blocksize=_CHUNK)
        connection.sock = channel
        channel.settimeout(_left(deadline))
        headers = {"Accept": accept, "Connection": "close"}
        if send is None:
            connection.request("GET", path, headers=headers)
        else:
            headers |= {"Content-Type": send.mime, "Content-Length": str(send.path.stat().st_size)}
            body = _DeadlineReader(files.enter_context(send.path.open("rb")), deadline)
            with suppress(BrokenPipeError, ConnectionResetError):  # what it said before it hung up is read
                connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise FetchRefused(f"{host} answered {answer.status}")
        found = bytearray()
        while True:
            channel.settimeout(_left(deadline))
            chunk = answer.read1(_CHUNK)
            if not chunk:
                return bytes(found)
            found += chunk
            if len(found) > MAX_BYTES:
                raise FetchRefused(f"it is larger than {MAX_BYTES // 2**20} MB")


def _left(deadline: float) -> float:
    """Seconds until *deadline*; raises TimeoutError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
