"""Nudity, by ``Falconsai/nsfw_image_detection`` (ViT, Apache-2.0): labels ``normal`` and ``nsfw``."""

from __future__ import annotations

from safegen.detectors.frames._classifier import ClassifierCheck
from safegen.detectors.frames._hub import label_model
from safegen.protocols import FrameDetector

SOURCE = "Falconsai/nsfw_image_detection"
LABELS = {"nudity": ("nsfw",)}


def create() -> FrameDetector:
    """The plug-in."""
    return ClassifierCheck(
        "falconsai", lambda: label_model("falconsai", SOURCE, LABELS), {"nudity": "looks like nudity"}
    )
