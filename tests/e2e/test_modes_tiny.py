"""Every way of working on the embedded model: released, verified, with what it was made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

import safegen
from safegen import Shot, Verdict
from safegen.consent import service
from safegen.media.sandbox import open_clip
from tests.e2e.conftest import PROMPT, Studio

pytestmark = pytest.mark.slow


def _picture(studio: Studio, folder: Path) -> Path:
    """The first frame of a release as a PNG: a picture without credentials."""
    frame = next(iter(open_clip(studio.first.path)))
    cv2.imwrite(str(folder / "first.png"), frame[:, :, ::-1])
    service.attest(folder / "first.png", (), True, "tester", studio.workspace, passphrase=None)
    return folder / "first.png"


WAYS: dict[str, tuple[Callable[..., safegen.Release], list[str]]] = {
    "image": (
        lambda s, d, **o: safegen.generate(PROMPT, d / "out.mp4", image=_picture(s, d), **o),
        ["inputTo"],
    ),
    "edit": (
        lambda s, d, **o: safegen.remix(s.first.path, "a blue box on snow", d / "out.mp4", strength=0.7, **o),
        ["parentOf"],
    ),
    "extend": (
        lambda s, d, **o: safegen.extend(s.first.path, PROMPT, d / "out.mp4", seconds=5, **o),
        ["parentOf"],
    ),
    "extend_back": (
        lambda s, d, **o: safegen.extend(s.first.path, PROMPT, d / "out.mp4", seconds=5, backwards=True, **o),
        ["parentOf"],
    ),
    "loop": (lambda s, d, **o: safegen.loop(s.first.path, PROMPT, d / "out.mp4", **o), ["parentOf"]),
    "blend": (
        lambda s, d, **o: safegen.blend(s.first.path, s.other.path, PROMPT, d / "out.mp4", **o),
        ["componentOf", "componentOf"],
    ),
    "storyboard": (
        lambda s, d, **o: safegen.storyboard(
            [Shot(0, PROMPT), Shot(3, "a blue box moving up over snow")], d / "out.mp4", seconds=6, **o
        ),
        [],
    ),
}


@pytest.mark.parametrize("mode", WAYS)
def test_a_way_of_working_on_the_embedded_model(mode: str, studio: Studio, tmp_path: Path) -> None:
    make, relationships = WAYS[mode]
    release: Any = make(studio, tmp_path, seed=4, workspace=studio.workspace)
    report = studio.verify(release.path)
    assert report.verdict is Verdict.VERIFIED
    assert [w.payload for w in report.watermarks if w.present][:1] == [release.content_id]
    found = report.credentials.ingredients
    assert [i.relationship for i in found if i.level == 1] == relationships
    if mode != "image":
        assert all(i.manifest_id for i in found), "each release among the inputs kept its manifest"
    assert not any(i.failures for i in found)
