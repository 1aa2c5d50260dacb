"""Threads of one program that release at once, into a workspace that none of them has made yet."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import safegen
from safegen import Verdict

THREADS = 3


def test_threads_release_into_one_new_workspace(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    workspace = tmp_path / "workspace"
    together = threading.Barrier(THREADS, timeout=300)

    def make(number: int) -> Path:
        together.wait()
        path = tmp_path / f"{number}.mp4"
        made = safegen.generate(
            "a red ball on grass", path, seed=number, seconds=0.5, steps=1, workspace=workspace
        )
        assert made.path == path
        return path

    with ThreadPoolExecutor(THREADS) as pool:
        paths = list(pool.map(make, range(THREADS)))
    reports = [safegen.verify(path, workspace=workspace) for path in paths]
    assert [r.verdict for r in reports] == [Verdict.VERIFIED] * THREADS
