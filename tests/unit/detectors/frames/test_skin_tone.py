"""The Monk tones get through the reader: all ten, in other light too, and the report says where that ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.audit.skin import BOX, portrait, table
from safegen.detectors.frames import _skin
from safegen.detectors.frames.skin_tone import SkinTone, create
from safegen.errors import CheckUnavailable
from safegen.types import Clip


def best(probabilities: Any) -> str:
    return max(probabilities, key=lambda k: probabilities[k])


def test_flat_swatches_are_ten_of_ten_and_ita_falls() -> None:
    colours = _skin.lab(np.array(_skin.MONK, float))
    assert [best(_skin.tones(c)) for c in colours] == [str(i) for i in range(1, 11)]
    angles = [_skin.ita(c) for c in colours]
    assert angles == sorted(angles, reverse=True)
    assert (round(angles[0], 1), round(angles[-1], 1)) == (83.0, -84.3)


def test_no_tone_is_shut_out_by_any_light() -> None:
    rows = {name: rest for name, *rest in table()}
    assert all(through == 10 for through, *_ in rows.values())
    for light in ("as it is", "exposure -5%", "exposure +5%", "warm 2 %"):
        assert rows[light][1] == 10, light
    for light in ("exposure -20%", "exposure +20%", "warm 5 %", "cool 5 %"):
        assert rows[light][1] >= 8, light
        assert rows[light][2] == 10, light


def test_what_shows_no_skin_is_unknown() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (200, 160, 3)).astype(np.uint8)
    white = np.full((200, 160, 3), 255, np.uint8)
    green = np.full((200, 160, 3), (0, 255, 0), np.uint8)
    for picture in (noise, white, green):
        assert best(_skin.tones(_skin.skin_of(picture, BOX))) == "unknown"
    assert _skin.skin_of(white, (-50, -50, 3, 3)) is None
    assert best(_skin.ita_class(None)) == "unknown"


def faces(boxes: list[tuple[int, int, int, int]]) -> Any:
    """A face detector that knows where faces are: the real one's weights are not on every machine."""
    return SimpleNamespace(boxes=lambda _: boxes, version="known", digest=None)


@pytest.mark.parametrize(
    ("tone", "group", "ita"), [(2, "light", "very light"), (6, "medium", "tan"), (9, "dark", "dark")]
)
def test_a_clip_is_read_by_its_largest_face(tone: int, group: str, ita: str) -> None:
    clip = Clip.from_array(np.stack([portrait(tone, (1, 1, 1), i) for i in range(12)]), 12)
    found, ran = SkinTone(lambda: faces([(0, 0, 9, 9), BOX])).run(clip)
    values = {a.name: a.value for a in found}
    assert values == {"skin_tone": str(tone), "skin_tone_group": group, "skin_ita": ita}
    assert all(sum(a.probabilities.values()) == pytest.approx(1) for a in found)
    assert ran.version == "1 known"
    nobody, _ = SkinTone(lambda: faces([])).run(clip)
    assert {a.value for a in nobody} == {"unknown"}


def test_without_the_face_detector_it_cannot_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("SAFEGEN_FACES", str(tmp_path))
    with pytest.raises(CheckUnavailable, match="SAFEGEN_FACES"):
        create().prepare({})
