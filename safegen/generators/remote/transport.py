"""Limits what is sent to a server and how much comes back: a transport around httpx2's own.

Imported only where the ``openai`` client is installed, which brings httpx2.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx2

from safegen._version import __version__
from safegen.errors import GenerationFailed

LIMIT_HEADER = "x-safegen-limit"
"""Bytes that an answer may have; read here and never sent."""
DEFAULT_LIMIT = 1 << 20
"""Bytes of an answer that is no clip."""

_ALLOWED_HEADERS = ("host", "content-type", "content-length", "transfer-encoding", "accept")


class RestrictedTransport(httpx2.BaseTransport):
    """Sends only the headers that the protocol needs, the key only where it belongs, and bounds answers.

    The client would add headers about this machine, and an organisation's or other keys from the
    environment (``OPENAI_ORG_ID``, ``OPENAI_CUSTOM_HEADERS``): none of them is for this server.
    """

    def __init__(self, origin: str, key: str | None, inner: httpx2.BaseTransport) -> None:
        """*key* is shown to *origin* alone."""
        self._origin, self._key, self._inner = origin, key, inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass *request* on. Raises GenerationFailed for an answer that is too long."""
        limit = int(request.headers.get(LIMIT_HEADER, DEFAULT_LIMIT))
        headers = {name: request.headers[name] for name in _ALLOWED_HEADERS if name in request.headers}
        headers |= {"accept-encoding": "identity", "user-agent": f"safegen/{__version__}"}
        if self._key is not None and _origin(request.url) == self._origin:
            headers["authorization"] = f"Bearer {self._key}"
        # A request of our own: the client reads its own headers in the one it made.
        outgoing = httpx2.Request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        response = self._inner.handle_request(outgoing)
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            response.close()
            raise response_too_long(limit)
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Bounded(response.stream, limit)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _Bounded(httpx2.SyncByteStream):
    """A body that ends with an error after *limit* bytes."""

    def __init__(self, stream: httpx2.SyncByteStream, limit: int) -> None:
        self._stream, self._limit = stream, limit

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for block in self._stream:
            received += len(block)
            if received > self._limit:
                raise response_too_long(self._limit)
            yield block

    def close(self) -> None:
        self._stream.close()


def response_too_long(limit: int) -> GenerationFailed:
    """The error for an answer of more than *limit* bytes."""
    return GenerationFailed(
        f"the server's answer is larger than {limit} bytes",
        hint="allow larger clips with --option max_bytes=N",
    )


def _origin(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def http_client(origin: str, key: str | None) -> httpx2.Client:
    """A client that follows no redirect: the key and the prompt stay with the server that was named."""
    transport = httpx2.HTTPTransport()
    return httpx2.Client(transport=RestrictedTransport(origin, key, transport), follow_redirects=False)
