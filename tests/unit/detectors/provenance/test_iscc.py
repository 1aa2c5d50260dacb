"""ISCC Video-Codes: our frame signatures, and the reference implementation's code over them."""

from __future__ import annotations

import base64
import sys

import numpy as np
import pytest

from safegen.detectors.provenance import iscc
from safegen.detectors.provenance.frame_signature import CATEGORIES, ELEMENTS, element_table, frame_signature
from safegen.errors import CheckUnavailable, UnreadableInput

needs_core = pytest.mark.skipif(not iscc.available(), reason="iscc-core is not installed")


def ramp(seed: int, width: int = 96, height: int = 64) -> np.ndarray:
    """Integer arithmetic only: the same picture on every machine."""
    y, x = np.mgrid[:height, :width]
    return ((x * (3 + seed) + y * (7 + 2 * seed) + (x * y * (1 + seed)) // 11) % 251).astype(np.uint8)


# What FFmpeg's `signature` filter (version 9.0) says about ramp(0) and ramp(1): digits 0 to 2, as in its XML.
FFMPEG = {
    0: (
        "02200020012110001111201021221100101110101101202211122111012121022202002200110200002021212020111"
        "21021121110202022020200100202020101012100012102200121102102021102001202011110222222222221111120"
        "10010000021120011212002101202120122202021111101021202101002020020120201212021020020120110202101"
        "10211110121021012021221101100221210002211002222001122000111110022111100220002201021022001011101"
    ),
    1: (
        "01020100110100010010202110001100002002022112020221100112012221100022002211010022020102111010201"
        "10101102012210211020202110212101012010121102102201102121221010121012120120002222222222000101022"
        "22221111121211102100020102021012221022112201011100120110110011212212120111202102022102002221020"
        "20201112210221220201220110022001022220022002100221111212211002211001122111101222212202210210111"
    ),
}


@pytest.mark.parametrize("seed", FFMPEG)
def test_frame_signature_is_ffmpegs(seed: int) -> None:
    assert "".join(map(str, frame_signature(ramp(seed)))) == FFMPEG[seed]


def test_table() -> None:
    cells = element_table()
    assert cells.shape == (ELEMENTS, 1024) and sum(CATEGORIES) == ELEMENTS
    assert set(np.unique(cells)) == {-1, 0, 1}
    assert (cells[:32] >= 0).all() and (cells[32:].min(axis=1) == -1).all(), "32 averages, 348 differences"


@pytest.mark.parametrize("shape", [(2, 2), (31, 400), (33, 47), (1, 1)])
def test_odd_sizes(shape: tuple[int, int]) -> None:
    signature = frame_signature(np.full(shape, 128, np.uint8))
    assert signature.shape == (ELEMENTS,) and (signature == 1).all(), "a grey picture is within every band"


def test_five_a_second_as_ffmpegs_fps_filter() -> None:
    """24 frames a second for one second: `-vf fps=5` keeps frames 2, 7, 11, 16, 21."""
    pictures = [(np.full((1, 1, 3), n, np.uint8), n / 24) for n in range(24)]
    assert [int(p[0, 0, 0]) for p in iscc.resample_frames(pictures)] == [2, 7, 11, 16, 21]
    assert len(list(iscc.resample_frames(pictures[:1]))) == 1


@needs_core
def test_the_reference_implementations_codes_are_understood() -> None:
    from iscc_core.code_content_video import gen_video_code_v0

    code = gen_video_code_v0([tuple([0] * 380)], bits=256)["iscc"]
    assert len(base64.b64decode(iscc.binding_value(code))) == 34
    assert iscc.distance(code, code) == 0


@needs_core
def test_video_code_of_pictures() -> None:
    pictures = [(np.stack([ramp(n // 6)] * 3, axis=2), n / 24) for n in range(24)]
    darker = [((p * 0.8).astype(np.uint8), t) for p, t in pictures]
    other = [(p[::-1, ::-1], t) for p, t in pictures]
    code = iscc.video_code(pictures)
    assert code == "ISCC:EMDR6ILTCQAMGL2N4SFJGKR6NS7ZQJFCBDIINMN4OBQYVHZIDSQFTQA"
    assert iscc.distance(code, iscc.video_code(darker)) < 40 < iscc.distance(code, iscc.video_code(other))
    raw = base64.b64decode(iscc.binding_value(code))
    assert raw[:2] == b"\x23\x07" and len(raw) == 34, "IEP-0020: one Content-Code Video of 256 bits"
    with pytest.raises(UnreadableInput):
        iscc.video_code([])


@pytest.mark.parametrize("text", ["", "ISCC:", "ISCC:KMD", "ISCC:EAASKDNZNYGUUF5A", "not base 32!"])
def test_what_is_no_video_code(text: str) -> None:
    with pytest.raises(UnreadableInput):
        iscc.binding_value(text)


def test_without_iscc_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iscc_core", None)
    monkeypatch.setattr(iscc, "find_spec", lambda _: None)
    with pytest.raises(CheckUnavailable) as caught:
        iscc.video_code([(np.zeros((4, 4, 3), np.uint8), 0.0)])
    assert "safegen[iscc]" in caught.value.hint
