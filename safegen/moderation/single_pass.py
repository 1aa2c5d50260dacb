"""One pass over a video made elsewhere: decoding feeds the checks, the mark and the encoder at once.

A minute of 4K is 36 GB of pixels: it is neither held, nor written down, nor decoded once for every check.
What is encoded here stays a temporary: it becomes an ``Encoded`` only when every check has passed.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from safegen import plugins
from safegen.errors import MarkingFailed, SafegenError
from safegen.media.encode import Encoding
from safegen.media.encode_planes import encode_pictures
from safegen.media.footage import Footage, Picture
from safegen.media.label import draw_labels
from safegen.media.label_planes import PlaneLabel
from safegen.media.prefetch import prefetch
from safegen.media.thumbnail import ThumbnailPicker
from safegen.moderation.checks import run_check, run_extractor, run_optional
from safegen.moderation.gate import collect_results
from safegen.pipeline.frames_gate import NO_FINDINGS, ApprovedFindings, apply_gate
from safegen.pipeline.mark_planes import check_scheme_fits, mark_planes
from safegen.pipeline.stages import Encoded, UnmarkedClip
from safegen.protocols import NoProgress, Progress, Watermark
from safegen.types import Clip

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.types import Frame

R = TypeVar("R")
_QUEUE_SIZE = 4
"""Small pictures that may wait for a check."""
_POLL_SECONDS = 0.1
"""Seconds between two looks at whether the pass is over: nobody waits for a picture that never comes."""


class _PassStopped(Exception):
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
        raise self._stopped or _PassStopped

    def stop(self, error: BaseException) -> None:
        """No more pictures, and this is not the end of the clip: its reader gets *error*. Never waits."""
        self._stopped = error

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


def check_and_encode(
    made: UnmarkedClip,
    footage: Footage,
    policy: Policy,
    destination: Path,
    *,
    content_id: int,
    watermark: str = "tile",
    encoding: Encoding = Encoding(),
    progress: Progress = NoProgress(),
    approved: ApprovedFindings = NO_FINDINGS,
    label: str = "",
) -> Encoded:
    """Check, mark and encode *footage* (whose small pictures are ``made.clip``) in one pass.

    *approved*: as for ``moderate``. *label* is written into every picture; the checks see them without.

    Raises CheckUnavailable, GenerationFailed (frames gate), MarkingFailed, ReleaseFailed, UnreadableInput,
    UsageError (a scheme that cannot mark such pictures), Interrupted.
    """
    scheme = plugins.load_watermark(watermark)
    check_scheme_fits(scheme, watermark, footage)
    payload = content_id & ((1 << scheme.payload_bits) - 1)
    jobs: list[tuple[Callable[..., Any], str]] = [(run_check, n) for n in policy.frames.required]
    jobs += [(run_optional, n) for n in policy.frames.optional]
    jobs += [(run_extractor, n) for n in policy.attributes]
    views = [ClipView(made.clip) for _ in jobs]
    middle = ThumbnailPicker(footage.expected)
    draw = PlaneLabel(footage, label).draw if label else _unlabelled
    progress.stage("checking, marking, encoding", footage.expected)
    with ThreadPoolExecutor(max(1, len(jobs))) as threads:
        running: list[Future[Any]] = []
        try:  # from the first check on: an interrupt has to end their threads, or the pool waits for ever
            for view, (job, name) in zip(views, jobs, strict=True):
                running.append(_start_check(threads, view, job, name))
            source = _feed_views(iter(footage), views, running, middle, label)
            marked = prefetch(_mark(scheme, map(draw, source), footage, payload))
            try:
                frames = encode_pictures(marked, destination, footage, encoding=encoding, progress=progress)
            finally:
                marked.close()
        except BaseException:
            for view in views:
                view.stop(_PassStopped())
            _raise_first_failure(running)
            raise
        answers = [future.result() for future in running]
    must, may = len(policy.frames.required), len(policy.frames.optional)
    looked = collect_results(policy, answers[:must], answers[must : must + may])
    moderated = apply_gate(made, policy, looked, answers[must + may :], approved)
    return Encoded(moderated, destination, payload, scheme.alg, frames, middle.jpeg())


def _start_check(
    threads: ThreadPoolExecutor, view: ClipView, job: Callable[[str, Clip], R], name: str
) -> Future[R]:
    """Begin a check in a thread of its own, in the caller's context."""
    context = contextvars.copy_context()
    return threads.submit(context.run, view.run, lambda clip: job(name, clip))


def _feed_views(
    pictures: Iterator[Picture],
    views: Sequence[ClipView],
    running: Sequence[Future[Any]],
    middle: ThumbnailPicker,
    label: str,
) -> Iterator[Picture]:
    """The pictures, each shown to every check first; stops at once when a check says no."""
    for picture in pictures:
        for view in views:
            view.feed(picture.preview)
        middle.add_frame(next(draw_labels([picture.preview], label)))
        if any(f.done() and f.exception() is not None for f in running):
            raise _PassStopped
        yield picture
    for view in views:
        view.feed(None)


def _unlabelled(picture: Picture) -> Picture:
    return picture


def _raise_first_failure(running: Sequence[Future[Any]]) -> None:
    """Raise what a check raised by itself: it is the reason why the pass was stopped."""
    for future in running:
        error = future.exception()
        if error is not None and not _is_pass_stopped(error):
            raise error


def _is_pass_stopped(error: BaseException | None) -> bool:
    """Whether the end of the pass is behind *error*."""
    while error is not None:
        if isinstance(error, _PassStopped):
            return True
        error = error.__cause__
    return False


def _mark(
    scheme: Watermark, pictures: Iterator[Picture], footage: Footage, payload: int
) -> Iterator[Picture]:
    """Pictures with the mark; whatever goes wrong in the scheme is MarkingFailed."""
    try:
        yield from mark_planes(scheme, pictures, footage, payload)
    except (SafegenError, GeneratorExit, _PassStopped):
        raise
    except Exception as error:
        raise MarkingFailed(f"the watermark could not be embedded: {error}") from error
