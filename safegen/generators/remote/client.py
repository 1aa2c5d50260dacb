"""The conversation with a server: ask, wait, fetch, and cancel when nobody is waiting any more."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from safegen._util.logs import logger, waiting
from safegen.errors import GenerationFailed, RefusedByServer, SafegenError
from safegen.generators.remote import responses
from safegen.generators.remote.address import Address, ConnectionOptions, client_library
from safegen.generators.remote.calls import REFUSED_HINT, RetryingCaller
from safegen.generators.remote.deadline import Deadline
from safegen.generators.remote.engines import Engine
from safegen.protocols import Progress

_log = logger(__name__)

_FIRST_POLL, _POLL_GROWTH = 0.5, 1.5
"""Seconds until the first question how far a job is, and how much longer each later pause is."""
_CANCEL_TIMEOUT = 5.0
"""Seconds that telling the server to stop may take."""
_IN_MEMORY = 512 * 2**20
"""Bytes of a clip that comes inside an answer, at most."""

ReferenceFile = tuple[str, bytes, str]
"""A picture or video to send: file name, content, media type."""


class RemoteClient:
    """One clip's worth of conversation; a context manager. Raises GenerationFailed and Interrupted only."""

    def __init__(
        self, address: Address, options: ConnectionOptions, key: str | None, progress: Progress
    ) -> None:
        """Connects to nothing yet. Raises MissingExtra without the client library."""
        self._openai = client_library()
        from safegen.generators.remote.transport import LIMIT_HEADER, http_client

        self._limit_header = LIMIT_HEADER
        self.address, self._options, self._key, self._progress = address, options, key, progress
        self.deadline = Deadline(options.deadline, progress)
        self.max_bytes = options.max_bytes
        self._over = threading.Event()
        self._calls = RetryingCaller(self._openai, address, options, key, self.deadline)
        self._client = self._openai.OpenAI(
            base_url=address.url,
            api_key=key or "none",
            timeout=options.timeout,
            max_retries=0,
            http_client=http_client(address.origin, key),
        )

    def __enter__(self) -> Self:
        """The conversation."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self._over.set()
        self._client.close()

    def models(self) -> Any:
        """What the server says that it serves (parsed JSON); ``None`` when it has no such page.

        SGLang Diffusion has its page beside ``/v1`` rather than in it. Nothing but the key is sent.
        """
        for path in ("/models", self.address.origin + "/models"):
            response = self._calls.call_with_retry("its models", partial(self._get, path), optional=True)
            if response is not None:
                return responses.parse_json(response.content)
        return None

    def _get(self, path: str) -> Any:
        import httpx2

        return self._client.with_options(timeout=self._request_timeout()).get(path, cast_to=httpx2.Response)

    def create_video(
        self,
        engine: Engine,
        mode_call: str,
        prompt: str,
        fields: Mapping[str, Any],
        reference: ReferenceFile | None,
    ) -> responses.VideoJob:
        """Ask for a clip. Sent once: only what was surely not taken up is sent again."""
        videos = self._client.videos.with_raw_response
        # An engine that answers at once keeps the line silent until the clip is made.
        timeout = self.deadline.remaining if engine.synchronous else self._request_timeout()
        limit = min(self.max_bytes, _IN_MEMORY) * 4 // 3 + 65536 if engine.synchronous else 0
        common: dict[str, Any] = {"prompt": prompt, "extra_body": dict(fields), "timeout": timeout}
        headers = {self._limit_header: str(limit)} if limit else {}
        if mode_call == "create":
            common["model"] = self.address.model
            if reference is not None:
                common["input_reference"] = reference
            elif engine.body == "json":
                headers["Content-Type"] = "application/json"
        else:
            common["video"] = reference
        if mode_call == "extend":
            common["seconds"] = common["extra_body"].pop("seconds")
        response = self._calls.call_with_retry(
            "a clip", lambda: getattr(videos, mode_call)(**common, extra_headers=headers).http_response
        )
        return responses.parse_job(response.content, self._key)

    def wait_until_done(self, job: responses.VideoJob) -> responses.VideoJob:
        """The finished job. Raises GenerationFailed when it fails, is unknown, or never ends."""
        with waiting(_log, f"the job at {self.address.host}"):
            return self._wait_until_done(job)

    def _wait_until_done(self, job: responses.VideoJob) -> responses.VideoJob:
        pause, shown, stage = min(_FIRST_POLL, self._options.poll), 0, ""
        while True:
            _log.debug("job %(status)s, %(percent)d %%", {"status": job.status, "percent": job.progress})
            if job.status == "in_progress" and stage != "generating":
                stage = "generating"
                self._progress.stage(stage, 100)
            elif job.status == "queued" and not stage:
                stage = "queued"
                self._progress.stage(stage)
            if stage == "generating" and job.progress > shown:
                self._progress.advance(job.progress - shown)
                shown = job.progress
            if job.status == "completed":
                return job
            if job.refused:
                raise RefusedByServer(
                    f"{self.address.host} refuses to make this clip: {job.error}", hint=REFUSED_HINT
                )
            if job.status in responses.FAILED_STATES:
                raise GenerationFailed(
                    f"{self.address.host} reports that the job {job.status}: "
                    f"{job.error or 'no reason given'}",
                    hint="try another prompt, size or seed, or see the server's log",
                )
            self.deadline.sleep(pause)
            pause = min(pause * _POLL_GROWTH, self._options.poll)
            job = self._poll(job)

    def _poll(self, job: responses.VideoJob) -> responses.VideoJob:
        response = self._calls.call_with_retry(
            "how far it is",
            lambda: (
                self._client.videos.with_raw_response.retrieve(
                    job.id, timeout=self._request_timeout()
                ).http_response
            ),
            job=job.id,
            repeatable=True,
        )
        now = responses.parse_job(response.content, self._key)
        if now.id != job.id:
            raise GenerationFailed(f"{self.address.host} answered about a different job")
        return now

    def download_video(self, job: responses.VideoJob, target: Path) -> None:
        """Write the clip of *job* to *target*, block by block; a cut connection is tried again."""
        self._progress.stage("downloading")
        self._calls.call_with_retry(
            "the clip", lambda: self._download(job, target), job=job.id, repeatable=True
        )

    def _download(self, job: responses.VideoJob, target: Path) -> None:
        from safegen.generators.remote.transport import response_too_long

        max_bytes = self.max_bytes
        with self._client.videos.with_streaming_response.download_content(
            job.id, timeout=self._request_timeout(), extra_headers={self._limit_header: str(max_bytes)}
        ) as response:
            received = 0
            with target.open("wb") as out:
                for block in response.iter_bytes(1 << 16):
                    received += len(block)
                    if received > max_bytes:
                        raise response_too_long(max_bytes)
                    if self._over.is_set():
                        return
                    out.write(block)

    def cancel(self, job: responses.VideoJob) -> bool:
        """Tell the server that nobody waits for *job* any more, briefly; whether it agreed."""
        confirmed = threading.Event()

        def delete() -> None:
            try:
                self._client.videos.with_raw_response.delete(job.id, timeout=_CANCEL_TIMEOUT)
            except (self._openai.OpenAIError, SafegenError, RuntimeError):
                return
            confirmed.set()

        thread = threading.Thread(target=delete, daemon=True, name="safegen-remote-stop")
        thread.start()
        thread.join(_CANCEL_TIMEOUT)
        return confirmed.is_set()

    def _request_timeout(self) -> float:
        return max(0.1, min(self._options.timeout, self.deadline.remaining))
