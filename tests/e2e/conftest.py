"""A workspace with releases of the embedded model, made once per session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import safegen

PROMPT = "a red ball rolling left to right over green grass"
SECONDS = 2.0
"""Of a release: enough for everything that is asked of one."""


@dataclass(frozen=True)
class Studio:
    """A workspace, two releases of one prompt (other seeds) and one of another prompt."""

    workspace: Path
    first: safegen.Release
    second: safegen.Release
    other: safegen.Release

    def verify(self, path: Path, **more: object) -> safegen.Report:
        return safegen.verify(path, workspace=self.workspace, **more)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("studio")
    workspace = folder / "workspace"

    def make(name: str, prompt: str, seed: int) -> safegen.Release:
        return safegen.generate(prompt, folder / name, seed=seed, seconds=SECONDS, workspace=workspace)

    return Studio(
        workspace,
        make("first.mp4", PROMPT, 1),
        make("second.mp4", PROMPT, 2),
        make("other.mp4", "a blue box moving up over snow", 3),
    )
