"""Estimates: counted where they can be, near what others measured, called estimates, never a silent guess."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from safegen.errors import GenerationFailed
from safegen.generators import estimate
from safegen.generators.estimate import Estimate, Machine
from safegen.generators.presets import PRESETS, preset_for_source
from safegen.generators.tiny.generator import FOLDER, PRESET

GB = 10**9


@pytest.mark.parametrize(
    ("name", "offload", "size", "published"),
    [
        ("wan2.1-1.3b", "model", (832, 480, 81), 11),
        ("wan2.2-5b", "model", (1280, 704, 121), 24),
        ("cogvideox-2b", "none", (720, 480, 49), 18),
        ("cogvideox-5b", "none", (720, 480, 49), 26),
        ("hunyuanvideo", "none", (1280, 720, 129), 60),
        ("hunyuanvideo", "none", (960, 544, 129), 45),
        ("mochi-1", "model", (848, 480, 85), 22),
    ],
)
def test_near_what_was_measured(
    name: str, offload: str, size: tuple[int, int, int], published: float
) -> None:
    """Within 30% of figures that others published (they are in the preset, with their source)."""
    preset = PRESETS[name]
    assert published * GB in {m.bytes for m in preset.memory}
    width, height, frames = size
    needs = estimate.estimate_memory(preset, width=width, height=height, frames=frames, offload=offload)
    assert needs.device is not None
    assert 0.7 < needs.device / (published * GB) < 1.3


def test_weights_of_files_that_are_here_are_counted() -> None:
    torch = pytest.importorskip("safetensors.torch")
    files = sorted(FOLDER.glob("*/*.safetensors"))
    numbers = sum(t.numel() for f in files for t in torch.load_file(f).values())
    needs = estimate.estimate_memory(PRESET, width=64, height=64, frames=17, dtype="float32")
    assert needs.weights == numbers * 4
    assert needs.download == 0
    assert (
        estimate.estimate_memory(PRESET, width=64, height=64, frames=17, dtype="torch.float16").weights
        == numbers * 2
    )
    assert any("counted from the files" in line for line in needs.basis)


def test_the_token_of_a_local_pipeline_comes_from_its_configurations() -> None:
    """The embedded model: 64 x 64 pixels and 17 frames are 80 tokens of 128 channels (its model card)."""
    needs = estimate.estimate_memory(PRESET, width=64, height=64, frames=17)
    assert any("80 tokens x 128 channels" in line or "tokens x" in line for line in needs.basis)
    assert needs.activations and needs.activations % 100 == 0


def test_what_is_not_known_is_said() -> None:
    needs = estimate.estimate_memory(preset_for_source("some/model"), width=64, height=64, frames=9)
    assert (needs.device, needs.weights, needs.activations) == (None, None, None)
    assert needs.describe()["device_gb"] == "not stated"
    assert any("unknown until" in line for line in needs.basis)
    assert estimate.check_memory(needs, Machine(1, 1)) == ()
    hunyuan = estimate.estimate_memory(PRESETS["hunyuanvideo"], width=None, height=None, frames=None)
    assert any("text encoders not counted" in line for line in hunyuan.basis)


def test_more_pixels_and_less_offload_need_more() -> None:
    preset = PRESETS["wan2.2-5b"]

    def device(width: int, offload: str) -> int:
        found = estimate.estimate_memory(preset, width=width, height=704, frames=121, offload=offload).device
        assert found is not None
        return found

    assert device(640, "none") < device(1280, "none")
    assert device(1280, "group") < device(1280, "model") < device(1280, "none")


def needs(resident: int, activations: int, weights: int = 20) -> Estimate:
    return Estimate(
        (resident + activations) * GB, weights * GB, 0, weights * GB, resident * GB, activations * GB, ()
    )


def test_too_little_is_an_error_that_says_what_to_lower() -> None:
    with pytest.raises(GenerationFailed, match=r"30\.0 GB estimated, 16\.0 GB of Card") as error:
        estimate.check_memory(needs(20, 10), Machine(64 * GB, 64 * GB, 15 * GB, 16 * GB, "Card"))
    assert "--width" in error.value.hint and "offload" in error.value.hint
    with pytest.raises(GenerationFailed, match="of RAM") as error:
        estimate.check_memory(needs(20, 10), Machine(8 * GB, 16 * GB))
    assert "offload" not in error.value.hint


def test_offload_still_needs_ram() -> None:
    with pytest.raises(GenerationFailed, match="weights of 20"):
        estimate.check_memory(needs(2, 1), Machine(8 * GB, 16 * GB, 80 * GB, 80 * GB, "Card"))


def test_what_lies_within_the_error_is_a_warning() -> None:
    card = Machine(64 * GB, 64 * GB, 27 * GB, 28 * GB, "Card")
    (note,) = estimate.check_memory(needs(20, 10), card)
    assert "may be short" in note and "estimated" in note
    assert estimate.check_memory(needs(10, 5), card) == ()


def test_this_machine() -> None:
    here = estimate.detect_machine()
    assert here.ram is None or here.ram > 10**8


@pytest.mark.parametrize("data", [b"", b"short", struct.pack("<Q", 10**12), struct.pack("<Q", 5) + b"no{}!"])
def test_a_damaged_header(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "model.safetensors").write_bytes(data)
    with pytest.raises(GenerationFailed, match="not a safetensors file"):
        estimate.count_parameters(tmp_path)
