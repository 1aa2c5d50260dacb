"""Which calls each mode of a diffusers pipeline makes and how the clips are joined, to the byte."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from safegen.generators.diffusers import modes
from safegen.generators.diffusers.families import NativeFormat, PipelineCall
from safegen.types import Mode, Request, Shot

Frames = NDArray[np.uint8]
ABILITIES = frozenset({"text", "first", "last", "both", "edit"})
SHOTS = (Shot(0, "a red ball"), Shot(1, "a blue box"), Shot(4.5, "a green tree"))

CASES: list[tuple[Mode, dict[str, int], dict[str, Any], str]] = [
    ("text", {}, {}, "b2fa3ad877dae5a6"),
    ("image", {"first_frame": 1}, {}, "d8c86bced09e8f20"),
    ("image", {"first_frame": 1, "last_frame": 1}, {}, "bf3b0d18e7611e31"),
    ("edit", {"video": 15}, {}, "21e53282b4961180"),
    ("edit", {"video": 30}, {"strength": 0.25, "seconds": 2.0}, "4223a3e287586251"),
    ("extend", {"video": 15}, {}, "1cec46190177d3d1"),
    ("extend", {"video": 3}, {"seconds": 9.0}, "3176b99cba90d646"),
    ("extend_back", {"video": 15}, {}, "4d615eba8fe60cb7"),
    ("extend_back", {"video": 3}, {"seconds": 9.0}, "f13c7ffd993470ae"),
    ("loop", {"video": 15}, {}, "c4e4c7931e100d63"),
    ("loop", {"first_frame": 1}, {}, "949eaeb9d0df298f"),
    ("loop", {}, {}, "635e7d4e457dea7f"),
    ("blend", {"video": 15, "next_video": 9}, {}, "8a53b030cdedaaaf"),
    ("blend", {"video": 15, "next_video": 9}, {"seconds": 4.0}, "35cdff4662a216b3"),
    ("storyboard", {}, {"shots": SHOTS}, "e522431252290192"),
    ("storyboard", {"first_frame": 1}, {"shots": SHOTS, "seconds": 8.0}, "3fb64b86fa727b6b"),
]


def sampled(call: PipelineCall) -> Frames:
    """Frames that depend on everything a call says."""
    told = [repr((call.prompt, call.width, call.height, call.frames, call.seed, call.strength)).encode()]
    told += [b"-" if f is None else f.tobytes() for f in (call.start, call.end, call.source)]
    noise = np.random.default_rng(list(hashlib.sha256(b"|".join(told)).digest()))
    return noise.integers(0, 255, (call.frames, call.height, call.width, 3)).astype(np.uint8)


@pytest.mark.parametrize(("mode", "given", "changes", "digest"), CASES)
def test_every_mode_puts_the_same_frames_together(
    mode: Mode, given: dict[str, int], changes: dict[str, Any], digest: str
) -> None:
    request = Request("a red ball", mode=mode, seed=2**63 - 2, **changes)
    inputs = {
        role: np.random.default_rng(n).integers(0, 255, (n, 32, 32, 3)).astype(np.uint8)
        for role, n in given.items()
    }
    native = NativeFormat(32, 32, 17, 8)
    job = modes.PreparedRequest(request, 32, 32, 17, 8, native, ABILITIES, inputs, sampled)
    frames = modes.run_mode(job)
    assert hashlib.sha256(frames.tobytes()).hexdigest()[:16] == digest
