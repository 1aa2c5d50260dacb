import cv2
import numpy as np
import pytest

from safegen import plugins
from safegen.types import FrameSample
from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import ALG, TileWatermark, carrier, code

PAYLOAD = 0x5AFE_0123_89AB_CDEF


def read(sample: FrameSample, key: bytes = PUBLIC_KEY, known=()):
    return TileWatermark().detect(sample, key=key, known=known)


def accepted(readings) -> list[int | None]:
    return [r.payload for r in readings if r.present]


def test_is_found_by_name():
    scheme = plugins.load_watermark("tile")
    assert scheme.alg == ALG and scheme.payload_bits == 64


def test_marked_frames_read_back(marked, tools):
    (one,) = read(tools["sample"](marked))
    assert one.payload == PAYLOAD and one.log10_p < -50 and one.bounded and not one.matched_known
    assert one.bit_error_rate == 0
    assert one.geometry is not None and one.geometry.period == 64
    assert np.allclose(one.geometry.a, (0.5, 0, 0, 0.5), atol=0.01)
    assert all(min(t, 64 - t) < 1.5 for t in one.geometry.t)


@pytest.mark.parametrize("crf", [18, 28, 33])
def test_survives_h264_on_flat_ground(marked, tools, crf):
    frames, keys = tools["h264"](marked, crf)
    assert accepted(read(tools["sample"](frames, keys=keys))) == [PAYLOAD]


@pytest.mark.parametrize(
    "name", ["flip", "turn90", "crop50", "half", "rotate7", "letterbox", "aspect", "negative"]
)
def test_survives_geometry(marked, tools, name):
    edits = {
        "flip": lambda f: f[:, ::-1],
        "turn90": lambda f: np.rot90(f),
        "crop50": lambda f: f[170:426, 130:386],
        "half": lambda f: cv2.resize(f, (256, 256), interpolation=cv2.INTER_AREA),
        "rotate7": lambda f: cv2.warpAffine(f, cv2.getRotationMatrix2D((256, 256), 7, 1), (512, 512)),
        "letterbox": lambda f: cv2.copyMakeBorder(f, 80, 80, 0, 0, cv2.BORDER_CONSTANT),
        "aspect": lambda f: cv2.resize(f, (512, 420), interpolation=cv2.INTER_AREA),
        "negative": lambda f: 255 - f,
    }
    changed = np.stack([np.ascontiguousarray(edits[name](f)) for f in marked[::3]])
    frames, keys = tools["h264"](changed, 23)
    assert accepted(read(tools["sample"](frames, keys=keys))) == [PAYLOAD]


def test_geometry_says_where_a_crop_lay(marked, tools):
    (one,) = read(tools["sample"](np.ascontiguousarray(marked[:8, 100:356, 36:292])))
    assert one.geometry is not None
    assert np.allclose(one.geometry.a, (0.5, 0, 0, 0.5), atol=0.01)
    assert np.allclose(one.geometry.t, (18, 50), atol=1.0)


def test_readers_do_not_depend_on_the_strengths(clean, tools):
    """Clips of the first version were marked by another mask; the pattern is what is read."""
    level = 1.1 * carrier.pattern(PUBLIC_KEY, code.encode(PAYLOAD), clean.shape[2], clean.shape[1])
    even = np.clip(np.round(clean + level[..., None]), 0, 255).astype(np.uint8)
    frames, keys = tools["h264"](even, 28)
    assert accepted(read(tools["sample"](frames, keys=keys))) == [PAYLOAD]


