"""What happens to every odd kind of input on its way through protect's decoder, encoder and remuxer."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from safegen.errors import UnreadableInput
from safegen.media.encode_planes import encode_pictures
from safegen.media.footage import open_footage
from safegen.media.sandbox import Limits, NoVideo
from tests.support.films import facts, through

pytestmark = pytest.mark.usefixtures("at_home")
ONE = 1 << 16
QUARTER = (0, ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30)


def packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as box:
        return [bytes(p) for p in box.demux(getattr(box.streams, kind)[0]) if p.size]


Row = tuple[str, dict[str, Any], dict[str, Any], str]
ROWS: list[Row] = [
    ("plain.mp4", {}, {"codec": "h264", "pixels": "yuv420p", "frames": 12}, ""),
    ("one_frame.mp4", {"count": 1}, {"frames": 1}, ""),
    ("small.mp4", {"size": (16, 16)}, {"size": (16, 16)}, ""),
    ("odd.mkv", {"size": (63, 97), "codec": "ffv1"}, {"size": (96, 62)}, "odd last row"),
    ("ntsc.mp4", {"rate": Fraction(30000, 1001)}, {"rate": Fraction(30000, 1001)}, ""),
    (
        "full_range.mp4",
        {"pixels": "yuvj420p", "context": {"color_range": 2}},
        {"pixels": "yuvj420p", "range": 2},
        "",
    ),
    (
        "bt601.mp4",
        {"context": {"color_primaries": 6, "color_trc": 6, "colorspace": 6, "color_range": 1}},
        {"colours": (6, 6, 6), "range": 1},
        "",
    ),
    (
        "anamorphic.mp4",
        {"context": {"sample_aspect_ratio": Fraction(16, 11)}},
        {"aspect": Fraction(16, 11)},
        "",
    ),
    ("turned.mp4", {"matrix": QUARTER}, {"turn": -90, "size": (96, 64)}, ""),
    (
        "chroma.mkv",
        {"pixels": "yuv444p", "codec": "ffv1"},
        {"pixels": "yuv420p"},
        "colour is reduced to 4:2:0",
    ),
    ("rgb.mkv", {"pixels": "bgr0", "codec": "ffv1"}, {"colours": (1, 1, 1)}, "RGB is stored as YCbCr"),
    (
        "ten_bit.mkv",
        {"pixels": "yuv420p10le", "codec": "ffv1"},
        {"codec": "hevc", "pixels": "yuv420p10le"},
        "",
    ),
    (
        "hlg.mkv",
        {
            "pixels": "yuv420p10le",
            "codec": "ffv1",
            "context": {"color_primaries": 9, "color_trc": 18, "colorspace": 9},
        },
        {"colours": (9, 18, 9), "pixels": "yuv420p10le"},
        "HDR (HLG) is kept",
    ),
    (
        "interlaced.mp4",
        {"options": {"x264-params": "bff=1"}, "size": (64, 96)},
        {"interlaced": True},
        "",
    ),
    ("two_tracks.mp4", {"tracks": 2}, {"tracks": 1}, "1 of 2 video tracks"),
    (
        "sound.mp4",
        {"sound": [("aac", "deu"), ("aac", "fra")]},
        {"sound": [("aac", "deu"), ("aac", "fra")]},
        "",
    ),
    (
        "pcm.mkv",
        {"sound": [("pcm_s16le", "eng")]},
        {"sound": [("flac", "eng")]},
        "it is now FLAC, without loss",
    ),
    ("opus.mkv", {"sound": [("libopus", "eng")]}, {"sound": [("opus", "eng")]}, ""),
    (
        "words.mp4",
        {"words": [("mov_text", "eng")]},
        {"words": [("mov_text", "eng")]},
        "",
    ),
    ("words.mkv", {"words": [("subrip", "spa")]}, {"words": [("mov_text", "spa")]}, "now mov_text"),
    (
        "chapters.mp4",
        {"chapters": True, "metadata": {"title": "A film"}},
        {"chapters": ["first", "second"], "title": "A film"},
        "",
    ),
    (
        "mpeg.ts",
        {"format": "mpegts", "sound": [("aac", "eng")]},
        {"sound": [("aac", "eng")], "frames": 12},
        "",
    ),
    ("gif.gif", {"codec": "gif", "pixels": "rgb8", "rate": 10}, {"codec": "h264", "frames": 12}, "RGB"),
    (
        "webm.webm",
        {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}},
        {"codec": "h264"},
        "",
    ),
]


@pytest.mark.parametrize(("name", "make", "wanted", "note"), ROWS, ids=[r[0] for r in ROWS])
def test_what_is_kept(
    tmp_path: Path, makers: dict[str, Callable[..., Any]], name: str, make: dict, wanted: dict, note: str
) -> None:
    made, notes = through(makers["film"](tmp_path / name, **make), tmp_path)
    found = facts(made)
    assert {k: found[k] for k in wanted} == wanted
    if note:
        assert note in notes
    else:
        assert notes == ""


def test_sound_is_bit_exact(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    source = makers["film"](tmp_path / "a.mp4", sound=[("aac", "eng")])
    made, _ = through(source, tmp_path)
    assert packets(made, "audio") == packets(source, "audio")


def test_variable_frame_rate_keeps_every_time(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    times = [0, 33, 66, 200, 233, 700, 716, 733, 1500, 1520, 1540, 1901]
    source = makers["film"](tmp_path / "v.mp4", times=times, base=Fraction(1, 90_000), rate=30)
    made, notes = through(source, tmp_path)
    assert facts(made)["times"] == facts(source)["times"]
    assert not notes


def test_sound_and_pictures_start_together_where_the_file_starts_late(
    tmp_path: Path, makers: dict[str, Callable[..., Any]]
) -> None:
    source = makers["film"](tmp_path / "late.ts", format="mpegts", sound=[("aac", "eng")])
    made, _ = through(source, tmp_path)
    with av.open(str(source)) as box:
        first = {s.type: float(s.start_time * s.time_base) for s in box.streams}
    with av.open(str(made)) as box:
        after = {s.type: float((s.start_time or 0) * s.time_base) for s in box.streams}
    assert first["video"] > 0
    assert after["audio"] - after["video"] == pytest.approx(first["audio"] - first["video"], abs=0.002)


def test_words_of_subtitles_stay(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    made, _ = through(makers["film"](tmp_path / "w.mkv", words=[("subrip", "eng")]), tmp_path)
    text = b" ".join(packets(made, "subtitles"))
    assert b"hello" in text and b"good bye" in text


def test_transparent_parts_are_flattened_and_said(
    tmp_path: Path, makers: dict[str, Callable[..., Any]]
) -> None:
    frames = [np.dstack([f, np.full(f.shape[:2], 255, np.uint8)]) for f in makers["grain"](6)]
    for f in frames[3:]:
        f[:, :48, 3] = 0
    source = makers["film"](tmp_path / "alpha.mkv", frames=frames, source="rgba", codec="ffv1", pixels="bgra")
    made, notes = through(source, tmp_path)
    assert "transparent areas are flattened onto black (3 of 6 frames)" in notes
    with av.open(str(made)) as box:
        last = list(box.decode(video=0))[-1].to_ndarray(format="rgb24")
    assert last[:, :40].max() < 24 and last[:, 56:].min() > 24


def test_hdr10_metadata_is_kept(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    params = f"log-level=none:hdr10=1:master-display={display}:max-cll=1000,400"
    source = makers["film"](
        tmp_path / "pq.mp4",
        codec="libx265",
        pixels="yuv420p10le",
        options={"x265-params": params, "preset": "ultrafast"},
        context={"color_primaries": 9, "color_trc": 16, "colorspace": 9},
    )
    made, notes = through(source, tmp_path)
    found = facts(made)
    assert found["colours"] == (9, 16, 9)
    assert {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"} <= found["side"]
    assert "HDR (PQ) is kept in 10 bit" in notes


def test_eight_bit_hdr_is_refused(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    source = makers["film"](
        tmp_path / "pq8.mp4", context={"color_trc": 16, "color_primaries": 9, "colorspace": 9}
    )
    with pytest.raises(UnreadableInput, match="PQ in 8 bit"):
        open_footage(source)


def test_sound_only_is_its_own_answer(tmp_path: Path) -> None:
    from tests.unit.media.conftest import tone

    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as box:
        tone(box, "aac", 0.5, "eng")()
    with pytest.raises(NoVideo, match="no video stream"):
        open_footage(tmp_path / "a.m4a")


def test_rows_are_documented() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs/protect.md").read_text(encoding="utf-8")
    for word in (
        "4:2:0",
        "HDR",
        "interlaced",
        "variable",
        "FLAC",
        "mov_text",
        "--allow-damaged",
        "transparen",
    ):
        assert word in text, json.dumps(word)


def test_more_pictures_than_may_be_read_are_refused(
    tmp_path: Path, makers: dict[str, Callable[..., Any]]
) -> None:
    source = makers["film"](tmp_path / "long.mp4", count=12)
    with pytest.raises(UnreadableInput, match="more than 5 frames"):
        list(open_footage(source, limits=Limits(max_frames=5)))
    assert len(list(open_footage(source, limits=Limits(max_frames=12)))) == 12


@pytest.mark.parametrize("count", [1, 2])
def test_ten_bit_clips_of_a_moment_are_written_every_time(
    tmp_path: Path, makers: dict[str, Callable[..., Any]], at_home: None, count: int
) -> None:
    """libx265 with B-frames leaves their decoding times to chance: about every third one failed."""
    path = makers["film"](tmp_path / "deep.mp4", codec="libx265", pixels="yuv420p10le", count=count)
    footage = open_footage(path)
    pictures = list(footage)
    for again in range(12):
        target = tmp_path / f"{again}.mp4"
        assert encode_pictures(iter(pictures), target, footage) == count
        assert open_footage(target).frames == count
