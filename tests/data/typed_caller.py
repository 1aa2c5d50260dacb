# mypy: disallow-any-expr
"""A program that uses safegen, read by type checkers in the tests and never run."""

from pathlib import Path
from typing import assert_type

import safegen
from safegen import Allowed, Held, Refused, Release, Report, Shot, Verdict


def make(prompt: str, folder: Path) -> Release:
    """Every way of working, with options of either kind."""
    first = safegen.generate(
        prompt,
        folder / "first.mp4",
        seed=7,
        size="480p",
        aspect="16:9",
        seconds=3,
        guidance=2.5,
        options={"offload": "model"},
        crf=20,
        label=None,
    )
    assert_type(first, Release)
    second = safegen.remix(first.path, "a blue ball", folder / "second.mp4", strength=0.5, steps=8)
    longer = safegen.extend(second.path, None, folder / "longer.mp4", backwards=True, access=False)
    looped = safegen.loop(longer.path, output=folder / "loop.mp4", workspace=folder, overwrite=True)
    blended = safegen.blend(first.path, looped.path, negative_prompt="text", fps=12)
    board = safegen.storyboard([Shot(0, "a red ball"), Shot(3, "a blue box")], width=512, height=512)
    for release in (first, second, longer, looped, blended, board):
        print(release.path.name, release.content_id, release.warnings)
    return safegen.protect(board.path, policy="default", crf=18, source_type="digitalCapture")


def check(path: str) -> bool:
    """What a receiver does."""
    report = safegen.verify(path, trust=["friend.json"], watermark=True)
    assert_type(report, Report)
    assert_type(report.verdict, Verdict)
    for reason in report.reasons:
        print(reason)
    return report.verdict is Verdict.VERIFIED and report.credentials.signer is not None


def screen(prompt: str) -> str:
    """One of three answers."""
    match safegen.screen(prompt, policy="default", negative_prompt=""):
        case Allowed() as decision:
            return decision.policy.name
        case Held(findings=findings) | Refused(findings=findings):
            return ", ".join(f"{finding.category} {finding.score:.2f}" for finding in findings)
