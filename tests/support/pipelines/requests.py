"""The tiny pipelines: what each can do, what is particular about it, and the smallest request it takes."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from safegen.types import Clip, Condition, Request

SIDE = dict.fromkeys(("ltx", "ltx_condition", "wan22", "ltx2", "sana"), 32)
"""What sides are multiples of, where it is not 16."""
STEP = {
    **dict.fromkeys(("ltx", "ltx_condition", "ltx2", "cogvideox"), 8),
    "mochi": 6,
    "framepack": 36,
}
"""What frame counts are one more than a multiple of, where it is not 4."""
SMALLEST = {"ltx2": 64}
"""The smallest side (pixels) that a tiny pipeline makes, where it is not 32."""
MODES = {
    "wan": {"text", "edit"},
    "wan22": {"text", "image", "edit", "extend", "storyboard"},
    "wan_a14b": {"text"},
    "wan_i2v": {"image", "extend", "loop", "blend", "storyboard"},
    "ltx": {"text", "image", "edit", "extend", "storyboard"},
    "ltx_condition": {"text", "image", "edit", "extend", "extend_back", "loop", "blend", "storyboard"},
    "cogvideox": {"text", "edit"},
    "cogvideox_i2v": {"image", "extend", "storyboard"},
    "mochi": {"text"},
    "hunyuan": {"text"},
    "hunyuan15": {"text"},
    "latte": {"text"},
    "wan_flf2v": {"image", "loop", "blend"},
    "cogvideox15": {"text"},
    "framepack": {"image"},
    "hunyuan_i2v": {"image", "extend", "storyboard"},
    "hunyuan15_i2v": {"image"},
    "ltx2": {"text", "image", "extend", "storyboard"},
    "skyreels": {"text"},
    "skyreels_i2v": {"image", "extend", "loop", "blend", "storyboard"},
    "wan_vace": {"text"},
    "allegro": {"text"},
    "sana": {"text"},
    "kandinsky": {"text"},
    "kandinsky_i2v": {"image", "extend", "storyboard"},
    "animatediff": {"text"},
    "svd": {"image", "extend"},
    "easyanimate": {"text"},
}
FIXED = {"cogvideox_i2v", "latte"}
"""These make one size only."""
UNSIZED = {"hunyuan15_i2v"}
"""The picture's shape decides."""
UNSTEADY = {"allegro", "hunyuan15", "hunyuan15_i2v", "hunyuan"}
"""Random weights that give the same picture whatever the noise."""
SLOW = {"svd", "allegro", "hunyuan15_i2v"}
FAMILIES = sorted(MODES)


def each(but: set[str] = frozenset(), slow: set[str] = SLOW) -> list[Any]:  # type: ignore[assignment]
    """The families but some; those that take seconds are marked as slow."""
    return [pytest.param(n, marks=pytest.mark.slow) if n in slow else n for n in FAMILIES if n not in but]


def smallest_request(name: str, mode: str = "", **more: Any) -> Request:
    """The smallest request a family can do."""
    mode = mode or ("text" if "text" in MODES[name] else "image")
    side = SMALLEST.get(name, 32)
    sizes: dict[str, Any] = {} if name in FIXED else {"width": side, "height": side, "seconds": 0.01}
    if name in UNSIZED:
        sizes = {"seconds": 0.01}
    values: dict[str, Any] = {"steps": 2, "seed": 3, "mode": mode, **sizes, **more}
    return Request("a red ball", **values)


def noise(role: Any, frames: int = 1, fps: int = 8) -> Condition:
    pixels = np.random.default_rng(frames).integers(0, 255, (frames, 48, 64, 3)).astype(np.uint8)
    return Condition(role, Clip.from_array(pixels, fps), f"{role}.mp4")


def inputs(request: Request, name: str = "") -> list[Condition]:
    if request.mode != "image":
        return []
    return [noise("first_frame"), *([noise("last_frame")] if name == "wan_flf2v" else [])]


def digest(made: Any) -> str:
    return hashlib.sha256(b"".join(f.tobytes() for f in made.clip)).hexdigest()
