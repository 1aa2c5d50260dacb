"""One question to a server that may be slow, rude or endless."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from safegen._util.http import MAX_ANSWER, RequestFailed, parse_service_url, post
from safegen.errors import UsageError

Serve = Callable[[Callable[[socket.socket], None]], tuple[str, int, str, bool]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answers one request with what it is told to send."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(answer: Callable[[socket.socket], None]) -> tuple[str, int, str, bool]:
        def work() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                try:
                    answer(connection)
                except OSError:
                    return  # the other side had enough

        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()
        return "127.0.0.1", listening.getsockname()[1], "/ask?x=1", False

    yield start
    listening.close()
    for thread in threads:
        thread.join(5)


def ask(target: tuple[str, int, str, bool], seconds: float = 5.0) -> bytes:
    return post(target, b"question", media_type="application/x-test", seconds=seconds)


def test_an_answer(serve: Serve) -> None:
    assert ask(serve(lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"))) == b"answer"


@pytest.mark.parametrize("status", [b"404 Not Found", b"302 Found", b"204 No Content"])
def test_any_other_status_is_no_answer(serve: Serve, status: bytes) -> None:
    with pytest.raises(RequestFailed, match=status.decode().split()[0]):
        ask(serve(lambda c: c.sendall(b"HTTP/1.1 " + status + b"\r\nLocation: http://x/\r\n\r\n")))


def test_an_answer_without_end_is_cut_off(serve: Serve) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2 * MAX_ANSWER))

    with pytest.raises(RequestFailed, match="too large"):
        ask(serve(answer))


def test_a_trickle_does_not_hold_it_up(serve: Serve) -> None:
    """The deadline counts for the whole answer, not anew for each byte."""
    stop = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stop.wait(0.05):
            connection.sendall(b"x")

    with pytest.raises(TimeoutError):
        ask(serve(answer), seconds=0.5)
    stop.set()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://tsa.example", ("tsa.example", 80, "/", False)),
        ("https://tsa.example/a?b=c", ("tsa.example", 443, "/a?b=c", True)),
        ("http://[::1]:8080/x", ("::1", 8080, "/x", False)),
    ],
)
def test_addresses(url: str, target: tuple[str, int, str, bool]) -> None:
    assert parse_service_url(url, what="authority", setting="tsa_url") == target


@pytest.mark.parametrize(
    "url",
    ["", "tsa.example", "ftp://x", "file:///etc/passwd", "http://", "http://me:secret@x", "http://x:port"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="authority") as caught:
        parse_service_url(url, what="authority", setting="tsa_url")
    assert "tsa_url" in (caught.value.hint or "") and "secret" not in str(caught.value)
