"""What each mode of the embedded model puts together, to the byte: seeds, prompts, given latents and joins.

The networks are replaced by arithmetic on whole numbers, so that the digests hold on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from safegen.generators.tiny import latents, modes
from safegen.generators.tiny.generator import TinyGenerator
from safegen.protocols import NoProgress
from safegen.types import Clip, Condition, Mode, Request, Role, Shot

Frames = NDArray[np.uint8]
RATE = 16
PICTURE: tuple[tuple[Role, int], ...] = (("first_frame", 1),)
CLIP: tuple[tuple[Role, int], ...] = (("video", 48),)
SHORT: tuple[tuple[Role, int], ...] = (("video", 6),)
SHOTS = (Shot(0, "a red ball"), Shot(3, "a blue box"), Shot(7.5, "a green tree"))

CASES: list[tuple[Mode, tuple[tuple[Role, int], ...], dict[str, Any], str]] = [
    ("image", PICTURE, {}, "9e4ad4feb27e1eea"),
    ("image", (*PICTURE, ("last_frame", 1)), {}, "9c9e798310e66b6d"),
    ("edit", CLIP, {}, "38a7a8408a9856b0"),
    ("edit", (("video", 120),), {"strength": 0.25}, "e9373f8402fc460e"),
    ("extend", CLIP, {}, "36b21e4b8f4ca775"),
    ("extend", SHORT, {"seconds": 7.0}, "1c57b8f91e5a2079"),
    ("extend_back", CLIP, {}, "649f870cdcf9b97d"),
    ("extend_back", SHORT, {"seconds": 7.0}, "47baa08d1246cb46"),
    ("loop", CLIP, {}, "0d9bc0805b52776b"),
    ("loop", SHORT, {}, "2fb88faba1c07762"),
    ("blend", (*CLIP, ("next_video", 30)), {}, "b6c0043c58267eca"),
    ("blend", (*SHORT, ("next_video", 30)), {}, "8e08ebc8eea5d454"),
    ("storyboard", (), {"shots": SHOTS}, "e4c6d1d1e281a5ae"),
    ("storyboard", (), {"shots": SHOTS, "seconds": 14.0}, "919e71b7993ff141"),
]


@pytest.fixture(scope="module")
def generator() -> TinyGenerator:
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    return TinyGenerator()


def plain(value: Any) -> bytes:
    """A value as bytes that are the same everywhere."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.ndarray):
        return str(value.shape).encode() + np.ascontiguousarray(value).tobytes()
    if isinstance(value, Mapping):
        return b"".join(str(k).encode() + plain(value[k]) for k in sorted(value))
    return repr(value).encode()


@pytest.fixture
def arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sampling, encoding and decoding by whole numbers."""
    import torch

    def encode(pipe: Any, frames: Frames) -> Any:
        shape = (1, pipe.transformer.config.in_channels, (len(frames) - 1) // 4 + 1, 8, 8)
        blocks = frames[::4, ::8, ::8, 0].astype(np.float32)
        return torch.from_numpy(np.broadcast_to(blocks[None, None], shape).copy())

    def decode(_pipe: Any, given: Any) -> Frames:
        blocks = np.repeat(given[0].sum(0).numpy().astype(np.int64) % 251, 4, axis=0)[3:]
        moving = (blocks + np.arange(len(blocks))[:, None, None] * 7) % 251
        return np.repeat(
            np.kron(moving, np.ones((1, 8, 8), np.int64)).astype(np.uint8)[..., None], 3, axis=-1
        )

    def run_pipeline(
        loaded: Any, arguments: dict[str, Any], *, seed: int, progress: Any, output_type: str
    ) -> Any:
        known = hashlib.sha256(plain({**arguments, "seed": seed})).digest()
        noise = np.random.default_rng(list(known)).integers(
            0, 9, (loaded.pipe.transformer.config.in_channels, 5, 8, 8)
        )
        return torch.from_numpy(noise.astype(np.float32))

    monkeypatch.setattr(latents, "encode", encode)
    monkeypatch.setattr(latents, "decode", decode)
    monkeypatch.setattr(latents, "run_pipeline", run_pipeline)


def clip(count: int, seed: int) -> Clip:
    pixels = np.random.default_rng(seed).integers(0, 255, (count, 64, 64, 3))
    return Clip.from_array(pixels.astype(np.uint8), RATE)


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize(("mode", "given", "changes", "digest"), CASES)
def test_every_mode_puts_the_same_frames_together(
    generator: TinyGenerator,
    mode: Mode,
    given: tuple[tuple[Role, int], ...],
    changes: dict[str, Any],
    digest: str,
) -> None:
    request = Request("a red ball", mode=mode, steps=2, seed=7, **changes)
    conditions = [Condition(role, clip(n, i), f"{role}.mp4") for i, (role, n) in enumerate(given)]
    arguments = {"prompt": request.prompt, "num_inference_steps": 2, "num_frames": 17}
    run = modes.prepare(generator.loaded_pipeline(), arguments, request, conditions, NoProgress())
    frames = modes.MODES[mode](run)
    assert frames.dtype == np.uint8 and frames.shape[1:] == (64, 64, 3)
    assert hashlib.sha256(frames.tobytes()).hexdigest()[:16] == digest
