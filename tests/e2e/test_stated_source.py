"""``protect --source-type``: what the owner states is what verify and comply say, as the owner's word."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

import safegen
from safegen.cli import group
from safegen.errors import UsageError
from safegen.pipeline.input_credentials import is_fully_generated
from safegen.verification.summary import summary_rows
from tests.e2e.test_protect import scene


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A picture whose owner states that AI made it, and the workspace."""
    folder = tmp_path_factory.mktemp("stated")
    cv2.imwrite(str(folder / "picture.png"), scene(1)[0])
    arguments = ["protect", str(folder / "picture.png"), "-o", str(folder / "made.png")]
    arguments += ["--source-type", "trainedAlgorithmicMedia", "--workspace", str(folder / "ws")]
    done = CliRunner().invoke(group, arguments)
    assert done.exit_code == 0, done.output
    return folder / "made.png", folder / "ws"


def test_the_first_line_of_verify(made: tuple[Path, Path]) -> None:
    report = safegen.verify(made[0], workspace=made[1])
    assert report.verdict is safegen.Verdict.VERIFIED
    assert report.origin is not None and report.origin.kind == "generated"
    assert report.origin.statement == "Made by AI, as its owner states"
    shown = dict(summary_rows(report))
    assert "transcoded (trainedAlgorithmicMedia, its owner states)" in shown["actions"]
    assert [a["owners_word"] for a in report.to_dict()["credentials"]["actions"]] == [False, True, False]


@pytest.mark.parametrize("rule", ["eu-ai-act-50", "ca-bpc-22757"])
def test_comply_counts_it(made: tuple[Path, Path], rule: str) -> None:
    arguments = ["comply", str(made[0]), "--rule", rule, "--workspace", str(made[1]), "--json"]
    answer = json.loads(CliRunner().invoke(group, arguments).stdout)
    hints = " ".join(r["hint"] for r in answer["requirements"])
    assert "state its digital source type" not in hints
    if rule == "eu-ai-act-50":
        (found,) = [r for r in answer["requirements"] if r["id"] == "machine-readable"]
        assert found["status"] == "met" and "as its owner states" in found["evidence"]


def test_it_proves_nothing_about_what_is_made_of_it(made: tuple[Path, Path]) -> None:
    manifest = safegen.verify(made[0], workspace=made[1], watermark=False).credentials.manifest
    assert manifest is not None and not is_fully_generated(manifest)


def test_what_is_no_type_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no digital source type") as refused:
        safegen.protect(
            tmp_path / "absent.png", source_type="trainedAlgorithmicMedium", workspace=tmp_path / "ws"
        )
    assert "trainedAlgorithmicMedia" in refused.value.hint
    assert list(tmp_path.iterdir()) == []
