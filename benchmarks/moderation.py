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
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from safegen import plugins, policies
from safegen.detectors.frames._absent import CheckAbsent
from safegen.media import sandbox
from safegen.media.encode import encode_mp4
from safegen.moderation.run import SHORT_SIDE, moderate_file
from safegen.types import Clip

WHOLE, PLAIN = "moderate (default policy, decoding included)", "plain decoding"
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
        check = plugins.load_frame_detector(name)
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


def decoding(file: Path, seconds: float) -> list[float]:
    """Seconds per second of video that decoding alone takes, in the same sandbox."""
    started = _spent()
    for _ in sandbox.stream_frames(file, rate=1000.0, short_side=SHORT_SIDE):
        pass
    return [round((b - a) / seconds, 3) for a, b in zip(started, _spent(), strict=True)]


def measured(video: Clip, *, random_model: bool) -> dict[str, Any]:
    """Each check on *video*, the whole command, plain decoding: ``cost`` by name, ``ratio`` to decoding."""
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        if random_model:
            random_vit(Path(folder))
        for name in CHECKS:
            rows[name] = cost(name, video)
        file = Path(folder) / "clip.mp4"
        encode_mp4(video, file, fps=video.fps)
        started = _spent()
        moderate_file(file, policies.load("default"))
        rows[WHOLE] = [round((b - a) / video.seconds, 3) for a, b in zip(started, _spent(), strict=True)]
        rows[PLAIN] = decoding(file, video.seconds)
    plain = rows[PLAIN][0]
    ratio = {k: round(v[0] / plain, 2) for k, v in rows.items() if not isinstance(v, str) and plain > 0}
    size = f"{video.width}x{video.height}"
    return {"size": size, "fps": int(video.fps), "cores": os.cpu_count(), "cost": rows, "ratio": ratio}


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The figures for people."""
    yield f"{found['size']} at {found['fps']} fps, {found['cores']} cores: seconds per second of video"
    yield f"  {'check':<48}{'clock':>8}{'processor':>11}{'x decoding':>12}"
    for name, value in found["cost"].items():
        if isinstance(value, str):
            yield f"  {name:<48}{value}"
        else:
            yield f"  {name:<48}{value[0]:>8.3f}{value[1]:>11.3f}{found['ratio'].get(name, 0.0):>12.1f}"


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
    found = measured(clip(width, height, asked.fps, asked.seconds), random_model=asked.random_vit)
    print(json.dumps(found) if asked.json else "\n".join(lines(found)))


if __name__ == "__main__":
    main()
