"""Files with holes, that break off, whose pictures change size: refused, or taken as they are on request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from safegen.errors import UnreadableInput
from safegen.media.footage import open_footage
from tests.support.films import facts, through

pytestmark = pytest.mark.usefixtures("at_home")

DAMAGE: list[tuple[str, float, int, str]] = [
    ("holes.mp4", 0.5, 2000, "damaged"),
    ("holes.mkv", 0.5, 2000, "missing|damaged|cut short"),
    ("holes.ts", 0.5, 2000, "damaged"),
    ("cut.mkv", 0.66, 0, "cut short"),
    ("cut.ts", 0.66, 0, "damaged|cut short"),
]


@pytest.mark.parametrize(("name", "at", "length", "why"), DAMAGE, ids=[d[0] for d in DAMAGE])
def test_damage_is_refused_unless_allowed(
    tmp_path: Path, makers: dict[str, Callable[..., Any]], name: str, at: float, length: int, why: str
) -> None:
    source = makers["film"](tmp_path / name, count=72, size=(128, 192), options={"g": "24"})
    data = bytearray(source.read_bytes())
    where = int(len(data) * at)
    noise = np.random.default_rng(1).integers(0, 256, length, np.uint8).tobytes()
    source.write_bytes(data[:where] + noise + data[where + length :] if length else data[:where])
    with pytest.raises(UnreadableInput, match=why) as caught:
        list(open_footage(source))
    assert "--allow-damaged" in caught.value.hint
    made, notes = through(source, tmp_path, damaged=True)
    assert 20 < facts(made)["frames"] <= 72
    assert notes


def test_cut_off_mp4_says_so(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    source = makers["film"](tmp_path / "cut.mp4", count=72)
    source.write_bytes(source.read_bytes()[:4000])
    with pytest.raises(UnreadableInput):
        open_footage(source, damaged=True)


def test_a_faststart_file_that_breaks_off(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    source = makers["film"](tmp_path / "first.mp4", count=72, size=(128, 192), options={"g": "24"})
    moved = tmp_path / "moved.mp4"
    with av.open(str(source)) as a, av.open(str(moved), "w", options={"movflags": "faststart"}) as b:
        stream = b.add_stream_from_template(a.streams.video[0])
        for packet in a.demux(video=0):
            if packet.size:
                packet.stream = stream
                b.mux(packet)
    data = moved.read_bytes()
    moved.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(UnreadableInput, match=r"cut short|damaged"):
        list(open_footage(moved))


def test_frame_size_that_changes_is_refused(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    parts = [
        makers["film"](tmp_path / f"{n}.ts", format="mpegts", size=s)
        for n, s in ((1, (64, 96)), (2, (96, 64)))
    ]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(p.read_bytes() for p in parts))
    with pytest.raises(UnreadableInput, match=r"differ in size|damaged"):
        list(open_footage(both))
