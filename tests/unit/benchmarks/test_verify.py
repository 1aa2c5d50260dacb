"""What the benchmark of ``verify`` makes is a whole release: it measures a verdict that people wait for."""

from __future__ import annotations

from pathlib import Path

import safegen
from benchmarks.verify import release


def test_what_is_measured_is_verified(tmp_path: Path) -> None:
    path = release(tmp_path, 1)
    report = safegen.verify(path, workspace=tmp_path / "workspace", watermark=False)
    assert report.verdict is safegen.Verdict.VERIFIED
