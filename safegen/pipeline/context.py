"""A release under way: what every stage after authorization needs besides the value it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safegen.media.encode import Encoding
from safegen.pipeline.frames_gate import NO_FINDINGS, ApprovedFindings
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.protocols import Progress
    from safegen.release import ReleaseJob
    from safegen.review.queue import Approval
    from safegen.types import Decision
    from safegen.workspace.config import Config


@dataclass(frozen=True)
class ReleaseSettings:
    """How a clip is marked and written: the watermark's scheme, the encoder's settings, and whether an
    existing output may be replaced.
    """

    watermark: str = "tile"
    encoding: Encoding = Encoding()
    overwrite: bool = False


@dataclass(frozen=True)
class ReleaseContext:
    """One release under way. Made once, when everything that could forbid it has been passed.

    ``decision`` and ``decision_index`` (its entry in the ledger) are None for a video made elsewhere.
    ``approval`` is a person's, spent already. ``timings`` grows with every stage.
    """

    session: Session
    job: ReleaseJob
    policy: Policy
    content_id: int
    settings: ReleaseSettings = ReleaseSettings()
    decision: Decision | None = None
    decision_index: int | None = None
    approval: Approval | None = None
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def config(self) -> Config:
        """The workspace's settings."""
        return self.session.workspace.config

    @property
    def progress(self) -> Progress:
        """Where stages report how far they are."""
        return self.session.progress

    @property
    def approved(self) -> ApprovedFindings:
        """The findings with which a person let this very clip pass."""
        return NO_FINDINGS if self.approval is None else self.approval.findings

    @property
    def commitment(self) -> str:
        """What the decision's entry commits to its private part with; empty where nothing was decided."""
        index = self.decision_index
        return "" if index is None else self.session.ledger.entry(index).commitment

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the seconds that the block takes to the *stage* of ``timings``, unless it fails."""
        started = time.monotonic()
        yield
        self.timings[stage] = self.timings.get(stage, 0.0) + time.monotonic() - started
