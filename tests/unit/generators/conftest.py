"""Fixtures of the generators' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest


class Counting:
    """Progress that remembers what it was told and stops after a number of units."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stages: list[tuple[str, int | None]] = []
        self.units = 0
        self.stop_after = stop_after

    def stage(self, name: str, total: int | None = None) -> None:
        self.stages.append((name, total))

    def advance(self, amount: int = 1) -> None:
        self.units += amount

    def cancelled(self) -> bool:
        return self.stop_after is not None and self.units >= self.stop_after


@pytest.fixture
def counting() -> type[Counting]:
    return Counting


@pytest.fixture
def moving_square() -> np.ndarray:
    """Nine frames of 32 x 32 pixels in which a red square goes right by two pixels a frame."""
    frames = np.full((9, 32, 32, 3), (90, 140, 90), np.uint8)
    for i in range(9):
        frames[i, 12:20, 4 + 2 * i : 12 + 2 * i] = (210, 30, 30)
    return frames


@pytest.fixture(scope="session")
def pipeline_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folders of tiny pipelines as a hub would have them, each made once."""
    from tests.support.pipelines import save

    root = tmp_path_factory.mktemp("pipelines")

    def get(name: str) -> Path:
        return root / name if (root / name).is_dir() else save(name, root / name)

    return get


@pytest.fixture(scope="module")
def generators(pipeline_folder: Any) -> Any:
    """One generator a family, its pipeline loaded once."""
    from safegen.generators.diffusers.generator import DiffusersGenerator
    from safegen.generators.registry import find_generator

    made: dict[str, DiffusersGenerator] = {}

    def get(name: str) -> DiffusersGenerator:
        if name not in made:
            found = find_generator(str(pipeline_folder(name)))
            assert isinstance(found, DiffusersGenerator)
            made[name] = found
        return made[name]

    return get


@pytest.fixture
def server(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A hub of one's own, with an empty cache: see ``hub_server``."""
    from tests.unit.generators.hub.hub_server import serving

    yield from serving(in_memory, monkeypatch)
