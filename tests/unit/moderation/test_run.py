"""``moderate`` on real files: what is found, when, what it means, and how it is told."""

from __future__ import annotations

import html.parser
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import safegen
from safegen import plugins
from safegen.errors import CheckUnavailable, Interrupted, UnreadableInput, UsageError
from safegen.moderation.html_report import ReportItem, render
from safegen.moderation.json_report import to_json
from safegen.protocols import NoProgress
from safegen.types import CheckRun, Clip, Finding
from tests.support.stand_ins import stand_in


def write(path: Path, frames: np.ndarray, fps: int = 24, *, times: list[int] | None = None) -> Path:
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream("libx264", rate=fps)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, fps)
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    return path


def calm(n: int = 48) -> np.ndarray:
    coarse = np.random.default_rng(1).integers(60, 190, (8, 40, 3)).repeat(16, 0).repeat(16, 1)
    return np.stack([coarse[:, 2 * i : 2 * i + 160] for i in range(n)]).astype(np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("moderate")
    write(folder / "calm.mp4", calm())
    flashing = calm(72)
    for number in range(30, 60):
        flashing[number] = flashing[number] // 8 if number // 2 % 2 else 255 - flashing[number] // 8
    write(folder / "flash.mp4", flashing)
    cv2.imwrite(str(folder / "picture.png"), calm(1)[0])
    (folder / "text.mp4").write_text("no video\n" * 50)
    return folder


def test_a_calm_video_passes(files: Path) -> None:
    found = safegen.moderate(files / "calm.mp4")
    assert (found.action, found.exit_code, found.kind) == ("allow", 0, "video")
    assert [c.name for c in found.gate.ran][:2] == ["blank", "flash"]
    assert found.frames == 48
    assert found.seconds == pytest.approx(2.0)


def test_flashes_block_and_say_when(files: Path) -> None:
    found = safegen.moderate(files / "flash.mp4")
    assert (found.action, found.exit_code) == ("block", 3)
    report = to_json(found)
    assert report["schema"] == "safegen.moderate/1"
    assert {row["second"] for row in report["seconds"]} <= {1, 2}
    assert {row["action"] for row in report["seconds"]} == {"block"}
    json.dumps(report)


def test_flashes_in_a_file_whose_rate_varies_are_counted_as_they_are_shown(tmp_path: Path) -> None:
    """24 pictures of 1/24 s that flash, then 12 of half a second: 5 a second on average."""
    frames = calm(36)
    for number in range(24):
        frames[number] = frames[number] // 8 if number // 2 % 2 else 255 - frames[number] // 8
    times = [*range(24), *range(24, 168, 12)]
    found = safegen.moderate(write(tmp_path / "uneven.mp4", frames, times=times))
    assert found.action == "block"
    assert found.seconds == pytest.approx(6.5, abs=0.6)
    slow = [12 * t for t in range(36)]
    assert safegen.moderate(write(tmp_path / "slow.mp4", frames, times=slow)).action == "allow"


def test_a_picture(files: Path) -> None:
    found = safegen.moderate(files / "picture.png")
    assert (found.action, found.kind, found.frames) == ("allow", "picture", 1)


def test_a_file_that_breaks_off_is_for_a_person(files: Path, tmp_path: Path) -> None:
    file = tmp_path / "cut.ts"
    source = calm(96)
    write(file, source)
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    file.write_bytes(data)
    try:
        found = safegen.moderate(file)
    except UnreadableInput:
        return
    if "undecodable" in {r.finding.category for r in found.gate.findings}:
        assert found.exit_code in {3, 7}


@pytest.mark.parametrize("name", ["text.mp4", "missing.mp4"])
def test_what_is_no_video(files: Path, name: str) -> None:
    with pytest.raises(UnreadableInput):
        safegen.moderate(files / name)


def test_unknown_checks_and_checks_that_are_not_here(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="nope"):
        safegen.moderate(files / "calm.mp4", checks=["nope"])
    with pytest.raises(UsageError, match="'world' is an attribute extractor") as refused:
        safegen.moderate(files / "calm.mp4", checks=["world"])
    assert "attributes:" in refused.value.hint
    with pytest.raises(CheckUnavailable, match="falconsai"):
        safegen.moderate(files / "calm.mp4", checks=["falconsai"])


def test_a_check_that_fails_half_way_stops_all_of_it(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def run(self, clip: Clip) -> Any:
            for number, _ in enumerate(clip):
                if number == 5:
                    raise RuntimeError("boom")

    loaded = stand_in(monkeypatch, plugins.load_frame_detector, "frozen", Broken())
    with pytest.raises(CheckUnavailable, match=r"frozen.*boom"):
        safegen.moderate(files / "calm.mp4", checks=["frozen"])
    assert loaded == ["frozen"]


def test_stopping(files: Path) -> None:
    class Stop(NoProgress):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(Interrupted):
        safegen.moderate(files / "calm.mp4", progress=Stop())


def finding_faces(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    class Finds:
        def run(self, clip: Clip) -> Any:
            found = [Finding("nudity", 0.6, "faces", reason, time=float(i)) for i in range(2)]
            return found, CheckRun("faces", "1", score=0.6)

    stand_in(monkeypatch, plugins.load_frame_detector, "faces", Finds())


class _Outline(html.parser.HTMLParser):
    """What a screen reader meets, and what a page must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.labels += [v or "" for k, v in attrs if k == "aria-label"]
        assert not any(k.startswith("on") or (k in {"src", "href"} and v) for k, v in attrs)


def test_the_page(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding_faces(monkeypatch, "<script>alert(1)</script>\u202e")
    found = safegen.moderate(files / "calm.mp4", checks=["faces"])
    assert found.exit_code == 7
    page = render(
        [ReportItem(found.path, found), ReportItem(Path("b<a>.mp4"), error="is & broken")], when="now"
    )
    outline = _Outline()
    outline.feed(page)
    assert "script" not in outline.tags
    assert outline.tags.count("h1") == 1
    assert any("nudity: in the seconds 0, 1" in label for label in outline.labels)
    assert "\u202e" not in page
    assert "NOT CHECKED" in page
    assert "default-src 'none'" in page


def test_the_command(files: Path, tmp_path: Path) -> None:
    from safegen.cli.moderate import command

    run = CliRunner()
    page = tmp_path / "page.html"
    done = run.invoke(command, [str(files), "--json", "--html", str(page)])
    assert done.exit_code == 3, done.output
    answers = json.loads(done.stdout)
    assert {Path(a["path"]).name: a.get("action") for a in answers} == {
        "calm.mp4": "allow",
        "flash.mp4": "block",
        "picture.png": "allow",
    }
    assert page.read_text(encoding="utf-8").count("<section") == 3
    both = run.invoke(command, [str(files / "calm.mp4"), str(files / "text.mp4"), "--plain"])
    assert both.exit_code == 2
    assert "calm.mp4: ALLOW" in both.stdout
    assert "text.mp4: not checked" in both.stdout
