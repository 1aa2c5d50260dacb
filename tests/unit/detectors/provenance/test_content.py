import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.detectors.provenance import content
from safegen.errors import SafegenError, UnreadableInput
from safegen.types import FrameSample, Geometry

SIDE = 256


def clip(
    x: float = 0.0, y: float = 0.5, count: int = 24, radius: float = 0.14, side: int = SIDE
) -> np.ndarray:
    """A ball crossing a lawn under a sky: only its place over time tells two such clips apart."""
    ground = np.full((side, side, 3), (150, 190, 235), np.uint8)
    ground[int(side * 0.45) :] = (80, 150, 60)
    out = np.empty((count, side, side, 3), np.uint8)
    for n in range(count):
        frame = ground.copy()
        at = (int(side * (0.2 + x + 0.5 * n / count)), int(side * y))
        cv2.circle(frame, at, int(side * radius), (220, 40, 40), -1, cv2.LINE_AA)
        out[n] = frame
    return out


def seen(frames: np.ndarray, fps: float = 12.0, start: int = 0) -> FrameSample:
    n, height, width = frames.shape[:3]
    times = tuple((i - start) / fps for i in range(n))
    return FrameSample(frames, times, tuple(i == 0 for i in range(n)), width, height, fps, n / fps)


def jpeg(frames: np.ndarray, quality: int = 30) -> np.ndarray:
    def one(f: np.ndarray) -> np.ndarray:
        return cv2.imdecode(cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)

    return np.stack([one(f) for f in frames])


@pytest.fixture(scope="module")
def reference() -> content.Descriptors:
    return content.compute_descriptors(seen(clip()))


PLAIN = Geometry((1, 0, 0, 1), (0, 0), 64)


def test_same_pictures_match(reference):
    got = content.compare_content(reference, seen(clip()), PLAIN)
    assert got.matches and got.score > 0.95 and got.overlap > 0.95


def test_without_geometry(reference):
    assert content.compare_content(reference, seen(clip()), None).matches
    boxed = np.stack([cv2.copyMakeBorder(f, 40, 40, 0, 0, cv2.BORDER_CONSTANT) for f in clip()])
    assert content.compare_content(reference, seen(boxed), None).matches


@pytest.mark.parametrize(
    "name", ["jpeg", "dark", "gamma", "half", "crop50", "flip", "letterbox", "trim", "fps"]
)
def test_honest_changes_match(reference, name):
    frames, geometry = clip(), PLAIN
    if name == "jpeg":
        frames = jpeg(frames)
    elif name == "dark":
        frames = (frames * 0.75).astype(np.uint8)
    elif name == "gamma":
        frames = (255 * (frames / 255.0) ** 1.4).astype(np.uint8)
    elif name == "half":
        frames, geometry = frames[:, ::2, ::2], Geometry((2, 0, 0, 2), (0, 0), 64)
    elif name == "crop50":
        frames, geometry = frames[:, 70:198, 50:178], Geometry((1, 0, 0, 1), (50, 6), 64)
    elif name == "flip":
        frames, geometry = frames[:, :, ::-1], Geometry((-1, 0, 0, 1), (0, 0), 64)
    elif name == "letterbox":
        frames = np.stack([cv2.copyMakeBorder(f, 40, 40, 0, 0, cv2.BORDER_CONSTANT) for f in frames])
        geometry = Geometry((1, 0, 0, 1), (0, 24), 64)
    elif name == "trim":
        frames = frames[9:20]
    elif name == "fps":
        got = content.compare_content(reference, seen(frames[::2], fps=6.0), geometry)
        assert got.matches
        return
    assert content.compare_content(reference, seen(np.ascontiguousarray(frames)), geometry).matches


def on_a_desktop(frame: np.ndarray, cut: int = 0) -> FrameSample:
    """A screenshot: the picture in a window, *cut* of its rows below the screen's edge."""
    rng = np.random.default_rng(4)
    desktop = cv2.resize(rng.integers(0, 256, (15, 20, 3)).astype(np.uint8), (640, 480))
    desktop[480 - SIDE + cut :, 144 : 144 + SIDE] = frame[: SIDE - cut]
    return seen(desktop[None])


INSET = Geometry((1, 0, 0, 1), (-144 % 64, -(480 - SIDE) % 64), 64)


def test_a_window_on_a_desktop_matches_and_says_how_much_it_is(reference):
    got = content.compare_content(reference, on_a_desktop(clip()[7]), INSET)
    assert got.matches and got.share == pytest.approx(SIDE * SIDE / (640 * 480), abs=0.01)
    assert content.compare_content(reference, seen(clip()), PLAIN).share == 1
    other = content.compare_content(reference, on_a_desktop(clip(0.15, 0.3)[7]), INSET)
    assert not other.matches and other.overlap == 0


