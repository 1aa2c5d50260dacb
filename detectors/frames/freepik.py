"""Nudity, by ``Freepik/nsfw_image_detector`` (EVA-02 through timm, MIT).

Of its labels ``neutral``, ``low``, ``medium`` and ``high`` the last two count as nudity.
"""

from __future__ import annotations

from safegen.detectors.frames._classifier import ClassifierCheck
from safegen.detectors.frames._hub import label_model
from safegen.protocols import FrameDetector

SOURCE = "Freepik/nsfw_image_detector"
LABELS = {"nudity": ("medium", "high")}


def create() -> FrameDetector:
    """The plug-in."""
    return ClassifierCheck(
        "freepik", lambda: label_model("freepik", SOURCE, LABELS), {"nudity": "looks like nudity"}
    )
