"""Where in a file a mark is: runs, borders, two marks, marks that show late, pictures that say nothing."""

from itertools import pairwise

import numpy as np
import pytest

from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import code, timeline
from safegen.watermarks.tile.carrier import carrier
from safegen.watermarks.tile.segments import stretches
from safegen.watermarks.tile.timeline import Moment, locate

KEY = carrier(PUBLIC_KEY)
PAYLOAD = 0x5AFE_0123_89AB_CDEF
SIGNS = KEY.payload_signs * (1.0 - 2.0 * code.encode(PAYLOAD)[KEY.bit_of])


def values(pattern: str, level: float = 0.5, seed: int = 0) -> list[np.ndarray]:
    """Payload dimensions of pictures: ``m`` marked, ``-`` not, ``0`` black."""
    rng = np.random.default_rng(seed)
    made = {
        "m": lambda: rng.standard_normal(SIGNS.shape) + level * SIGNS,
        "-": lambda: rng.standard_normal(SIGNS.shape),
        "0": lambda: np.zeros(SIGNS.shape),
    }
    return [made[c]().astype(np.float16) for c in pattern]


def runs(pattern: str, **more: object) -> list[tuple[bool, int]]:
    found = stretches(values(pattern, **more), SIGNS, [float(i) for i in range(len(pattern))], len(pattern))
    assert found[0].start == 0 and found[-1].end == len(pattern)
    assert all(a.end == b.start for a, b in pairwise(found))
    return [(r.present, round(r.end - r.start)) for r in found]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("m" * 20, [(True, 20)]),
        ("-" * 20, [(False, 20)]),
        ("m" * 10 + "-" * 6 + "m" * 10, [(True, 10), (False, 6), (True, 10)]),
        ("-" * 8 + "m" * 5 + "-" * 8, [(False, 8), (True, 5), (False, 8)]),
        ("m" * 9 + "-" + "m" * 9, [(True, 19)]),
        ("m" * 9 + "-" * 3 + "m" * 9, [(True, 9), (False, 3), (True, 9)]),
        ("m" * 8 + "0" * 8 + "m" * 8, [(True, 24)]),
        ("0" * 12, [(False, 12)]),
    ],
)
def test_runs(pattern: str, wanted: list[tuple[bool, int]]) -> None:
    found = runs(pattern)
    assert [p for p, _ in found] == [p for p, _ in wanted]
    assert all(abs(a - b) <= 1 for (_, a), (_, b) in zip(found, wanted, strict=True))


def test_a_mark_that_encoders_wear_down_does_not_end() -> None:
    levels = [0.9, 0.5, 0.3, 0.2, 0.1, *[0.04] * 25]
    worn = [values("m", level, seed)[0] for seed, level in enumerate(levels)]
    (run,) = stretches(worn, SIGNS, [float(i) for i in range(30)], 30.0)
    assert run.present and run.end == 30


def test_noise_is_never_a_run_whatever_stretch_is_chosen() -> None:
    for seed in range(20):
        assert runs("-" * 60, seed=seed) == [(False, 60)]


def small(frames: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(frames[:, ::2, ::2])


def film(parts: list[np.ndarray], step: float):
    """Moments of pictures one after the other."""
    frames = np.concatenate(parts)

    def moments():
        for i, frame in enumerate(frames):
            yield Moment(frame, i * step, i % 12 == 0)

    return moments


def found(moments, **more):
    return locate(moments, key=KEY, secret=PUBLIC_KEY, file=(512, 512), **more)


def test_a_splice_is_reported(clean, marked):
    line = found(film([marked[:8], clean[8:16], marked[16:24]], 0.25), seconds=6.0)
    (mark,) = line.marks
    assert mark.reading.payload == PAYLOAD and mark.spliced
    assert [r.present for r in mark.runs] == [True, False, True]
    assert [r.end for r in mark.runs] == pytest.approx([2, 4, 6], abs=0.26)
    assert [s.present for s in mark.reading.segments] == [True, True, False, False, True, True]


def test_a_mark_that_shows_late_in_a_long_file_is_found(clean, marked, monkeypatch):
    monkeypatch.setattr(timeline, "PASSAGE", 4.0)
    line = found(film([clean[:8], clean[8:16], marked[:8]], 0.5), seconds=12.0)
    (mark,) = line.marks
    assert [r.present for r in mark.runs] == [False, True]
    assert mark.runs[0].end == pytest.approx(8, abs=0.5)


def test_two_marks_are_both_reported_with_their_parts(clean, marked, tools):
    other = tools["mark"](clean[:8], payload=77)
    line = found(film([marked[:8], other], 0.25), seconds=4.0)
    assert {m.reading.payload: [r.present for r in m.runs] for m in line.marks} == {
        PAYLOAD: [True, False],
        77: [False, True],
    }


def test_nothing_is_found_where_nothing_is(clean):
    line = found(film([clean[:6]], 0.5), seconds=3.0)
    assert line.marks == () and -9 < line.log10_p <= 0 and line.frames == 6


def test_one_picture_has_no_time_line(marked):
    (mark,) = found(film([marked[:1]], 1.0)).marks
    assert mark.reading.payload == PAYLOAD and mark.runs == () and not mark.spliced
