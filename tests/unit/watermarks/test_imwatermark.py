import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from safegen import plugins
from safegen.errors import MarkingFailed, MissingExtra
from safegen.types import WatermarkReading
from safegen.watermarks import _imwatermark
from safegen.watermarks._imwatermark import ImWatermark, _log10_tail

PAYLOAD = 0x5AFE_0123_89AB_CDEF
METHODS = ["dwtdct", "dwtdctsvd", "rivagan"]
installed = all(importlib.util.find_spec(m) for m in ("imwatermark", "pywt", "torch", "onnxruntime"))
needs = pytest.mark.skipif(not installed, reason="invisible-watermark is not installed")


@pytest.mark.parametrize("name", METHODS)
def test_missing_library_says_how_to_install(name: str, monkeypatch):
    monkeypatch.setattr(_imwatermark.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra) as caught:
        plugins.load_watermark(name)
    assert 'pip install "safegen[imwatermark]"' in caught.value.hint
    assert "pip install --no-deps invisible-watermark" in caught.value.hint


def test_binomial_tail():
    assert _log10_tail(64, 64) == pytest.approx(-64 * np.log10(2))
    assert _log10_tail(64, 0) == pytest.approx(0.0)
    assert _log10_tail(4, 3) == pytest.approx(np.log10(5 / 16))


def marked(name: str, frames: np.ndarray) -> np.ndarray:
    return np.stack(list(plugins.load_watermark(name).embed(iter(frames), payload=PAYLOAD, key=b"k")))


def read(name: str, frames: np.ndarray, tools, key: bytes = b"k") -> WatermarkReading:
    # native size: these schemes do not survive the sample's down-scaling of larger frames
    seen = replace(tools["sample"](frames[:, :256, :256]), frames=frames)
    (one,) = plugins.load_watermark(name).detect(seen, key=key, known=[7, PAYLOAD, 9])
    return one


@needs
def test_round_trip_with_known_ids(tools):
    frames = np.random.default_rng(0).integers(60, 190, (2, 256, 384, 3)).astype(np.uint8)
    with_mark = marked("dwtdctsvd", frames)
    assert with_mark.shape == frames.shape and with_mark.dtype == np.uint8
    one = read("dwtdctsvd", with_mark, tools)
    assert one.present and one.payload == PAYLOAD and one.matched_known and not one.bounded
    assert not read("dwtdctsvd", with_mark, tools, key=b"other").present
    assert not read("dwtdctsvd", frames, tools).present


@needs
@pytest.mark.slow
def test_rivagan_on_a_real_clip(shared, tools):
    import av

    with av.open(str(shared / "data/clips/cogvideo_1.mp4")) as box:
        frames = np.stack([next(box.decode(video=0)).to_ndarray(format="rgb24")])
    one = read("rivagan", marked("rivagan", frames), tools)
    assert one.present and one.payload == PAYLOAD and one.matched_known
    assert not read("rivagan", frames, tools).present


@needs
def test_never_present_without_known_ids(clean, tools):
    (one,) = plugins.load_watermark("dwtdct").detect(tools["sample"](clean[:2]), key=b"k")
    assert not one.present and not one.bounded and one.log10_p == 0.0


@needs
def test_small_pictures():
    scheme = ImWatermark("dwtDct", 64, -9.0)
    with pytest.raises(MarkingFailed):
        list(scheme.embed(iter([np.zeros((64, 64, 3), np.uint8)]), payload=1, key=b"k"))


@needs
def test_thirty_two_bits_are_the_low_ones():
    scheme = plugins.load_watermark("rivagan")
    assert scheme.payload_bits == 32
    assert (scheme._bits(PAYLOAD) == scheme._bits(PAYLOAD & 0xFFFF_FFFF)).all()