def test_one_frame_of_a_moving_picture(tools):
    """Where the picture moves the mark is weaker; a screenshot must do all the same."""
    rng = np.random.default_rng(5)
    coarse = cv2.resize(rng.normal(0, 22, (90, 200)).astype(np.float32), (1600, 720))
    ground = np.clip(125 + coarse + rng.normal(0, 6, coarse.shape), 0, 255).astype(np.uint8)
    ground = np.repeat(ground[..., None], 3, axis=-1)
    moving = np.stack([ground[60:540, 6 * n : 6 * n + 854] for n in range(16)])
    data = cv2.imencode(".jpg", tools["mark"](moving)[12], [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    frame = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert accepted(read(tools["sample"](frame[None]))) == [PAYLOAD]


def test_one_jpeg_frame(marked, tools):
    data = cv2.imencode(".jpg", marked[5], [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    frame = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert accepted(read(tools["sample"](frame[None]))) == [PAYLOAD]


def test_known_ids_need_less_evidence(marked, tools):
    frames, keys = tools["h264"](marked, 40)
    sample = tools["sample"](frames, keys=keys)
    free, known = read(sample)[0], read(sample, known=[5, PAYLOAD, 7])[0]
    assert known.log10_p <= free.log10_p
    if known.present:
        assert known.payload == PAYLOAD and known.matched_known


def test_a_hundred_thousand_known_ids(marked, tools):
    ids = [*range(100_000), PAYLOAD]
    one = read(tools["sample"](marked[:4]), known=ids)[0]
    assert one.matched_known and one.payload == PAYLOAD
    assert read(tools["sample"](marked[:4]), known=range(1000))[0].payload == PAYLOAD


@pytest.mark.parametrize(
    "kind", ["clean", "noise", "black", "tiny", "one_pixel", "stripe", "other_key", "lattice"]
)
def test_nothing_is_found_where_nothing_is(clean, tools, kind):
    rng = np.random.default_rng(3)
    tile = rng.integers(0, 255, (64, 64, 3))
    clips = {
        "clean": clean[::4],
        "noise": rng.integers(0, 256, (4, 240, 320, 3)),
        "black": np.zeros((3, 120, 160, 3)),
        "tiny": rng.integers(0, 256, (1, 16, 16, 3)),
        "one_pixel": np.full((1, 1, 1, 3), 77),
        "stripe": rng.integers(0, 256, (1, 4, 900, 3)),
        "other_key": tools["mark"](clean[::4], key=b"somebody else"),
        "lattice": np.tile(tile, (1, 4, 4, 1)),
    }
    readings = read(tools["sample"](clips[kind].astype(np.uint8)), known=range(50))
    assert len(readings) == 1
    one = readings[0]
    assert not one.present and one.payload is None and one.segments == ()
    assert np.isfinite(one.log10_p) and -9 < one.log10_p <= 0


def test_no_frames_at_all():
    empty = FrameSample(np.zeros((0, 8, 8, 3), np.uint8), (), (), 8, 8, 24.0, 0.0)
    assert [r.present for r in read(empty)] == [False]


def test_seconds_that_carry_the_mark(marked, tools):
    # Another scene in between: over the same still ground the codec would go on copying the marked blocks.
    spliced = np.concatenate([marked[:12], tools["ball"](512, 12, seed=1), marked[12:24]])
    frames, keys = tools["h264"](spliced, 23)
    (one,) = read(tools["sample"](frames, fps=12.0, keys=keys))
    assert [s.present for s in one.segments] == [True, False, True]
    assert [(s.start, s.end) for s in one.segments] == [(0, 1), (1, 2), (2, 3)]


def test_two_marks_in_one_place(marked, tools):
    twice = tools["mark"](marked[:12], payload=42)
    found = read(tools["sample"](twice))
    assert {r.payload for r in found} == {42, PAYLOAD}
    assert sorted(r.bounded for r in found) == [False, True]
    known = read(tools["sample"](twice), known=[42, 43, PAYLOAD])
    assert {r.payload for r in known} == {42, PAYLOAD} and all(r.matched_known for r in known)


def test_detection_is_deterministic(marked, tools):
    sample = tools["sample"](marked[:3])
    assert read(sample) == read(sample)


@pytest.mark.parametrize("name", ["cogvideo_1", "car_static", "portrait_camera"])
def test_real_clips(shared, tools, name):
    import av

    with av.open(str(shared / f"data/clips/{name}.mp4")) as box:
        frames = np.stack(
            [f.to_ndarray(format="rgb24") for f, _ in zip(box.decode(video=0), range(12), strict=False)]
        )
    seen, keys = tools["h264"](tools["mark"](frames), 28)
    assert accepted(read(tools["sample"](seen, keys=keys))) == [PAYLOAD]
    assert accepted(read(tools["sample"](frames))) == []


@pytest.mark.slow
def test_no_false_alarm_over_many_keys(shared, tools):
    """Unmarked content under 40 keys: the bound says one in a billion; nothing may come near."""
    import av

    with av.open(str(shared / "data/clips/cogvideo_4.mp4")) as box:
        frames = np.stack(
            [f.to_ndarray(format="rgb24") for f, _ in zip(box.decode(video=0), range(8), strict=False)]
        )
    sample = tools["sample"](frames)
    worst = min(read(sample, key=bytes([n]))[0].log10_p for n in range(40))
    assert worst > -3
