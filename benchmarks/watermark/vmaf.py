"""VMAF of the mark: ``python -m benchmarks.watermark.vmaf --clips DIR --out OUT [--ffmpeg FILE]``.

Needs an ffmpeg program with libvmaf: the one named, else that of the wheel ``imageio-ffmpeg`` (GPL-3, not a
dependency of safegen: ``pip install imageio-ffmpeg``), else the one on the path. Each clip's marked pictures
are compared with the unmarked ones, both uncompressed 4:2:0, with libvmaf's default model; then both as
H.264 CRF 18, medium, with the source. Writes OUT/vmaf.json and prints a table.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import importlib.util
import json
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.watermark.attacks import Codec, decode, encode
from benchmarks.watermark.clips import ball, load
from benchmarks.watermark.edits import Frames
from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import TileWatermark

PAYLOAD = 0x5AFE_0123_89AB_CDEF


@dataclass(frozen=True)
class Quality:
    """VMAF (0 to 100), mean over the frames and of the worst frame."""

    mean: float
    worst: float


def program(named: str | None) -> str | None:
    """An ffmpeg that has libvmaf, or None."""
    found = [named, shutil.which("ffmpeg")]
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        found.insert(1, importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    for path in found:
        if path is not None:
            listed = subprocess.run([path, "-hide_banner", "-filters"], capture_output=True, check=False)
            if b"libvmaf" in listed.stdout:
                return path
    return None


def _write(frames: Frames, fps: float, file: Path) -> None:
    """Uncompressed 4:2:0 in a Y4M file; an odd last row or column is left out."""
    height, width = (side // 2 * 2 for side in frames.shape[1:3])
    with av.open(str(file), "w", format="yuv4mpegpipe") as box:
        stream = box.add_stream("wrapped_avframe", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            picture = np.ascontiguousarray(frame[:height, :width])
            box.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        box.mux(stream.encode(None))


def vmaf(ffmpeg: str, shown: Frames, source: Frames, fps: float) -> Quality:
    """VMAF of *shown* against *source*."""
    with tempfile.TemporaryDirectory() as folder:
        a, b, log = (Path(folder) / n for n in ("shown.y4m", "source.y4m", "log.json"))
        _write(shown, fps, a)
        _write(source, fps, b)
        measure = f"[0:v][1:v]libvmaf=n_threads=1:log_fmt=json:log_path={log}"
        subprocess.run(
            [ffmpeg, "-v", "error", "-i", str(a), "-i", str(b), "-lavfi", measure, "-f", "null", "-"],
            check=True,
        )
        pooled = json.loads(log.read_text())["pooled_metrics"]["vmaf"]
    return Quality(round(pooled["mean"], 2), round(pooled["min"], 2))


def measure(ffmpeg: str, frames: Frames, fps: float) -> dict[str, Quality]:
    """The mark alone; and what a release at CRF 18 has, with and without it."""
    marked = np.stack(list(TileWatermark().embed(iter(frames), payload=PAYLOAD, key=PUBLIC_KEY)))
    codec = Codec(crf=18)
    released, plain = (decode(encode(clip, fps, codec))[0] for clip in (marked, frames))
    even = frames[:, : released.shape[1], : released.shape[2]]
    return {
        "mark": vmaf(ffmpeg, marked, frames, fps),
        "marked, CRF 18": vmaf(ffmpeg, released, even, fps),
        "unmarked, CRF 18": vmaf(ffmpeg, plain, even, fps),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark.vmaf", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="folder of .mp4 files")
    parser.add_argument("--out", type=Path, required=True, help="folder for vmaf.json")
    parser.add_argument("--frames", type=int, default=24, help="frames per clip")
    parser.add_argument("--ffmpeg", help="an ffmpeg program with libvmaf")
    args = parser.parse_args()
    ffmpeg = program(args.ffmpeg)
    if ffmpeg is None:
        parser.error("no ffmpeg with libvmaf is at hand: pip install imageio-ffmpeg, or name one (--ffmpeg)")
    cv2.setNumThreads(1)
    made = {f.stem: load(f, args.frames, 60 if "bbb" in f.stem else 0, 480) for f in args.clips.glob("*.mp4")}
    made["flat_0"] = (ball(0)[: args.frames], 24.0)
    found = {name: measure(ffmpeg, *made[name]) for name in sorted(made)}
    args.out.mkdir(parents=True, exist_ok=True)
    plain = {name: {what: asdict(q) for what, q in row.items()} for name, row in found.items()}
    text = json.dumps({"date": dt.date.today().isoformat(), "clips": plain}, indent=1)
    (args.out / "vmaf.json").write_text(text + "\n")
    print("| clip | mark alone, mean / worst frame | marked, CRF 18 | unmarked, CRF 18 |\n|---|---|---|---|")
    for name, row in found.items():
        print(f"| {name} | " + " | ".join(f"{q.mean:.1f} / {q.worst:.1f}" for q in row.values()) + " |")


if __name__ == "__main__":
    main()
