"""What nothing looked for is said with the answer, and a policy that wants it looked for gets no answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import safegen
from safegen import plugins, policies
from safegen.cli import group
from safegen.detectors.frames import blank, flash, frozen, known
from safegen.errors import CheckUnavailable, UsageError
from safegen.moderation.gate import run_checks
from safegen.moderation.html_report import ReportItem, render
from safegen.policies.frames import CONTENT
from safegen.types import CheckRun, Clip, Finding
from tests.support.stand_ins import stand_in
from tests.unit.moderation.test_run import calm, write

ALL = "nothing looked for nudity, violence or dangerous content"


class Looks:
    """A check that looks for *categories* and finds what *found* says."""

    def __init__(self, *categories: str, found: str = "") -> None:
        self.name = "frozen"
        self._categories, self._found = categories, found

    def run(self, clip: Clip) -> tuple[Sequence[Finding], CheckRun]:
        findings = [Finding(self._found, 0.01, self.name, "a trace")] if self._found else []
        return findings, CheckRun(self.name, "1", looked_for=self._categories)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("video") / "calm.mp4", calm(12))


def policy(folder: Path, *look_for: str) -> str:
    """A policy that runs the check that stands in, and wants *look_for* looked for."""
    path = folder / "wants.yaml"
    wanted = f"frames: {{required: [blank, frozen], look_for: [{', '.join(look_for)}]}}"
    path.write_text(f"name: wants\nextends: default\n{wanted}\n", encoding="utf-8")
    return str(path)


def test_an_answer_says_what_nothing_looked_for(video: Path) -> None:
    text = CliRunner().invoke(group, ["moderate", str(video)])
    assert text.exit_code == 0
    first, second = text.stdout.splitlines()[:2]
    assert "ALLOW" in first and second.strip() == ALL
    shown = json.loads(CliRunner().invoke(group, ["moderate", str(video), "--json"]).stdout)
    assert shown["action"] == "allow" and shown["not_looked_for"] == ["nudity", "violence", "dangerous"]
    found = safegen.moderate(video)
    assert found.not_looked_for == tuple(CONTENT) and ALL in repr(found)
    page = render([ReportItem(video, found)], when="now")
    assert f"<strong>NOT LOOKED FOR</strong> {ALL}" in page


@pytest.mark.parametrize(
    ("check", "left"),
    [
        (Looks("nudity"), ("violence", "dangerous")),
        (Looks("violence", "dangerous"), ("nudity",)),
        (Looks(*CONTENT), ()),
        (Looks(found="violence"), ("nudity", "dangerous")),
        (Looks("something else"), tuple(CONTENT)),
    ],
)
def test_what_ran_decides(
    check: Looks, left: tuple[str, ...], video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, plugins.load_frame_detector, "frozen", check)
    found = safegen.moderate(video, checks=["frozen"])
    assert found.not_looked_for == left
    assert bool(found.blind_spot) == bool(left)
    assert ("NOT LOOKED FOR" in render([ReportItem(video, found)], when="now")) == bool(left)


def test_a_policy_that_wants_it_gets_no_answer(video: Path, tmp_path: Path) -> None:
    wants = policy(tmp_path, "nudity", "violence")
    done = CliRunner().invoke(group, ["moderate", str(video), "--policy", wants])
    assert done.exit_code == 4
    assert "ALLOW" not in done.output and "nothing looked for nudity or violence" in done.output
    assert "look_for" in done.output
    with pytest.raises(CheckUnavailable, match="nudity or violence, which the policy 'wants' asks for"):
        safegen.moderate(video, policy=wants)


def test_neither_does_a_clip_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = policies.load(policy(tmp_path, "nudity"))
    clip = Clip.from_array(calm(12), 24)
    with pytest.raises(CheckUnavailable, match="nudity"):
        run_checks(clip, rules)
    stand_in(monkeypatch, plugins.load_frame_detector, "frozen", Looks("nudity"))
    assert run_checks(clip, rules).not_looked_for == ("violence", "dangerous")


def test_a_policy_that_wants_it_and_gets_it(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, plugins.load_frame_detector, "frozen", Looks("nudity", "violence"))
    done = CliRunner().invoke(group, ["moderate", str(video), "--policy", policy(tmp_path, "nudity")])
    assert done.exit_code == 0
    assert "nothing looked for dangerous content" in done.output


def test_the_policy_in_words_and_its_digest(tmp_path: Path) -> None:
    wants = policy(tmp_path, "violence")
    assert "One of them must have looked for each of: violence." in (
        CliRunner().invoke(group, ["policy", "explain", wants]).output.replace("\n", " ")
    )
    without = policies.load(policy(tmp_path))
    assert policies.load(policy(tmp_path, "violence")).digest != without.digest
    assert (
        policies.load("default").digest == "23208462a02a349a142ac0c9722c0f48324a07d351d077010085ad08a241d115"
    )
    with pytest.raises(UsageError, match="unknown category 'nudty'"):
        policies.load(policy(tmp_path, "nudty"))


def test_checks_say_what_they_look_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the shipped ones that need no model; classifiers say it by the reasons that they are made with."""
    listed = Clip.from_array(calm(1), 24)
    known.add(tmp_path / "list.jsonl", "a picture", listed)
    monkeypatch.setenv("SAFEGEN_KNOWN", str(tmp_path / "list.jsonl"))
    black = Clip.from_array(np.zeros((48, 64, 64, 3), np.uint8), 24)
    flashes = np.zeros((48, 64, 64, 3), np.uint8)
    flashes[np.arange(48) // 2 % 2 == 1] = 255
    clips = {blank: black, frozen: black, flash: Clip.from_array(flashes, 24), known: listed}
    for module, clip in clips.items():
        found, ran = module.create().run(clip)
        assert found, module
        assert {f.category for f in found} - {"frozen_output"} <= set(ran.looked_for)
