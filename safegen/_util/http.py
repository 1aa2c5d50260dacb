"""One bounded request to a service the user configured: a time stamp authority, an OCSP responder.

Plain http is allowed, because both answers are signed. No redirects, a limit on the size of the answer, and
one deadline for all of it: a server that sends a byte now and then must not hold anything up for ever.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from safegen._util.logs import logger, waiting
from safegen.errors import UsageError

_log = logger(__name__)

MAX_ANSWER = 64 * 1024


class RequestFailed(ValueError):
    """The service answered with an error, or with too much data."""


def parse_service_url(url: str, *, what: str, setting: str) -> tuple[str, int, str, bool]:
    """Host, port, path and whether to use TLS. *what* and *setting* are for the words of the UsageError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.password:
        raise UsageError(
            f"the {what} needs a plain http or https address", hint=f"see {setting} in safegen.toml"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    return host, port or (443 if secure else 80), path, secure


def post(target: tuple[str, int, str, bool], data: bytes, *, media_type: str, seconds: float) -> bytes:
    """POST *data* to *target* (``parse_service_url``); the answer's body, within *seconds* for all of it.

    Raises RequestFailed (a status that is not 200, more than MAX_ANSWER bytes), OSError, HTTPException.
    """
    import http.client
    import ssl

    host, port, path, secure = target
    deadline = time.monotonic() + seconds
    connection = (
        http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
        if secure
        else http.client.HTTPConnection(host, port, timeout=seconds)
    )
    headers = {"Content-Type": media_type, "Connection": "close"}
    _log.info(
        "network: %(host)s, POST %(bytes)d bytes of %(type)s",
        {"host": host, "bytes": len(data), "type": media_type},
    )
    try:
        with waiting(_log, f"an answer from {host}"):
            connection.request("POST", path, body=data, headers=headers)
            channel = connection.sock
            answer = connection.getresponse()
        if answer.status != 200:
            raise RequestFailed(f"it answered {answer.status}")
        found = bytearray()
        while True:
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError
            if channel is not None:
                channel.settimeout(left)
            chunk = answer.read1(MAX_ANSWER)
            if not chunk:
                return bytes(found)
            found += chunk
            if len(found) > MAX_ANSWER:
                raise RequestFailed("its answer is too large")
    finally:
        connection.close()
