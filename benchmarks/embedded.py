"""The embedded model's own clips: does their mark survive, and how long does one take?

``python -m benchmarks.embedded --out OUT`` generates clips, releases them at H.264 CRF 18, encodes them
again at CRF 23, 28 and 33, and counts how many payloads are read; and what the mark costs at CRF 23, in
bytes. Writes ``embedded.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safegen import plugins
from safegen.generators.registry import find_generator
from safegen.media.encode import Encoding, encode_mp4
from safegen.media.sandbox import open_clip, sample_frames
from safegen.protocols import NoProgress
from safegen.types import Clip, Request
from safegen.watermarks import PUBLIC_KEY

PROMPTS = (
    "a red ball rolling left to right over green grass",
    "a blue box moving up over snow",
    "a small yellow star drifting down over the sea",
    "a large green triangle moving left in the desert",
    "a white ball standing still under a night sky",
    "an orange box sliding right over grey ground",
)
RATES = (18, 23, 28, 33)


def _luma(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(frame @ np.array([0.2126, 0.7152, 0.0722]))


def _psnr(marked: Clip, plain: Clip) -> float:
    """PSNR of the luma (BT.709), dB, over every twelfth frame."""
    pairs = list(zip(marked, plain, strict=True))[::12]
    error = np.mean([np.mean((_luma(a) - _luma(b)) ** 2) for a, b in pairs])
    return float(10 * np.log10(255**2 / error))


def _size(frames: Iterable[np.ndarray], clip: Clip, folder: Path) -> int:
    """Bytes of *frames* as H.264 CRF 23."""
    file = folder / "size.mp4"
    encode_mp4(iter(frames), file, fps=clip.fps, encoding=Encoding(crf=23))
    return file.stat().st_size


def measure(folder: Path, clips: int) -> dict[str, object]:
    """Generate, mark and re-encode *clips* clips; counts, PSNR-Y and seconds."""
    scheme = plugins.load_watermark("tile")
    generator = find_generator("tiny")
    read = dict.fromkeys(RATES, 0)
    quality, cost, seconds, weakest = [], [], [], dict.fromkeys(RATES, -np.inf)
    for number in range(clips):
        request = Request(PROMPTS[number % len(PROMPTS)], seed=number)
        started = time.perf_counter()
        clip = generator.generate(request, progress=NoProgress()).clip
        seconds.append(time.perf_counter() - started)
        payload = 0x1234_5678_9ABC_0000 + number
        marked = np.stack(list(scheme.embed(iter(clip), payload=payload, key=PUBLIC_KEY)))
        quality.append(_psnr(Clip.from_array(marked, clip.fps), clip))
        cost.append(_size(marked, clip, folder) / _size(iter(clip), clip, folder) - 1)
        released = folder / "released.mp4"
        encode_mp4(iter(marked), released, fps=clip.fps, encoding=Encoding(crf=RATES[0]))
        for rate in RATES:
            file = released
            if rate != RATES[0]:
                file = folder / f"crf{rate}.mp4"
                encode_mp4(iter(open_clip(released)), file, fps=clip.fps, encoding=Encoding(crf=rate))
            shown = sample_frames(file, frames=scheme.sample_frames, short_side=scheme.sample_short_side)
            best = scheme.detect(shown, key=PUBLIC_KEY)[0]
            read[rate] += best.payload == payload
            weakest[rate] = max(weakest[rate], best.log10_p)
    return {
        "clips": clips,
        "payload_read": {f"crf{rate}": count for rate, count in read.items()},
        "weakest_log10_p": {f"crf{rate}": round(float(p), 1) for rate, p in weakest.items()},
        "psnr_y_db": {"median": round(statistics.median(quality), 1), "lowest": round(min(quality), 1)},
        "bitrate_crf23": {"median": round(statistics.median(cost), 3), "largest": round(max(cost), 3)},
        "generation_s": {
            "first_with_load": round(seconds[0], 2),
            "median_after": round(statistics.median(seconds[1:]), 2) if clips > 1 else None,
        },
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=12)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), arguments.clips)
    text = json.dumps(result, indent=2)
    (arguments.out / "embedded.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
