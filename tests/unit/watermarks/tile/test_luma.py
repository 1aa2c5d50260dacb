"""The mark on luma planes is the mark on RGB, in 8 and 10 bit, limited and full range."""

import cv2
import numpy as np
import pytest

from safegen.errors import MarkingFailed, UsageError
from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import TileWatermark

PAYLOAD = 0x5AFE_0123_89AB_CDEF


def planes(frames: np.ndarray, depth: int, full: bool) -> list[np.ndarray]:
    grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY).astype(np.float64) for f in frames]
    scale, offset = (1.0, 0) if full else (219 / 255, 16)
    kind = np.uint8 if depth == 8 else np.uint16
    return [np.round((g * scale + offset) * 2 ** (depth - 8)).astype(kind) for g in grey]


def marked(luma: list[np.ndarray], depth: int, full: bool, payload: int = PAYLOAD) -> list[np.ndarray]:
    scheme = TileWatermark()
    copies = (p.copy() for p in luma)
    return list(scheme.embed_luma(copies, payload=payload, key=PUBLIC_KEY, depth=depth, full_range=full))


@pytest.mark.parametrize(("depth", "full"), [(8, False), (8, True), (10, False), (10, True)])
def test_it_reads_back_and_is_as_strong_as_on_rgb(clean, tools, depth, full):
    luma = planes(clean[:3], depth, full)
    out = marked(luma, depth, full)
    assert out[0].dtype == luma[0].dtype and out[0].max() < 1 << depth
    scale = 2 ** (depth - 8) * (1.0 if full else 219 / 255)
    change = (out[0].astype(float) - luma[0]) / scale
    rgb = tools["mark"](clean[:1])[0].astype(float) - clean[0]
    assert np.corrcoef(change.ravel(), rgb[..., 1].ravel())[0, 1] > 0.95
    assert np.std(change) == pytest.approx(np.std(rgb[..., 1]), rel=0.1)
    grey = np.stack([np.repeat(np.clip(o / 2 ** (depth - 8), 0, 255)[..., None], 3, 2) for o in out])
    (one,) = TileWatermark().detect(tools["sample"](grey.astype(np.uint8)), key=PUBLIC_KEY)
    assert one.payload == PAYLOAD


def test_payload_and_size_are_checked(clean):
    with pytest.raises(UsageError):
        marked([], 8, True, payload=1 << 64)
    luma = planes(clean[:1], 8, True)
    with pytest.raises(MarkingFailed, match="size changes"):
        marked([luma[0], luma[0][:100]], 8, True)


@pytest.mark.slow
def test_an_8k_picture(tools):
    small = np.random.default_rng(2).integers(60, 200, (135, 240, 3), np.uint8)
    large = cv2.cvtColor(cv2.resize(small, (7680, 4320), interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
    (out,) = marked([large], 8, True)
    shown = cv2.resize(out, (640, 360), interpolation=cv2.INTER_AREA)
    seen = tools["sample"](np.repeat(shown[None, ..., None], 3, axis=-1))
    (one,) = TileWatermark().detect(seen, key=PUBLIC_KEY)
    assert one.payload == PAYLOAD
