"""Decisions as JSON, and streams of prompts in JSON lines: the interface that moderation pipelines use.

Every answer is a decision record: it names the policy and its SHA-256, and each check that ran with its
version and the SHA-256 of its model or lists. It never holds the prompt.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from safegen._text import to_json
from safegen.errors import UsageError
from safegen.types import Json, Request

if TYPE_CHECKING:
    from safegen.policies import Policy

MAX_LINE = 4 * 2**20
"""Bytes of a line that is still looked at."""
_LINE_ID = re.compile(r"line:[0-9]+")


def screen_jsonl(
    lines: Iterable[bytes],
    *,
    policy: str = "default",
    workers: int = 1,
    private: bool = False,
    ready: bool = False,
) -> Iterator[Json]:
    """One answer per line, in order: ``{"id", "verdict", "score", "categories", "findings"}``.

    A line is an object with ``text`` (or ``prompt``) and optionally ``id`` and ``negative_prompt``, or a
    bare JSON string. One without an id is called ``line:N``, N being its number from 1; no line may give
    itself another line's name. A line that cannot be read, a blank one too, gives ``{"id", "error"}`` and the
    rest goes on. *workers* processes share the work; *ready* says that no line has to be waited for, so that
    they are read many at a time. Raises UsageError (unknown policy) and CheckUnavailable (a required check
    cannot run) at once: those concern every line.
    """
    from safegen.policies import load
    from safegen.screening.batch import batch_size, map_ordered

    rules = load(policy)
    work = partial(_answer_lines, policy=rules, private=private)
    return map_ordered(work, enumerate(lines), batch_size(rules, workers, ready=ready), workers)


def read_bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of *stream*; of one that is too long only so much that it is seen to be, the rest is skipped."""
    while line := stream.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE + 1)


def dumps(answer: Json) -> str:
    """One line of JSON; hidden characters and lone surrogates, which UTF-8 cannot hold, are escaped."""
    return to_json(answer, allow_nan=False)


def name_line(value: Any, number: int) -> Any:
    """The id of line *number* (from 0): *value*, or ``line:N`` from 1 where it gives none.

    Names of that form are only for lines without an id, so that no answer can be taken for another line's.
    Raises UsageError for an id that is neither text nor a number, or another line's name.
    """
    name = f"line:{number + 1}"
    if value is None:
        return name
    if isinstance(value, str) and _LINE_ID.fullmatch(value) and value != name:
        raise UsageError(f"line {number + 1} has the id of another line; ids like {name} are given here")
    if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise UsageError(f"the id of line {number + 1} is neither text nor a number")


def _answer_lines(lines: list[tuple[int, bytes]], *, policy: Policy, private: bool) -> list[Json]:
    """The answers to some lines, judged together."""
    from safegen.screening import screen_requests

    asked = [_read(line, number, policy) for number, line in lines]
    verdicts = iter(screen_requests([r for _, r in asked if isinstance(r, Request)], policy))
    out: list[Json] = []
    for identifier, request in asked:
        verdict = next(verdicts) if isinstance(request, Request) else request
        if isinstance(verdict, UsageError):
            out.append({"id": identifier, "error": str(verdict), "exit_code": verdict.exit_code})
        else:
            out.append({"id": identifier, **verdict.to_dict(private=private)})
    return out


def _read(line: bytes, number: int, policy: Policy) -> tuple[Any, Request | UsageError]:
    """Id and request of a line, or what is wrong with it."""
    identifier: Any = name_line(None, number)
    try:
        value = _parse(line, number)
        identifier = name_line(value.get("id"), number)
        text, negative = value.get("text", value.get("prompt")), value.get("negative_prompt") or ""
        if not isinstance(text, str) or not isinstance(negative, str):
            raise UsageError(f"line {number + 1} has no text")
        return identifier, Request(prompt=text, negative_prompt=negative, policy=policy.name)
    except UsageError as error:
        return identifier, error


def _parse(line: bytes, number: int) -> Json:
    """The object of a line; a bare string counts as its text. Raises UsageError."""
    if len(line) > MAX_LINE:
        raise UsageError(f"line {number + 1} is larger than {MAX_LINE} bytes")
    if not line.strip():
        raise UsageError(f"line {number + 1} is blank")
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 0 else "utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageError(f"line {number + 1} is not JSON in UTF-8") from error
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise UsageError(f"line {number + 1} is neither an object nor a string")
    return value
