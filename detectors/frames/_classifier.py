"""Picture classifiers as frame checks: sampled frames in batches, scores smoothed over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from safegen.detectors.frames._sampling import Sample, sample_frames
from safegen.detectors.frames._temporal import FrameScores, findings_over_time, validate_scores
from safegen.errors import CheckUnavailable
from safegen.types import CheckRun, Finding

if TYPE_CHECKING:
    from safegen.types import Clip, Frame


class Model(Protocol):
    """A loaded classifier. ``version`` names the model, ``digest`` its weights (SHA-256, hex)."""

    version: str
    digest: str
    batch: int

    def scores(self, pictures: Sequence[Frame]) -> Sequence[Mapping[str, float]]:
        """For each picture (uint8 RGB) the probability of every category, in [0, 1]."""


class ClassifierCheck:
    """A frames check around a classifier that is loaded when it is first needed."""

    def __init__(self, name: str, load: Callable[[], Model], reasons: Mapping[str, str]) -> None:
        """*load* raises CheckAbsent where the model is not installed; *reasons*: categories in words."""
        self.name = name
        self._load, self._reasons = load, reasons

    def run(self, clip: Clip) -> tuple[Sequence[Finding], CheckRun]:
        """Findings per category and second. Raises CheckAbsent, CheckUnavailable."""
        model = self._load()
        seen: list[FrameScores] = []
        for batch in _batches(sample_frames(clip), model.batch):
            answers = model.scores([s.frame for s in batch])
            if len(answers) != len(batch):
                raise CheckUnavailable(
                    f"{self.name} returned {len(answers)} answers for {len(batch)} pictures"
                )
            seen += [
                FrameScores(s.time, s.scene, validate_scores(a, self.name))
                for s, a in zip(batch, answers, strict=True)
            ]
        if not seen:
            raise CheckUnavailable("there were no frames to examine", hint="nothing was let through")
        found, highest = findings_over_time(seen, self.name, self._reasons)
        score = min(1.0, max(0.0, highest))
        return found, CheckRun(self.name, model.version, model.digest, score, tuple(self._reasons))


def _batches(items: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
