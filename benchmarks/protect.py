"""How much memory and time does protecting a video take?

``python -m benchmarks.protect --clip FILE --size 3840x2160 --frames 60 --out OUT`` writes a source of that
size (the clip enlarged, played forwards and backwards until it is long enough), encodes it with x264 alone,
then lets ``protect``'s one pass (decode, check, mark, encode) run over it, and writes ``protect.json``: peak
memory of the process and its decoder together, CPU and wall seconds, and their ratio to x264 alone on the
same frames in the same run. ``--seconds`` instead of ``--frames`` for a clip of that length.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2

from safegen.media.encode import Encoding, codec_options
from safegen.media.footage import open_footage
from safegen.pipeline.mark_footage import check_and_encode
from safegen.pipeline.protect import _preview_clip
from safegen.pipeline.stages import UnmarkedClip
from safegen.policies import load

_PAGE = os.sysconf("SC_PAGE_SIZE")
RATE = Fraction(24)


class Memory:
    """Peak of the resident memory (MB) of this process and its children while the block runs (Linux)."""

    def __init__(self) -> None:
        self.peak = self.own = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            own = _resident(os.getpid())
            total = own + sum(_resident(pid) for pid in _children(os.getpid()))
            self.peak, self.own = max(self.peak, total), max(self.own, own)


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
    except (OSError, IndexError):
        return 0.0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def _pictures(clip: Path, size: tuple[int, int], count: int) -> Iterator[av.VideoFrame]:
    """*count* pictures of *size*: the clip's first 48, forwards and backwards."""
    with av.open(str(clip)) as box:
        first = [f.to_ndarray(format="rgb24") for f, _ in zip(box.decode(video=0), range(48), strict=False)]
    turn = [*range(len(first)), *range(len(first) - 2, 0, -1)]
    for i in range(count):
        large = cv2.resize(first[turn[i % len(turn)]], size, interpolation=cv2.INTER_CUBIC)
        frame = av.VideoFrame.from_ndarray(large, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = i, 1 / RATE
        yield frame


def _write(
    frames: Iterator[av.VideoFrame], size: tuple[int, int], file: Path, options: dict[str, str]
) -> None:
    with av.open(str(file), "w", format="mp4") as box:
        stream = box.add_stream("libx264", rate=RATE)
        stream.width, stream.height = size
        stream.pix_fmt, stream.options = "yuv420p", options
        for frame in frames:
            frame.pict_type = 0
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))


def _decoded(file: Path) -> Iterator[av.VideoFrame]:
    with av.open(str(file)) as box:
        box.streams.video[0].thread_type = "AUTO"
        for frame in box.decode(video=0):
            frame.pts = int(frame.pts * frame.time_base * RATE)
            frame.time_base = 1 / RATE
            yield frame


def _apart(work: Callable[..., object], *args: object) -> None:
    """Do *work* in a process of its own, so that its memory does not count later."""
    process = multiprocessing.get_context("fork").Process(target=work, args=args)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit("the encoder failed")


def _alone(source: Path, size: tuple[int, int], target: Path, options: dict[str, str]) -> None:
    _write(_decoded(source), size, target, options)


def _source(clip: Path, size: tuple[int, int], count: int, target: Path) -> None:
    _write(_pictures(clip, size, count), size, target, {"crf": "20", "preset": "ultrafast"})


def _timed(work: Callable[[], object]) -> dict[str, float]:
    cpu, wall = sum(os.times()[:4]), time.perf_counter()
    with Memory() as memory:
        work()
    return {
        "cpu_s": round(sum(os.times()[:4]) - cpu, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
        "peak_mb": round(memory.peak),
        "own_peak_mb": round(memory.own),
    }


def measure(clip: Path, size: tuple[int, int], count: int, folder: Path) -> dict[str, object]:
    """x264 alone (decoding included), then protect's pass, over the same file."""
    source = folder / "source.mp4"
    _apart(_source, clip, size, count, source)
    encoding = Encoding()
    options = codec_options(encoding, *size)

    def pass_over() -> None:
        footage = open_footage(source)
        made = UnmarkedClip(_preview_clip(footage), "protected", None, {})
        target = folder / "out.mp4"
        check_and_encode(made, footage, load("default"), target, content_id=7, encoding=encoding)

    alone = _timed(lambda: _apart(_alone, source, size, folder / "alone.mp4", options))
    protect = _timed(pass_over)
    return {
        "size": f"{size[0]}x{size[1]}",
        "frames": count,
        "protect": protect,
        "decode_and_x264": alone,
        "cpu_ratio": round(protect["cpu_s"] / alone["cpu_s"], 2),
        "wall_ratio": round(protect["wall_s"] / alone["wall_s"], 2),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clip", type=Path, required=True, help="a source of pictures")
    parser.add_argument("--size", default="1920x1080", help="WIDTHxHEIGHT")
    parser.add_argument("--frames", type=int, default=0, help="how many frames")
    parser.add_argument("--seconds", type=float, default=60.0, help="or how long, at 24 frames a second")
    parser.add_argument("--out", type=Path, required=True, help="folder for protect.json")
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        count = args.frames or round(args.seconds * RATE)
        found = measure(args.clip, (width, height), count, Path(folder))
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "protect.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
