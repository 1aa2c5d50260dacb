"""The corpus runner on everything at hand: every disagreement has its reason, every known answer is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.conformance import __main__ as command

pytest.importorskip("encypher_c2pa", reason="the second reader is a development dependency")


@pytest.mark.slow
def test_nothing_is_wrong(shared: Path, tmp_path: Path) -> None:
    result, page = tmp_path / "result.json", tmp_path / "page.html"
    arguments = ["--shared", str(shared), "--repeat", "2", "--limit", "300"]
    code = command.main([*arguments, "--json", str(result), "--page", str(page)])
    found = json.loads(result.read_text(encoding="utf-8"))
    assert (code, found["problems"]) == (0, [])
    kinds = {row["file"].partition("/")[0] for row in found["rows"]}
    assert kinds == {"c2pa", "cases", "ours"}
    assert sum(row["file"].startswith("ours/") for row in found["rows"]) >= 36
    assert "<script" not in page.read_text(encoding="utf-8")
