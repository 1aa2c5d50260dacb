"""One request to a server: retried where that is safe, with failures explained in our own words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from safegen._util.logs import logger
from safegen.errors import GenerationFailed, RefusedByServer
from safegen.generators.remote.address import KEY_VARIABLE, Address, ConnectionOptions
from safegen.generators.remote.deadline import Deadline
from safegen.generators.remote.responses import error_message, is_refusal, sanitize

_log = logger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_BUSY = (429, 503)
"""Not taken up: asking again cannot make two clips."""
_NOT_FOUND = 404
REFUSED_HINT = "the rules are the server's own: change the prompt, or use another server"


class JobNotFound(GenerationFailed):
    """A server that took a job says, again and again, that it does not know it."""


class RetryingCaller:
    """Asks on behalf of one conversation."""

    def __init__(
        self, openai: Any, address: Address, options: ConnectionOptions, key: str | None, deadline: Deadline
    ) -> None:
        """*openai* is the client's module: its errors are told apart here."""
        self._openai, self._address, self._options = openai, address, options
        self._key, self._deadline = key, deadline

    def call_with_retry(
        self,
        what: str,
        call: Callable[[], Any],
        *,
        job: str = "",
        repeatable: bool = False,
        optional: bool = False,
    ) -> Any:
        """What *call* gives. *repeatable*: asking twice does no harm, so whatever may pass is tried again;
        otherwise only what was surely not taken up is. *optional*: ``None`` where there is no such page.
        *job*: what the server calls a job that it took, so that it must be there: one of several servers
        behind an address may learn of it late.

        Raises GenerationFailed (JobNotFound, RefusedByServer), Interrupted.
        """
        for attempt in itertools.count():
            _log.info(
                "network: %(host)s, asked for %(what)s (attempt %(attempt)d)",
                {"host": self._address.host, "what": what, "attempt": attempt + 1},
            )
            try:
                return self._deadline.run(call)
            except self._openai.APIStatusError as error:
                status = int(error.status_code)
                if optional and status not in (401, 403):
                    return None
                trouble = self._status_error(what, error, job)
                late = job and status == _NOT_FOUND
                again = status in _BUSY or late or (repeatable and (status >= 500 or status == 408))
                pause = _retry_after(error.response.headers.get("retry-after"))
            except self._openai.APIConnectionError as error:
                trouble = self._connection_error(what, error)
                again, pause = repeatable or optional or _never_connected(error), None
            except OSError as error:
                raise GenerationFailed(
                    f"{what} could not be written: {error.strerror or type(error).__name__}",
                    hint="check for free disk space",
                ) from error
            except (self._openai.OpenAIError, *_transport_errors()) as error:
                trouble = GenerationFailed(
                    f"{what} arrived incomplete from {self._address.host} ({type(error).__name__})",
                    hint="check the network and try again",
                )
                again, pause = repeatable, None
            pause = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE) if pause is None else pause
            if not again or attempt >= self._options.retries or pause > self._deadline.remaining:
                raise trouble
            self._deadline.sleep(pause)
        raise trouble

    def _status_error(self, what: str, error: Any, job: str) -> GenerationFailed:
        """The error for an answer that is no success."""
        host, status = self._address.host, int(error.status_code)
        reason = error_message(error.body, self._key) or "no reason given"
        if status in (401, 403):
            shown = "does not accept the key" if self._key else "requires a key"
            hint = f"put the right key in {KEY_VARIABLE} or in the keyring"
            return GenerationFailed(f"{host} {shown} ({status}: {reason})", hint=hint)
        if 300 <= status < 400:
            where = sanitize(urlsplit(error.response.headers.get("location", "")).netloc or "another page")
            return GenerationFailed(
                f"{host} redirects to {where}; safegen does not follow redirects or pass on the key",
                hint="give the final address",
            )
        if is_refusal(error.body):
            return RefusedByServer(f"{host} refuses to make this clip: {reason}", hint=REFUSED_HINT)
        if status == _NOT_FOUND and job:
            return JobNotFound(
                f"{host} took the job {sanitize(job)} and now answers not found (404: {reason})",
                hint="the server may still be working on it: see its log; the job was not deleted",
            )
        if status == _NOT_FOUND:
            return GenerationFailed(
                f"{host} answered not found (404: {reason})",
                hint=f"check that the model is called {self._address.model} and that the address ends in /v1",
            )
        if status in _BUSY:
            return GenerationFailed(f"{host} is too busy ({status}: {reason})", hint="try again later")
        return GenerationFailed(
            f"{host} did not return {what} ({status}: {reason})", hint="see the server's log"
        )

    def _connection_error(self, what: str, error: Any) -> GenerationFailed:
        """The error for a server that does not answer, or not in time."""
        host = self._address.host
        if isinstance(error, self._openai.APITimeoutError):
            return GenerationFailed(
                f"{host} did not answer within {self._options.timeout:g} s when asked for {what}",
                hint="wait longer with --option timeout=SECONDS; the server may still be working on it",
            )
        reason = sanitize(error.__cause__ or "no connection", self._key)
        return GenerationFailed(
            f"{host} cannot be reached: {reason}", hint="check that the server is running"
        )


def _retry_after(header: str | None) -> float | None:
    """Seconds that ``Retry-After`` asks for, when it is a plain number."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _never_connected(error: Any) -> bool:
    """Whether the connection was never made, so that nothing can have been taken up."""
    import httpx2

    return isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout)


def _transport_errors() -> tuple[type[Exception], ...]:
    """Errors of the connection that the client does not wrap while a body is read."""
    import httpx2

    return (httpx2.HTTPError, httpx2.StreamError)
