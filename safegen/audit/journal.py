"""``observations.jsonl``: a header that describes the run, then one line per clip; read again on resume.

A last line that was cut off by a crash is dropped. One run at a time writes to a folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from safegen._util.files import lock_exclusive
from safegen.audit import suites
from safegen.errors import ReleaseFailed, UnreadableInput, UsageError
from safegen.types import Json, JsonResult

NAME = "observations.jsonl"
SCHEMA = "safegen.audit-observations/1"
MAX_BYTES = 512 * 1024 * 1024
Outcome: TypeAlias = Literal["seen", "refused", "held", "failed"]


@dataclass(frozen=True)
class Observation:
    """The outcome of one prompt with one seed.

    ``prompt``: which of the group's, from 0. ``attributes``: probabilities over classes by attribute, where
    the clip was ``seen``. ``model``: name, version and SHA-256 of what made it.
    """

    group: str
    prompt: int
    repeat: int
    seed: int
    outcome: Outcome
    attributes: Mapping[str, Mapping[str, float]]
    model: Mapping[str, str]
    error: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes it unique within a run."""
        return self.group, self.prompt, self.repeat


@dataclass(frozen=True)
class RunHeader(JsonResult):
    """What a run consists of: the suite, the requested model, the policy's digest, the base of the seeds."""

    named: suites.LoadedSuite
    model: str
    policy: Mapping[str, str]
    seed: int

    def to_dict(self) -> Json:
        """The first line."""
        return {
            "schema": SCHEMA,
            "suite": self.named.suite.model_dump(mode="json"),
            "suite_sha256": self.named.digest,
            "model": self.model,
            "policy": dict(self.policy),
            "seed": self.seed,
        }


class Journal:
    """The open file of one run; made by ``journal``."""

    def __init__(self, file: IO[str], path: Path, done: list[Observation]) -> None:
        """*done*: what earlier runs saw."""
        self.path, self.done = path, done
        self._file = file

    def write(self, seen: Observation) -> None:
        """Append *seen*; it is on disk before this returns. Raises ReleaseFailed."""
        self._line(_observation_json(seen))

    def begin(self, head: RunHeader) -> None:
        """Write the head of a new file."""
        self._line(head.to_dict())

    def _line(self, value: Json) -> None:
        try:
            self._file.write(json.dumps(value, ensure_ascii=True, allow_nan=False) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise ReleaseFailed(f"{self.path} cannot be written: {error.strerror}") from error


@contextmanager
def open_journal(folder: Path, head: RunHeader, *, resume: bool) -> Iterator[Journal]:
    """The observations in *folder*, which is made if need be.

    Raises UsageError: there are some already (and no *resume*), of another run, or a run is under way.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and not resume:
            raise UsageError(
                f"{folder} already contains an audit",
                hint="continue it with --resume, or choose another folder",
            )
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="choose another folder"
        ) from error
    with file:
        lock_exclusive(file, folder)
        done = _continued(file, path, head)
        opened = Journal(file, path, done or [])
        if done is None:
            opened.begin(head)
        yield opened


def read(folder: Path) -> tuple[RunHeader, list[Observation]]:
    """The head and every observation of the run in *folder*. Raises UnreadableInput, UsageError."""
    path = folder / NAME if folder.is_dir() else folder
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableInput(f"{path} is too large", hint="is it the file of an audit?")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInput(f"{folder} contains no audit", hint="`safegen audit run` makes one") from error
    head, seen = _parsed(text, path)
    if head is None:
        raise UnreadableInput(f"{path} does not contain an audit", hint="`safegen audit run` makes one")
    return head, seen


def _continued(file: IO[str], path: Path, head: RunHeader) -> list[Observation] | None:
    """What earlier runs saw; ``None`` for a new file. A line that was cut off is removed."""
    file.seek(0)
    text = file.read()
    whole = text[: text.rfind("\n") + 1]
    if len(whole) < len(text):
        file.truncate(len(whole.encode("utf-8")))
    before, seen = _parsed(whole, path)
    if before is None:
        return None
    if before.to_dict() != head.to_dict():
        raise UsageError(
            "the suite, the model, the policy or the seed has changed since the last run",
            hint="choose another folder, or use the same ones as before",
        )
    return seen


def _parsed(text: str, path: Path) -> tuple[RunHeader | None, list[Observation]]:
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return None, []
    if text[-1:] != "\n":
        lines = lines[:-1]
    number = 1
    try:
        first = json.loads(lines[0])
        if first["schema"] != SCHEMA:
            raise KeyError("schema")
        named = suites.from_json(first["suite"])
        head = RunHeader(named, str(first["model"]), dict(first["policy"]), int(first["seed"]))
        seen = {}
        for line in lines[1:]:
            number += 1
            one = _observation(json.loads(line))
            seen[one.key] = one
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise UnreadableInput(
            f"{path.name}, line {number}: not a line of an audit", hint="was the file edited?"
        ) from error
    return head, list(seen.values())


def _observation_json(o: Observation) -> Json:
    rounded = {a: {c: round(p, 4) for c, p in probs.items()} for a, probs in o.attributes.items()}
    body: Json = {
        "group": o.group,
        "prompt": o.prompt,
        "repeat": o.repeat,
        "seed": o.seed,
        "outcome": o.outcome,
    }
    body |= {"attributes": rounded, "model": dict(o.model)}
    return {**body, "error": o.error} if o.error else body


def _observation(value: Any) -> Observation:
    """Raises ValueError, KeyError or TypeError for what is none."""
    if value["outcome"] not in ("seen", "refused", "held", "failed"):
        raise ValueError("outcome")
    attributes = {
        str(a): {str(c): _probability(p) for c, p in probs.items()}
        for a, probs in value["attributes"].items()
    }
    if any(not probs for probs in attributes.values()):
        raise ValueError("attributes")
    model = {str(k): str(v) for k, v in value["model"].items()}
    at = (int(value["prompt"]), int(value["repeat"]), int(value["seed"]))
    return Observation(
        str(value["group"]), *at, value["outcome"], attributes, model, str(value.get("error", ""))
    )


def _probability(value: Any) -> float:
    number = float(value)
    if not -0.001 <= number <= 1.001:
        raise ValueError("a probability")
    return number
