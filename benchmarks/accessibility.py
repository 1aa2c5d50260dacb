"""How often descriptions are right, and how often they say so when unsure: rendered clips with known truth.

    python -m benchmarks.accessibility --clips 60

Each clip is three seconds of the small world, scaled up, with noise and compression as strong as a release's.
Counted are statements (colour, shape, count, motion, background): said flatly, with "perhaps", or not at all.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.accessibility import phrasing, scenes
from safegen.generators.upscale import upscale_clip
from safegen.types import Clip
from training.world import stages
from training.world.render import render
from training.world.spec import Scene

_TRUTH = ("colour", "shape", "count", "motion", "background")


def clip_of(scene: Scene, seed: int) -> Clip:
    """Three seconds at 256 x 256 and 12 fps, noisy and compressed."""
    frames = render(scene, seed)[0]
    big = np.stack(list(upscale_clip(frames, width=256, height=256, seconds=3.0, fps=12)))
    noise = np.random.default_rng(seed).integers(-5, 6, big.shape)
    noisy = np.clip(big.astype(int) + noise, 0, 255).astype(np.uint8)
    return Clip.from_array(np.stack([_through_jpeg(f) for f in noisy]), 12)


def _through_jpeg(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    coded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def truth(scene: Scene) -> dict[str, str]:
    """What a description should say about *scene*, which shows things of one kind."""
    thing = scene.things[0]
    named = (thing.colour, thing.kind, str(scene.count), scene.motion, scene.background)
    return dict(zip(_TRUTH, named, strict=True))


def count(clips: int, seed: int) -> Counter[tuple[str, bool]]:
    """How many statements were made how surely, and right or not."""
    rng = np.random.default_rng(seed)
    found: Counter[tuple[str, bool]] = Counter()
    done = 0
    while done < clips:
        scene = stages.sample(stages.STAGES["four"], rng, None)
        if len(scene.things) != 1:
            continue
        seen = scenes.segment_scenes(scenes.sample_clip(clip_of(scene, done)))
        for name, value in truth(scene).items():
            said = next(a for a in seen[0].attributes if a.name == name)
            p = said.probabilities[said.value]
            silent = said.value == phrasing.UNKNOWN or p < phrasing.GUESS_THRESHOLD
            how = "not said" if silent else "flatly" if p >= phrasing.CERTAIN_THRESHOLD else "perhaps"
            found[how, said.value == value] += 1
        done += 1
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    started = time.monotonic()
    found = count(options.clips, options.seed)
    for how in ("flatly", "perhaps", "not said"):
        right, wrong = found[how, True], found[how, False]
        share = f"{right / (right + wrong):.3f} right" if right + wrong and how != "not said" else ""
        sys.stdout.write(f"{how:<10}{right + wrong:>6}  {share}\n")
    sys.stdout.write(f"{options.clips} clips in {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
