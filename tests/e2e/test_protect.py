"""Protecting what was made elsewhere, from the file to the verdict; and what a screenshot of it says."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import safegen
from safegen.errors import GenerationFailed, UnreadableInput, UsageError
from safegen.media.encode import encode_mp4
from safegen.types import AudioTrack


def scene(count: int, size: tuple[int, int] = (384, 512)) -> list[np.ndarray]:
    """Soft coarse grain with a ball rolling over it: uint8 RGB."""
    rng = np.random.default_rng(5)
    rough = rng.integers(60, 200, (size[0] // 32, size[1] // 32, 3), np.uint8)
    ground = cv2.resize(rough, size[::-1], interpolation=cv2.INTER_CUBIC)
    out = []
    for i in range(count):
        frame = ground.copy()
        cv2.circle(frame, (80 + 12 * i, 200), 50, (230, 60, 40), -1, cv2.LINE_AA)
        out.append(frame)
    return out


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("protect")


@pytest.fixture(scope="module")
def source(home: Path) -> Path:
    tone = (np.sin(np.arange(48_000) / 25) * 0.3).astype(np.float32)[:, None]
    file = home / "source.mp4"
    encode_mp4(scene(24), file, fps=Fraction(24), audio=AudioTrack(tone, 48_000))
    return file


@pytest.fixture(scope="module")
def release(home: Path, source: Path) -> safegen.Release:
    return safegen.protect(source, home / "out.mp4", workspace=home / "ws")


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as box:
        return [bytes(p) for p in box.demux(audio=0) if p.size]


def test_a_protected_video_verifies_and_its_sound_is_untouched(
    home: Path, source: Path, release: safegen.Release
) -> None:
    assert safegen.verify(release.path, workspace=home / "ws").verdict is safegen.Verdict.VERIFIED
    assert packets(release.path) == packets(source)
    assert {c.name for c in release.checks} >= {"blank", "world"}


def test_the_mark_alone_is_found(release: safegen.Release) -> None:
    found = safegen.detect(release.path)
    (mark,) = found.marks
    assert mark.reading.payload == release.content_id and not mark.spliced
    assert found.kind == "video" and found.exit_code == 0


@pytest.mark.parametrize("kind", ["png", "jpg", "half", "desktop"])
def test_a_screenshot_is_recovered(home: Path, release: safegen.Release, kind: str) -> None:
    with av.open(str(release.path)) as box:
        frames = list(box.decode(video=0))
    frame = frames[12].to_ndarray(format="bgr24")
    shown = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) if kind == "half" else frame
    if kind == "desktop":
        shown = np.full((1080, 1920, 3), (120, 90, 50), np.uint8)
        cv2.rectangle(shown, (1100, 80), (1880, 1000), (250, 250, 250), -1)
        large = cv2.resize(frame, None, fx=900 / frame.shape[0], fy=900 / frame.shape[0])
        shown[90:990, 40 : 40 + large.shape[1]] = large
    file = home / f"shot-{kind}.{'jpg' if kind == 'jpg' else 'png'}"
    cv2.imwrite(str(file), shown)
    assert safegen.detect(file).kind == "picture"
    assert safegen.verify(file, workspace=home / "ws").verdict is safegen.Verdict.RECOVERED


@pytest.mark.parametrize(("kind", "deep"), [("png", False), ("png", True), ("jpg", False)])
def test_a_picture_stays_what_it_is(home: Path, kind: str, deep: bool) -> None:
    rgb = scene(1)[0]
    pixels = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]) if kind == "png" else rgb
    pixels = pixels.astype(np.uint16) * 257 if deep else pixels
    if kind == "png":
        pixels[:40, :40, 3] = 0
    file = home / f"picture-{deep}.{kind}"
    cv2.imwrite(str(file), pixels)
    made = safegen.protect(file, workspace=home / "ws")
    assert made.path.name == f"picture-{deep}.protected.{kind}"
    back = cv2.imread(str(made.path), cv2.IMREAD_UNCHANGED)
    assert back.shape == pixels.shape and back.dtype == pixels.dtype
    if kind == "png":
        assert np.array_equal(back[..., 3], pixels[..., 3])
    change = (back[..., :3].astype(float) - pixels[..., :3]) / (257 if deep else 1)
    assert 10 * np.log10(255**2 / np.mean(change**2)) > (41 if kind == "png" else 38)
    assert safegen.verify(made.path, workspace=home / "ws").verdict is safegen.Verdict.VERIFIED
    assert safegen.detect(made.path).marks[0].reading.payload == made.content_id


def test_a_visible_label(home: Path, source: Path) -> None:
    """In the pictures and in the manifest; what is above the label stays as it was."""
    made = safegen.protect(source, home / "labelled.mp4", label="AI-generated", workspace=home / "ws")
    with av.open(str(made.path)) as box, av.open(str(source)) as original:
        after, before = (next(b.decode(video=0)).to_ndarray(format="rgb24") for b in (box, original))
    corner = np.s_[-60:-8, 8:150]
    assert after[corner].max() > 240
    assert np.median(after[corner]) < 60
    assert np.abs(after[: len(after) // 2].astype(int) - before[: len(before) // 2]).mean() < 6
    report = safegen.verify(made.path, workspace=home / "ws")
    assert report.verdict is safegen.Verdict.VERIFIED
    said = json.dumps(report.credentials.manifest)
    assert "c2pa.addedText" in said
    assert "AI-generated" in said


def test_a_label_on_a_picture_that_is_see_through(home: Path) -> None:
    rgb = scene(1)[0]
    file = home / "glass.png"
    cv2.imwrite(str(file), np.dstack([rgb, np.zeros(rgb.shape[:2], np.uint8)]))
    made = safegen.protect(file, home / "glass.out.png", label="AI", workspace=home / "ws")
    back = cv2.imread(str(made.path), cv2.IMREAD_UNCHANGED)
    assert (back[-24:-16, 14:20, 3] == 255).all()
    assert (back[:100, :, 3] == 0).all()
    assert back[-50:, :80, :3].max() > 240


def test_the_label_of_generated_clips_is_not_put_on_others(home: Path) -> None:
    own = home / "ws-label"
    own.mkdir()
    (own / "safegen.toml").write_text('[release]\nlabel = "AI-generated"\n')
    file = home / "others.png"
    cv2.imwrite(str(file), scene(1)[0])
    made = safegen.protect(file, workspace=own)
    assert np.abs(cv2.imread(str(made.path)).astype(int) - scene(1)[0]).max() < 40
    report = safegen.verify(made.path, workspace=own, watermark=False)
    assert "addedText" not in json.dumps(report.credentials.manifest)


def test_what_a_picture_cannot_become(home: Path) -> None:
    file = home / "still.png"
    cv2.imwrite(str(file), scene(1)[0])
    with pytest.raises(UsageError, match="a picture keeps its format"):
        safegen.protect(file, home / "still.mp4", workspace=home / "ws")
    with pytest.raises(UsageError, match="original is never overwritten"):
        safegen.protect(file, file, workspace=home / "ws", overwrite=True)


def test_a_blank_video_is_refused_by_the_checks_and_nothing_is_left(home: Path) -> None:
    file = home / "black.mp4"
    encode_mp4((np.zeros((96, 128, 3), np.uint8) for _ in range(12)), file, fps=Fraction(24))
    with pytest.raises(GenerationFailed, match="frames gate"):
        safegen.protect(file, home / "never.mp4", workspace=home / "ws")
    assert not list(home.glob("never*"))
    assert not (home / ".safegen-tmp").exists()


def test_sound_only_is_answered_clearly(home: Path) -> None:
    file = home / "sound.m4a"
    with av.open(str(file), "w", format="mp4") as box:
        stream = box.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    with pytest.raises(UnreadableInput, match="no pictures"):
        safegen.detect(file)
    with pytest.raises(UnreadableInput, match="no video stream"):
        safegen.protect(file, home / "sound.mp4", workspace=home / "ws")
    report = safegen.verify(file, workspace=home / "ws")
    assert report.verdict is safegen.Verdict.NO_PROVENANCE
    assert any("no pictures" in n.reason for n in report.not_checked)


def test_detect_on_the_command_line(home: Path, release: safegen.Release) -> None:
    from click.testing import CliRunner

    from safegen.cli import group

    def run(*words: str | Path) -> tuple[int, str]:
        done = CliRunner().invoke(group, ["detect", *map(str, words)])
        return done.exit_code, done.stdout

    code, text = run(release.path, "--plain")
    assert code == 0 and f"{release.content_id:016x}" in text and "log10 p" in text
    folder = home / "mixed"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(release.path.read_bytes())
    cv2.imwrite(str(folder / "b.png"), scene(1)[0])
    (folder / "c.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(200))
    code, text = run(folder, "--json", "--per-second")
    answers = json.loads(text)
    assert code == 40
    assert [a.get("present") for a in answers] == [True, False, None]
    assert answers[0]["marks"][0]["per_second"] and answers[2]["exit_code"] == 2
    key = home / "other.key"
    key.write_bytes(b"somebody else's\n")
    assert run(release.path, "--key", key)[0] == 40
    assert run(home / "nowhere.mp4")[0] != 0
    assert run(release.path, "--scheme", "nonsense")[0] != 0


def test_detect_needs_neither_torch_nor_a_workspace(release: safegen.Release, tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    code = (
        "import sys, safegen; d = safegen.detect(sys.argv[1]); "
        "assert d.present; assert not {'torch', 'sqlmodel', 'c2pa'} & set(sys.modules), 'heavy'"
    )
    env = {**os.environ, "SAFEGEN_WORKSPACE": str(tmp_path / "none"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(release.path)], capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())


def written(file: Path, codec: str, pixels: str, options: dict[str, str]) -> Path:
    with av.open(str(file), "w") as box:
        stream = box.add_stream(codec, rate=8)
        stream.height, stream.width, stream.pix_fmt, stream.options = 384, 512, pixels, options
        for frame in scene(4):
            box.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format=pixels)))
        box.mux(stream.encode(None))
    return file


@pytest.mark.slow
def test_an_optional_rgb_scheme_marks_an_upright_8_bit_video_only(tmp_path: Path) -> None:
    pytest.importorskip("imwatermark")
    pytest.importorskip("pywt")
    plain = written(tmp_path / "plain.mp4", "libx264", "yuv420p", {"crf": "12"})
    made = safegen.protect(plain, watermark="dwtdctsvd", workspace=tmp_path / "ws")
    report = safegen.verify(made.path, workspace=tmp_path / "ws")
    assert report.verdict is safegen.Verdict.VERIFIED
    found = {w.alg: w.present for w in report.watermarks}
    assert found["org.safegen.watermark.dwtdctsvd.1"] and not found["org.safegen.watermark.tile.1"]
    deep = written(tmp_path / "deep.mp4", "libx265", "yuv420p10le", {"x265-params": "log-level=none"})
    with pytest.raises(UsageError, match="10-bit"):
        safegen.protect(deep, watermark="dwtdctsvd", workspace=tmp_path / "ws")
    assert not (tmp_path / "deep.protected.mp4").exists()
