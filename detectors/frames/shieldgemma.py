"""Nudity, gore and dangerous content, by ShieldGemma 2 (``google/shieldgemma-2-4b-it``, Gemma licence).

The model answers yes or no for each of its three policies; the probability of yes is the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.logs import logger, waiting
from safegen._util.model_loading import loading_alone
from safegen.detectors.frames import _weights
from safegen.detectors.frames._classifier import ClassifierCheck
from safegen.detectors.frames._hub import device, libraries
from safegen.errors import CheckUnavailable

if TYPE_CHECKING:
    from safegen.protocols import FrameDetector
    from safegen.types import Frame

_log = logger(__name__)

SOURCE = "google/shieldgemma-2-4b-it"
POLICIES = {"sexual": "nudity", "violence": "violence", "dangerous": "dangerous"}
"""The model's policies and our categories."""
REASONS = {
    "nudity": "looks like sexual content",
    "violence": "looks like gore or violence",
    "dangerous": "looks like dangerous content",
}


class ShieldGemma:
    """The loaded model."""

    batch = 4

    @loading_alone
    @waiting(_log, "ShieldGemma to load")
    def __init__(self, place: Path) -> None:
        """Load from the folder *place*."""
        torch, transformers = libraries(place)
        self._torch = torch
        self.device, kind = device(torch)
        if self.device == "cuda":
            kind = torch.bfloat16  # Gemma 3 overflows in half precision
        self._processor = transformers.AutoProcessor.from_pretrained(place, local_files_only=True)
        model = transformers.ShieldGemma2ForImageClassification.from_pretrained(
            place, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=kind
        )
        self._model = model.to(self.device).eval()
        self.version = f"{SOURCE}@{place.name[:12]}"
        self.digest = _weights.digest(place)

    def scores(self, pictures: Sequence[Frame]) -> Sequence[Mapping[str, float]]:
        """Probability of yes for every policy."""
        from PIL import Image

        images = [Image.fromarray(p) for p in pictures]
        inputs = self._processor(images=images, policies=list(POLICIES), return_tensors="pt")
        with self._torch.inference_mode():
            out = self._model(**inputs.to(self.device)).probabilities.float().cpu().numpy()
        rows = out.reshape(len(images), len(POLICIES), 2)[:, :, 0]
        return [dict(zip(POLICIES.values(), map(float, row), strict=True)) for row in rows]


@loading_alone
@lru_cache(maxsize=1)
def _opened(place: Path) -> ShieldGemma:
    return ShieldGemma(place)


def load() -> ShieldGemma:
    """The model from its folder. Raises CheckAbsent, CheckUnavailable."""
    place = _weights.folder("shieldgemma", SOURCE, needs="config.json")
    try:
        return _opened(place)
    except CheckUnavailable:
        raise
    except Exception as error:
        raise CheckUnavailable(f"ShieldGemma in {place.name} cannot be loaded: {error}") from error


def create() -> FrameDetector:
    """The plug-in."""
    return ClassifierCheck("shieldgemma", load, REASONS)
