"""Names of the files beside a video."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = {
    "captions": ".captions.vtt",
    "descriptions": ".descriptions.vtt",
    "chapters": ".chapters.vtt",
    "transcript": ".transcript.html",
}
"""What follows the video's name without its own suffix."""


def names(video: str) -> dict[str, str]:
    """File names by kind, for a *video* of that name: ``clip.mp4`` has ``clip.captions.vtt``."""
    return {kind: Path(video).stem + suffix for kind, suffix in SUFFIXES.items()}
