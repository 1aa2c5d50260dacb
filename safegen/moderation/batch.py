"""Several files, one policy; what cannot be looked at is said beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen import policies
from safegen.errors import CheckUnavailable, SafegenError, UnreadableInput
from safegen.moderation.run import Moderation, moderate_file
from safegen.protocols import NoProgress, Progress

if TYPE_CHECKING:
    from safegen.policies.schema import Policy


@dataclass(frozen=True)
class FileOutcome:
    """A file with what was found in it, or the error it ended with (UnreadableInput, CheckUnavailable)."""

    path: Path
    moderation: Moderation | None = None
    error: SafegenError | None = None

    @property
    def exit_code(self) -> int:
        """Of this file alone."""
        if self.moderation is not None:
            return self.moderation.exit_code
        return CheckUnavailable.exit_code if self.error is None else self.error.exit_code


def require_checks(policy: Policy, checks: Sequence[str]) -> Policy:
    """*policy* that also requires *checks*. Raises UsageError for a name that is no frames check."""
    from safegen import plugins

    for name in checks:
        plugins.require("frame detector", name)
    more = [c for c in checks if c not in policy.frames.required]
    optional = tuple(c for c in policy.frames.optional if c not in more)
    frames = policy.frames.model_copy(
        update={"required": (*policy.frames.required, *more), "optional": optional}
    )
    return policy.model_copy(update={"frames": frames})


def moderate_files(
    paths: Sequence[Path],
    *,
    policy: str = "default",
    checks: Sequence[str] = (),
    progress: Progress = NoProgress(),
) -> list[FileOutcome]:
    """Each of *paths* (folders: what is inside) under *policy*, *checks* required besides.

    Raises UsageError, UnreadableInput (a folder without media), Interrupted.
    """
    from safegen.verification.batch import collect_files

    rules = require_checks(policies.load(policy), checks)
    batch = collect_files(paths)
    if not batch.files:
        raise UnreadableInput(f"{paths[0]}: no video or picture in this folder", hint="check the path")
    out = []
    for path in batch.files:
        try:
            out.append(FileOutcome(path, moderate_file(path, rules, progress=progress)))
        except (UnreadableInput, CheckUnavailable) as error:
            out.append(FileOutcome(path, error=error))
    return out
