"""Asks the readers in a process of their own, which is ended where an answer takes too long."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType

from benchmarks.conformance.answers import Answer, Content
from benchmarks.conformance.corpus import Subject
from benchmarks.conformance.tools import TOOLS

START_S = 120.0
"""What a fresh process may take to import what it needs."""


class Readers:
    """The three readers behind one process, started anew after each answer that came too late.

    *limit_s* is the time per file and reader. A context manager.
    """

    def __init__(self, limit_s: float, tools: Mapping[str, Callable[[Subject], Answer]] = TOOLS) -> None:
        self.limit_s = limit_s
        self.tools = tools
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def __enter__(self) -> Readers:
        """Nothing is started before the first question."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._stop()

    def ask(self, tool: str, subject: Subject) -> Answer:
        """The answer of *tool* on *subject*; ``LATE`` where none came in time or its process died."""
        line = self._line or self._start()
        line.send((tool, subject))
        try:
            if line.poll(self.limit_s):
                found: Answer | str = line.recv()
                return found if isinstance(found, Answer) else Answer(Content.LATE, detail=found)
            reason = f"no answer in {self.limit_s:g} s"
        except (EOFError, ConnectionError):
            reason = "the reader's process died"
        self._stop()
        return Answer(Content.LATE, detail=reason)

    def ask_all(self, subject: Subject, repeats: int) -> tuple[dict[str, Answer], bool]:
        """Every reader's answer, and whether safegen's was the same each of *repeats* times."""
        answers = {tool: self.ask(tool, subject) for tool in self.tools}
        again = (self.ask("safegen", subject) for _ in range(repeats - 1))
        return answers, all(answer == answers["safegen"] for answer in again)

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, dict(self.tools)), daemon=False)
        process.start()
        self._process = process
        theirs.close()
        if not self._line.poll(START_S):
            self._stop()
            raise RuntimeError("the readers' process did not start")
        self._line.recv()
        return self._line

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._line is not None:
            self._line.close()
        self._process = self._line = None


def _serve(line: Connection, tools: Mapping[str, Callable[[Subject], Answer]]) -> None:
    """Answer questions until the line is closed."""
    import safegen.verification.run  # noqa: F401 - loaded before the first question, which is timed

    line.send("ready")
    while True:
        try:
            tool, subject = line.recv()
        except EOFError:
            return
        try:
            answer: Answer | str = tools[tool](subject)
        except Exception as error:  # a reader that breaks down has not answered
            answer = f"{type(error).__name__}: {error}"[:200]
        line.send(answer)
