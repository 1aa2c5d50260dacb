"""One pass over a clip for all checks of a policy: each in a thread of its own, fed from one reading.

A minute of 4K is 36 GB of pixels: it is neither held, nor written down, nor decoded once for every check.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from safegen.moderation.checks import CheckResult, ExtractionResult, run_check, run_extractor, run_optional
from safegen.moderation.gate import GateResult, collect_results
from safegen.types import Clip

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.types import Frame

R = TypeVar("R")
_QUEUE_SIZE = 4
"""Small pictures that may wait for a check."""
_POLL_SECONDS = 0.1
"""Seconds between two looks at whether the pass is over: nobody waits for a picture that never comes."""


class PassStopped(Exception):
    """The pass is over before its end: a check that still reads must not take it for a short clip."""


class ClipView:
    """The clip as one check sees it: its first reading rides on the common pass, later ones decode anew."""

    def __init__(self, clip: Clip) -> None:
        self._again = clip.open
        self._queue: queue.Queue[Frame | None] = queue.Queue(_QUEUE_SIZE)
        self._done = threading.Event()
        self._stopped: BaseException | None = None
        self._taken = False
        self.clip = replace(clip, open=self._open)

    def _open(self) -> Iterator[Frame]:
        if self._taken:
            return self._again()
        self._taken = True
        return self._read_common_pass()

    def _read_common_pass(self) -> Iterator[Frame]:
        while self._stopped is None and not self._done.is_set():
            try:
                item = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if item is None:
                return
            yield item
        raise self._stopped or PassStopped

    def stop(self, error: BaseException) -> None:
        """No more pictures, and this is not the end of the clip: its reader gets the first *error*.

        Never waits.
        """
        self._stopped = self._stopped or error

    def feed(self, item: Frame | None) -> None:
        """Give the check a picture (None: the end of the clip); waits unless it needs no more."""
        while self._stopped is None and not self._done.is_set():
            try:
                self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return

    def run(self, work: Callable[[Clip], R]) -> R:
        """Do *work* on the clip; afterwards no more pictures are wanted."""
        try:
            return work(self.clip)
        finally:
            self._done.set()

    @property
    def done(self) -> bool:
        """Whether the check has ended."""
        return self._done.is_set()


class SinglePass:
    """Every check of a policy on one reading of a clip. A context manager: leaving it ends every check.

    Whoever reads the clip feeds each frame and says when it ends. Left without that, the checks are stopped:
    none of them takes what it saw for the whole clip.
    """

    def __init__(self, clip: Clip, policy: Policy, *, extractors: bool = True) -> None:
        """*extractors*: whether the policy's attribute extractors see the clip, too."""
        self._policy = policy
        self._jobs: list[tuple[Callable[[str, Clip], Any], str]] = [
            *((run_check, name) for name in policy.frames.required),
            *((run_optional, name) for name in policy.frames.optional),
            *((run_extractor, name) for name in (policy.attributes if extractors else ())),
        ]
        self._views = [ClipView(clip) for _ in self._jobs]
        self._running: list[Future[Any]] = []
        self._threads = ThreadPoolExecutor(max(1, len(self._jobs)))

    def __enter__(self) -> Self:
        """Start the checks, each in a thread of its own, in the caller's context."""
        try:
            for view, (job, name) in zip(self._views, self._jobs, strict=True):
                context = contextvars.copy_context()
                self._running.append(self._threads.submit(context.run, view.run, _named(job, name)))
        except BaseException:  # an interrupt has to end those that run already, or the pool waits for ever
            self.stop(PassStopped())
            self._threads.shutdown()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop(PassStopped())
        self._threads.shutdown()

    def feed(self, frame: Frame) -> None:
        """Show *frame* to every check; waits for those that are slow."""
        for view in self._views:
            view.feed(frame)

    def end(self) -> None:
        """The clip ends here."""
        for view in self._views:
            view.feed(None)

    def stop(self, error: BaseException) -> None:
        """No more frames, and this is not the clip's end: checks that still read get *error*. Never waits."""
        for view in self._views:
            view.stop(error)

    @property
    def failed(self) -> bool:
        """Whether a check has raised."""
        return any(f.done() and f.exception() is not None for f in self._running)

    @property
    def finished(self) -> bool:
        """Whether no check wants another frame."""
        return all(view.done for view in self._views)

    def raise_first_failure(self) -> None:
        """Wait for the checks of a stopped pass and raise what one raised by itself: why it was stopped."""
        for future in self._running:
            error = future.exception()
            if error is not None and not _is_pass_stopped(error):
                raise error

    def results(self) -> tuple[GateResult, list[ExtractionResult | str]]:
        """What checks and extractors say, in the order of the policy (a text: why an extractor failed).

        Waits, and raises what a check raised.
        """
        answers = [future.result() for future in self._running]
        required, optional = len(self._policy.frames.required), len(self._policy.frames.optional)
        checked: list[CheckResult] = answers[:required]
        gate = collect_results(self._policy, checked, answers[required : required + optional])
        return gate, answers[required + optional :]


def _named(job: Callable[[str, Clip], R], name: str) -> Callable[[Clip], R]:
    return lambda clip: job(name, clip)


def _is_pass_stopped(error: BaseException | None) -> bool:
    """Whether the end of the pass is behind *error*."""
    while error is not None:
        if isinstance(error, PassStopped):
            return True
        error = error.__cause__
    return False
