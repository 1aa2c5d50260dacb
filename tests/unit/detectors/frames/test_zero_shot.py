"""Zero-shot reading on tiny random CLIP and SigLIP checkpoints: the whole loading path, in safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen.detectors.frames import zero_shot
from safegen.errors import CheckUnavailable
from safegen.types import Clip

QUESTIONS = {"wealth": {"poor": "a poor room", "rich": "a rich room"}}


def checkpoint(kind: str, folder: Path) -> Path:
    """A model of a few thousand random weights, saved as the hub would have it."""
    transformers = pytest.importorskip("transformers")
    from tests.support.pipelines.text_encoders import tokenizer

    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**size, "vocab_size": 128, "max_position_embeddings": 32, "eos_token_id": 1}
    vision = {**size, "image_size": 32, "patch_size": 16}
    if kind == "clip":
        config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
        model, pictures = transformers.CLIPModel(config), transformers.CLIPImageProcessor
    else:
        text["projection_size"] = 16
        config = transformers.SiglipConfig(text_config=text, vision_config=vision)
        model, pictures = transformers.SiglipModel(config), transformers.SiglipImageProcessor
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    size_32 = {"shortest_edge": 32} if kind == "clip" else {"height": 32, "width": 32}
    pictures(size=size_32, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def clip(frames: int = 10) -> Clip:
    rng = np.random.default_rng(1)
    return Clip.from_array(rng.integers(0, 256, (frames, 48, 48, 3)).astype(np.uint8), 10)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_any_clip_or_siglip_model_is_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("SAFEGEN_ZERO_SHOT", str(checkpoint(kind, tmp_path)))
    reader = zero_shot.create().prepare(QUESTIONS)
    (found,), ran = reader.run(clip())
    assert found.name == "wealth"
    assert set(found.probabilities) == {"poor", "rich", "unknown"}
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert ran.digest is not None and len(ran.digest) == 64
    again, _ = reader.run(clip())
    assert again[0].probabilities == found.probabilities


def test_absent_or_wrong_models_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEGEN_ZERO_SHOT", str(tmp_path))
    with pytest.raises(CheckUnavailable, match="SAFEGEN_ZERO_SHOT"):
        zero_shot.create().prepare(QUESTIONS)
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(CheckUnavailable, match="cannot be loaded"):
        zero_shot.create().run(clip())


class Fixed:
    """Logits that are given: what the answers are made of them is ours."""

    version, digest = "fixed", None

    def __init__(self, *logits: float) -> None:
        self.logits = logits

    def similarities(self, pictures: Any, texts: Any) -> np.ndarray:
        assert list(texts) == ["a poor room", "a rich room", zero_shot.NOBODY]
        return np.tile(self.logits, (len(pictures), 1)).astype(float)


@pytest.mark.parametrize(
    ("logits", "value"),
    [((1.0, 9.0, 1.0), "rich"), ((1.0, 1.2, 0.0), "unknown"), ((1.0, 1.0, 9.0), "unknown")],
)
def test_unsure_or_empty_pictures_are_unknown(logits: tuple[float, ...], value: str) -> None:
    reader = zero_shot.ZeroShot(QUESTIONS)
    reader._model = Fixed(*logits)  # type: ignore[assignment]
    (found,), _ = reader.run(clip())
    assert found.value == value
    assert sum(found.probabilities.values()) == pytest.approx(1)


def test_numbers_that_are_none_are_no_answer() -> None:
    reader = zero_shot.ZeroShot(QUESTIONS)
    reader._model = Fixed(float("nan"), 1.0, 1.0)  # type: ignore[assignment]
    with pytest.raises(CheckUnavailable):
        reader.run(clip())
