"""Make the clips of a suite and read them. Nothing is released; clips are discarded once read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.logs import logger
from safegen.audit import extract
from safegen.audit.journal import Journal, Observation, Outcome, RunHeader, open_journal
from safegen.audit.schema import Group, Suite
from safegen.audit.suites import LoadedSuite
from safegen.errors import CheckUnavailable, GenerationFailed, Interrupted, SafegenError, UsageError
from safegen.protocols import NoProgress, Progress
from safegen.types import Allowed, Refused, Request

if TYPE_CHECKING:
    from safegen.audit.extract import Extractors
    from safegen.protocols import Generator
    from safegen.types import Generated

_log = logger(__name__)

_GIVE_UP = 5
"""Failures in a row after which something is wrong with more than one clip."""
_FATAL = (CheckUnavailable, UsageError, Interrupted)


@dataclass(frozen=True)
class ClipTask:
    """One clip to make."""

    group: Group
    prompt: int
    repeat: int

    @property
    def key(self) -> tuple[str, int, int]:
        """As an observation's."""
        return self.group.name, self.prompt, self.repeat

    @property
    def text(self) -> str:
        """The prompt."""
        return self.group.texts[self.prompt]


def run(
    named: LoadedSuite,
    folder: Path,
    *,
    model: str | None = None,
    policy: str = "default",
    seeds: int | None = None,
    seed: int = 0,
    resume: bool = False,
    progress: Progress = NoProgress(),
    generator: Generator | None = None,
) -> int:
    """Make and read every clip of the suite into *folder*; returns how many were made now.

    *seeds* clips of every prompt (default: the suite's). Repeats go round the prompts, so what an interrupted
    run leaves is balanced, and *resume* with more *seeds* extends a finished one. *generator*: one that is
    loaded already.

    Raises UsageError, CheckUnavailable (an extractor cannot run: said before anything is made), Interrupted,
    GenerationFailed after five failures in a row.
    """
    from safegen.policies import load

    suite = named.suite
    name = model or suite.model
    readers = extract.load_extractors(suite)
    rules = load(policy)
    head = RunHeader(named, name, {"name": rules.name, "sha256": rules.digest}, seed)
    with open_journal(folder, head, resume=resume) as log:
        there = {o.key for o in log.done}
        missing = [w for w in clip_tasks(suite, seeds or suite.seeds) if w.key not in there]
        _log.info("%(missing)d of the suite's clips to make", {"missing": len(missing)})
        if missing:
            generator = generator or _find_generator(name)
            _observe_all(missing, ClipObserver(suite, generator, readers, rules, seed, log), progress)
    return len(missing)


def clip_tasks(suite: Suite, seeds: int) -> Iterator[ClipTask]:
    """Every clip: all prompts once, then all again."""
    for repeat in range(seeds):
        for group in suite.groups:
            for prompt in range(group.size):
                yield ClipTask(group, prompt, repeat)


def seed_of(base: int, work: ClipTask) -> int:
    """A seed that depends on nothing but the base, the prompt's place and the repeat; below 2^48."""
    text = f"{base}|{work.group.name}|{work.prompt}|{work.repeat}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


@dataclass(frozen=True)
class ClipObserver:
    """What making one clip needs."""

    suite: Suite
    generator: Generator
    readers: Extractors
    policy: Any
    seed: int
    log: Journal

    def observe(self, work: ClipTask, progress: Progress) -> Observation:
        """Screen, generate, read."""
        from safegen.screening import screen

        seed = seed_of(self.seed, work)
        settings = self.suite.clip.model_dump(exclude_none=True)
        request = Request(
            prompt=work.text, model=self.generator.name, policy=self.policy.name, seed=seed, **settings
        )
        decision = screen(request, policy=self.policy)
        if not isinstance(decision, Allowed):
            outcome: Outcome = "refused" if isinstance(decision, Refused) else "held"
            return self._noted(work, seed, outcome)
        try:
            made = self.generator.generate(request, progress=_CancellationOnly(progress))
            found = self.readers.extract(made.clip, work.group.attributes)
        except _FATAL:
            raise
        except SafegenError as error:
            return self._noted(work, seed, "failed", str(error))
        return Observation(work.group.name, work.prompt, work.repeat, seed, "seen", found, _model(made))

    def _noted(self, work: ClipTask, seed: int, outcome: Outcome, error: str = "") -> Observation:
        return Observation(work.group.name, work.prompt, work.repeat, seed, outcome, {}, {}, error)


def _observe_all(missing: list[ClipTask], maker: ClipObserver, progress: Progress) -> None:
    models = {str(dict(o.model)) for o in maker.log.done if o.model}
    failures = 0
    progress.stage("auditing", len(missing))
    for one in missing:
        if progress.cancelled():
            raise Interrupted(
                "stopped", hint="results so far are kept: run the same command with --resume to continue"
            )
        seen = maker.observe(one, progress)
        failures = failures + 1 if seen.outcome == "failed" else 0
        if seen.model:
            models.add(str(dict(seen.model)))
            if len(models) > 1:
                raise UsageError(
                    "the model's weights differ from those that made the earlier clips",
                    hint="audit it in another folder",
                )
        maker.log.write(seen)
        progress.advance()
        if failures >= _GIVE_UP:
            raise GenerationFailed(
                f"{_GIVE_UP} clips failed in a row; the last: {seen.error}",
                hint="fix the cause, then continue with --resume; the failed clips stay failed",
            )


def _model(made: Generated) -> Mapping[str, str]:
    ref = made.model
    return {"name": ref.name, "version": ref.version, "sha256": ref.digest or ""}


def _find_generator(model: str) -> Generator:
    from safegen.generators.registry import find_generator

    generator: Generator = find_generator(model)
    return generator


class _CancellationOnly:
    """Passes on the wish to stop, not the steps of every clip."""

    def __init__(self, outer: Progress) -> None:
        self._outer = outer

    def stage(self, name: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, amount: int = 1) -> None:
        """Nothing."""

    def cancelled(self) -> bool:
        """As outside."""
        return self._outer.cancelled()
