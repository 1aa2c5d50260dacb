"""What the frames gate costs: seconds of work per second of video, check by check.

    python -m benchmarks.moderation [--size 1280x720] [--fps 24] [--seconds 4] [--random-vit] [--json]

The clip is made up (a scene that pans) and read from memory, so that only the checks are measured;
``moderate`` is the whole command on an encoded file, decoding in the sandbox included. ``--random-vit``
measures a ViT-B/16 of Falconsai's size with random weights: what it costs does not depend on what it learnt.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from safegen import plugins, policies
from safegen.detectors.frames._absent import CheckAbsent
from safegen.media.encode import encode_mp4
from safegen.moderation.run import moderate_file
from safegen.types import Clip

CHECKS = ("blank", "frozen", "flash", "freepik", "falconsai", "shieldgemma", "faces", "known", "text")


def clip(width: int, height: int, fps: int, seconds: float) -> Clip:
    """A scene that pans."""
    import cv2

    coarse = np.random.default_rng(1).integers(0, 255, (24, 64, 3), np.uint8)
    count = round(fps * seconds)
    wide = cv2.resize(coarse, (width + 4 * count, height), interpolation=cv2.INTER_CUBIC)
    return Clip(
        lambda: (np.ascontiguousarray(wide[:, 4 * i : 4 * i + width]) for i in range(count)),
        width,
        height,
        Fraction(fps),
        count,
    )


def random_vit(folder: Path) -> None:
    """A ViT-B/16 with Falconsai's labels and random weights, where the check looks for it."""
    import transformers

    labels = {0: "normal", 1: "nsfw"}
    config = transformers.ViTConfig(id2label=labels, label2id={v: k for k, v in labels.items()})
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_processor_type": "ViTImageProcessor", "size": {"height": 224, "width": 224}})
    )
    os.environ["SAFEGEN_FALCONSAI"] = str(folder)


def cost(name: str, video: Clip) -> list[float] | str:
    """Seconds per second of video, by the clock and of the processor, models loaded before; or why not."""
    try:
        check = plugins.load("frames", name)
        check.run(Clip.from_array(np.stack([next(iter(video))]), 1))
    except CheckAbsent as error:
        return f"not here: {error}"
    started = _spent()
    check.run(video)
    return [round((b - a) / video.seconds, 3) for a, b in zip(started, _spent(), strict=True)]


def _spent() -> tuple[float, float]:
    """Seconds by the clock, and of the processor (children that ended included)."""
    used = os.times()
    return time.monotonic(), used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--fps", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--random-vit", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    video = clip(width, height, asked.fps, asked.seconds)
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        if asked.random_vit:
            random_vit(Path(folder))
        for name in CHECKS:
            rows[name] = cost(name, video)
        file = Path(folder) / "clip.mp4"
        encode_mp4(video, file, fps=video.fps)
        started = _spent()
        moderate_file(file, policies.load("default"))
        rows["moderate (default policy, decoding included)"] = [
            round((b - a) / video.seconds, 3) for a, b in zip(started, _spent(), strict=True)
        ]
    if asked.json:
        print(json.dumps({"size": asked.size, "fps": asked.fps, "cores": os.cpu_count(), "cost": rows}))
        return
    print(f"{asked.size} at {asked.fps} fps, {os.cpu_count()} cores: seconds per second of video")
    print(f"  {'check':<48}{'clock':>8}{'processor':>11}")
    for name, value in rows.items():
        print(f"  {name:<48}{value if isinstance(value, str) else f'{value[0]:>8.3f}{value[1]:>11.3f}'}")


if __name__ == "__main__":
    main()
