"""A guard as a check: texts in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from safegen._util.model_loading import loading_alone
from safegen.detectors.prompt.guards._engine import Engine
from safegen.detectors.prompt.guards._families import FAMILIES, Answer, Family, family_of
from safegen.detectors.prompt.guards._files import digest_of, folder_of
from safegen.errors import CheckUnavailable
from safegen.types import CheckRun, Finding

NAME = "guard"
_SCORE = {"safe": 0.0, "controversial": 0.5, "unsafe": 1.0}


class _Answers(Protocol):
    """What runs the model."""

    def answers(self, texts: Sequence[str], *, timeout: float) -> list[tuple[str, dict[str, float]]]:
        """Answer and label probabilities per text."""


class Guard:
    """A guard of *family* asked through *engine*; *version* and *digest* (SHA-256, hex) go into records."""

    def __init__(self, engine: _Answers, family: Family, *, version: str, digest: str | None) -> None:
        self._engine = engine
        self._family = family
        self._version = version
        self._digest = digest

    def run(self, texts: Sequence[str], *, timeout: float) -> list[tuple[list[Finding], CheckRun]]:
        """Findings and the record of the check for every text, in order.

        A safe answer gives one finding of category ``unsafe`` with its small score, so that records hold it.
        Raises CheckUnavailable when an answer is missing or cannot be read.
        """
        said = self._engine.answers(texts, timeout=timeout)
        if len(said) != len(texts):
            raise CheckUnavailable("the guard did not answer for every prompt", hint="report this")
        return [self._to_findings(answer, labels) for answer, labels in said]

    def _to_findings(self, text: str, labels: Mapping[str, float]) -> tuple[list[Finding], CheckRun]:
        answer = self._family.parse(text)
        score = score_of(answer, labels)
        reason = _reason(self._family.name, answer)
        categories = answer.categories or ("unsafe",)
        findings = [Finding(c, score, NAME, reason) for c in categories]
        return findings, CheckRun(f"{NAME}-{self._family.name}", self._version, self._digest, score)


def score_of(answer: Answer, labels: Mapping[str, float]) -> float:
    """How unsafe in [0, 1]: P(unsafe) + P(controversial) / 2 where the label was decided.

    Without probabilities the label alone counts: 0, 0.5 or 1. Never below what the label stands for, so a
    doubtful "unsafe" is not worth less than 0.5.
    """
    if not labels:
        return _SCORE[answer.label]
    score = sum(p * _SCORE[name] for name, p in labels.items())
    return min(1.0, max(score, _SCORE[answer.label] / 2))


def _reason(family: str, answer: Answer) -> str:
    named = f" ({', '.join(answer.named)})" if answer.named else ""
    return f"the guard {family} says {answer.label}{named}"


@loading_alone
def load(model: str, family: str | None = None, revision: str | None = None) -> Guard:
    """The guard *model* (a folder, or a hub id whose files are in the cache); loaded once per process.

    Raises CheckUnavailable when it is not there, not of the family, or cannot be loaded.
    """
    name = family or family_of(model)
    if name not in FAMILIES:
        raise CheckUnavailable(
            f"the family of the guard {model!r} is not known from its name",
            hint=f"write `guard: family:` with one of {', '.join(FAMILIES)}",
        )
    return _loaded(model, name, revision)


@lru_cache(maxsize=2)
def _loaded(model: str, name: str, revision: str | None) -> Guard:
    folder, version = folder_of(model, revision)
    digest = digest_of(folder)
    return Guard(Engine(folder, FAMILIES[name]), FAMILIES[name], version=version, digest=digest)
