"""What a server says after it took a job: not found, once or always; that its own rules forbid the clip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safegen.errors import GenerationFailed, RefusedByServer
from safegen.generators.registry import find_generator
from safegen.generators.remote.responses import REFUSALS, is_refusal
from safegen.media.scratch import scratch_in
from safegen.protocols import NoProgress
from safegen.types import Generated, Request
from tests.support.video_server import Answer, VideoServer, encoded, serving

DONE = [{"status": "completed", "progress": 100}]
LATE = Answer.of({"error": {"message": "no such video"}}, 404)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VideoServer]:
    pytest.importorskip("openai")
    monkeypatch.setattr("safegen.generators.remote.calls._FIRST_PAUSE", 0.01)
    with scratch_in(tmp_path), serving(clip=encoded(tmp_path / "plain.mp4"), states=DONE) as running:
        yield running


def ask(server: VideoServer, **options: Any) -> Generated:
    request = Request("a cat", model=server.name, options={"poll": 0.01, "engine": "openai", **options})
    return find_generator(server.name).generate(request, progress=NoProgress())


@pytest.mark.parametrize("question", ["retrieve", "content"])
def test_a_server_that_learns_late_of_its_job_is_asked_again(server: VideoServer, question: str) -> None:
    server.script[question] = [LATE]
    assert len(list(ask(server).clip)) == 12
    assert len(server.calls("POST")) == 1
    ending = "/content" if question == "content" else "/video_1"
    assert len(server.calls("GET", ending)) == 2


@pytest.mark.parametrize("question", ["retrieve", "content"])
def test_a_job_that_stays_unknown_is_named_and_not_deleted(server: VideoServer, question: str) -> None:
    server.script[question] = [LATE] * 20
    with pytest.raises(GenerationFailed, match="took the job video_1 and now answers not found") as error:
        ask(server, retries=2)
    assert "may still be working on it" in error.value.hint and "called" not in error.value.hint
    assert error.value.exit_code == 5 and server.calls("DELETE") == []


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_refusal_for_the_servers_own_rules_is_a_refusal(server: VideoServer, code: str) -> None:
    server.script["create"] = [Answer.of({"error": {"code": code, "message": "blocked"}}, 400)]
    with pytest.raises(RefusedByServer, match="refuses to make this clip: blocked") as error:
        ask(server)
    assert error.value.exit_code == 3 and "another server" in error.value.hint
    server.states = [{"status": "failed", "error": {"code": code, "message": "blocked"}}]
    with pytest.raises(RefusedByServer) as later:
        ask(server)
    assert later.value.exit_code == 3


def test_prose_about_moderation_is_no_refusal(server: VideoServer) -> None:
    said = {"message": "moderation_blocked: content_filter", "code": "server_error"}
    server.states = [{"status": "failed", "error": said}]
    with pytest.raises(GenerationFailed) as error:
        ask(server)
    assert error.value.exit_code == 5


@pytest.mark.parametrize(
    "error", [None, "moderation_blocked", [], {}, {"code": ["content_filter"]}, {"code": 1}]
)
def test_only_a_code_counts(error: object) -> None:
    assert not is_refusal(error)


def test_a_code_within_an_error_counts() -> None:
    assert is_refusal({"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}})
