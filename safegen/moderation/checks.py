"""Running one frames check so that whatever goes wrong in it lets nothing through."""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from safegen import plugins
from safegen._text import one_line
from safegen._util.logs import logger
from safegen.errors import CheckAbsent, CheckUnavailable, Interrupted, SafegenError, UsageError
from safegen.types import Attribute, CheckRun, Clip, Finding

if TYPE_CHECKING:
    from safegen.types import Frame

_log = logger(__name__)

CheckResult: TypeAlias = tuple[list[Finding], CheckRun]
ExtractionResult: TypeAlias = tuple[list[Attribute], CheckRun]

PATIENCE = 300.0
"""Seconds a check may think without asking for another frame; waiting for frames does not count."""
_POLL_SECONDS = 0.2


class _WatchedClip:
    """A clip that knows how long its reader has been thinking."""

    def __init__(self, clip: Clip) -> None:
        self.clip = replace(clip, open=self._open)
        self._source = clip
        self._since: float | None = time.monotonic()

    def _open(self) -> Iterator[Frame]:
        frames = iter(self._source)
        while True:
            self._since = None
            try:
                frame = next(frames, None)
            finally:
                self._since = time.monotonic()
            if frame is None:
                return
            yield frame

    @property
    def idle_seconds(self) -> float:
        """Seconds since the reader got its last frame; 0 while it waits for one."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since


def run_check(name: str, clip: Clip, *, patience: float | None = None) -> CheckResult:
    """What the frames detector *name* finds in *clip*.

    Raises CheckAbsent when what it needs is not installed, CheckUnavailable whatever else goes wrong:
    it raises, takes more than *patience* seconds over a frame, does not say what ran, gives no usable score.
    """
    try:
        load = partial(plugins.load_frame_detector, name)
        answer = _run_watched(load, clip, PATIENCE if patience is None else patience)
        findings, ran = answer
        findings = list(findings)
        usable = (
            isinstance(ran, CheckRun)
            and all(_is_valid_finding(f) for f in findings)
            and _is_valid_score(ran.score)
        )
    except CheckAbsent as error:
        raise CheckAbsent(f"the frames check {name!r} is not installed: {error}", hint=error.hint) from error
    except SafegenError as error:
        raise CheckUnavailable(
            f"the frames check {name!r} could not run: {error}", hint=error.hint
        ) from error
    except Exception as error:
        raise CheckUnavailable(f"the frames check {name!r} failed: {error}") from error
    if not usable:
        raise CheckUnavailable(f"the frames check {name!r} returned no usable answer")
    strongest = max((f.score or 0.0 for f in findings), default=0.0)
    _log.info(
        "frames check %(check)s %(version)s ran, strongest finding %(score).3f",
        {"check": ran.name, "version": ran.version, "score": strongest},
    )
    return findings, ran


def _run_watched(load: Callable[[], Any], clip: Clip, patience: float) -> Any:
    """Run the plug-in in a thread of its own, in the caller's context; give up when it does not come back."""
    watch = _WatchedClip(clip)
    answers: list[Any] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(load().run(watch.clip))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(min(_POLL_SECONDS, patience))
        if watch.idle_seconds > patience and thread.is_alive():
            raise CheckUnavailable(f"no answer within {patience:g} s", hint="nothing was let through")
    if errors:
        raise errors[0]
    return answers[0]


def _is_valid_finding(finding: object) -> bool:
    """A finding whose score is a number in [0, 1]: every comparison with NaN is false, a pass."""
    return isinstance(finding, Finding) and _is_valid_score(finding.score)


def _is_valid_score(score: float | None) -> bool:
    return score is None or (math.isfinite(score) and 0.0 <= score <= 1.0)


def run_extractor(name: str, clip: Clip, *, patience: float | None = None) -> ExtractionResult | str:
    """One attribute extractor; where it fails, a sentence about it: it describes, and lets nothing through.

    Raises CheckUnavailable where there is no extractor of that *name*.
    """
    try:
        extractor = plugins.load_attribute_extractor(name)
    except UsageError as error:
        raise CheckUnavailable(
            f"the attribute extractor {name!r} failed: {error}", hint=error.hint
        ) from error
    except Exception as error:
        return _not_extracted(name, f"{type(error).__name__}: {error}")
    try:
        found, ran = _run_watched(lambda: extractor, clip, PATIENCE if patience is None else patience)
        values = list(found)
        usable = isinstance(ran, CheckRun) and bool(values)
        usable = usable and all(math.isfinite(p) for a in values for p in a.probabilities.values())
    except Interrupted:
        raise
    except Exception as error:
        return _not_extracted(name, f"{type(error).__name__}: {error}")
    return (values, ran) if usable else _not_extracted(name, "it returned no usable answer")


def _not_extracted(name: str, reason: str) -> str:
    _log.warning("attribute extractor %(name)s failed: %(reason)s", {"name": name, "reason": reason})
    return f"attributes are missing: the extractor {name!r} failed ({one_line(reason, 200)})"


def run_optional(name: str, clip: Clip) -> CheckResult | str:
    """``run_check``, or why the check is not installed. One that is there and fails raises all the same."""
    try:
        return run_check(name, clip)
    except CheckAbsent as error:
        return str(error.__cause__ or error)