def test_a_window_half_off_the_screen_cannot_be_compared(reference):
    moved = Geometry(INSET.a, (INSET.t[0], (INSET.t[1] - 128) % 64), 64)
    got = content.compare_content(reference, on_a_desktop(clip()[7], cut=128), moved)
    assert not got.matches and got.overlap == 0


@pytest.mark.parametrize(
    ("x", "y", "radius"), [(0.0, 0.72, 0.14), (0.15, 0.5, 0.14), (0.0, 0.3, 0.2), (0.1, 0.6, 0.1)]
)
def test_same_scene_with_another_seed_does_not_match(reference, x, y, radius):
    got = content.compare_content(reference, seen(clip(x, y, radius=radius)), PLAIN)
    assert not got.matches and got.score < content.THRESHOLD - 0.1


def test_same_path_the_other_way_does_not_match(reference):
    assert not content.compare_content(reference, seen(clip()[::-1]), PLAIN).matches


def test_flat_pictures_do_not_match_anything(reference):
    grey = np.full((6, SIDE, SIDE, 3), 128, np.uint8)
    assert not content.compare_content(reference, seen(grey), PLAIN).matches
    flat = content.compute_descriptors(seen(grey))
    assert not content.compare_content(flat, seen(clip()), PLAIN).matches


def test_pasted_mark_on_real_clips(shared):
    import av

    def frames(name: str) -> np.ndarray:
        with av.open(str(shared / f"data/clips/{name}.mp4")) as box:
            pictures = [
                p.to_ndarray(format="rgb24") for p, _ in zip(box.decode(video=0), range(16), strict=False)
            ]
        return np.stack([cv2.resize(p, (384, 256), interpolation=cv2.INTER_AREA) for p in pictures])

    one, other = frames("cogvideo_1"), frames("cogvideo_4")
    recorded = content.compute_descriptors(seen(one))
    assert content.compare_content(recorded, seen(jpeg(one)), PLAIN).matches
    assert not content.compare_content(recorded, seen(other), PLAIN).matches


def test_pack_and_unpack(reference):
    data = reference.to_bytes()
    again = content.Descriptors.from_bytes(data)
    assert (again.pictures == reference.pictures).all() and again.seconds == reference.seconds
    assert np.allclose(again.times, reference.times)
    assert len(data) < content.MAX_BYTES


def test_noise_still_fits_the_limit():
    noise = np.random.default_rng(0).integers(0, 256, (40, 192, 340, 3)).astype(np.uint8)
    assert len(content.compute_descriptors(seen(noise)).to_bytes()) <= content.MAX_BYTES


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_hostile_bytes(data: bytes):
    with pytest.raises(SafegenError):
        content.Descriptors.from_bytes(data)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_damaged_bytes_never_crash(position: int, value: int):
    data = bytearray(content.compute_descriptors(seen(clip(count=3))).to_bytes())
    data[position % len(data)] ^= value
    try:
        content.Descriptors.from_bytes(bytes(data))
    except UnreadableInput as error:
        assert error.hint


def test_a_bomb_is_not_unpacked():
    head = struct.pack(">4sHHHf", b"SGC1", 24, 192, 192, 1.0)
    bomb = zlib.compress(bytes(200_000_000 // 8), 9)
    with pytest.raises(UnreadableInput):
        content.Descriptors.from_bytes(head + bomb)


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry((1e6, 0, 0, 1e6), (0, 0), 64),
        Geometry((1e-6, 0, 0, 1e-6), (0, 0), 64),
        Geometry((0, 0, 0, 0), (0, 0), 64),
        Geometry((float("nan"), 0, 0, 1), (0, 0), 64),
        Geometry((1, 0, 0, 1), (float("inf"), 0), 64),
    ],
)
def test_absurd_geometry_does_not_match(reference, geometry):
    assert not content.compare_content(reference, seen(clip(count=4)), geometry).matches


def test_no_frames(reference):
    empty = FrameSample(np.zeros((0, 4, 4, 3), np.uint8), (), (), 4, 4, 12.0, 0.0)
    assert not content.compare_content(reference, empty, None).matches
    with pytest.raises(UnreadableInput):
        content.compute_descriptors(empty)


def test_tiny_picture(reference):
    tiny = FrameSample(np.zeros((1, 2, 2, 3), np.uint8), (0.0,), (True,), 2, 2, 12.0, 0.1)
    assert not content.compare_content(reference, tiny, None).matches
