"""Known models and how each wants to be called.

Sizes, steps and guidance are starting points for these pipelines, not yet run here: none of these models
can be loaded without a hub. Any of them can be overridden by the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """How to call one pipeline.

    ``source`` is a folder or a hub id; ``revision`` a tag or commit. ``width``, ``height`` (pixels),
    ``frames`` and ``fps`` are native; ``None`` leaves the choice to the pipeline. ``frames`` counts must be
    ``1`` more than a multiple of ``frame_step``. ``options`` go to the pipeline's call as they are.
    """

    name: str
    source: str
    summary: str
    licence: str = ""
    revision: str | None = None
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: int = 24
    frame_step: int = 4
    steps: int | None = None
    guidance: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    terms: str = ""

    def describe(self) -> dict[str, Any]:
        """Row of the catalogue."""
        size = f"{self.width}x{self.height}" if self.width else "the pipeline's own"
        return {
            "name": self.name,
            "summary": self.summary,
            "source": self.source,
            "licence": self.licence,
            "size": size,
            "frames": self.frames,
            "fps": self.fps,
            "steps": self.steps,
            "guidance": self.guidance,
        }


def custom(source: str) -> Preset:
    """Preset of a pipeline nobody described: the pipeline's own defaults."""
    location, _, revision = source.partition("@")
    return Preset(location, location, "a diffusers video pipeline", revision=revision or None)


PRESETS: dict[str, Preset] = {
    p.name: p
    for p in (
        Preset(
            "wan2.1-1.3b",
            "Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
            "Wan 2.1 text-to-video, 1.3 B",
            "Apache-2.0",
            width=832,
            height=480,
            frames=81,
            fps=16,
            steps=50,
            guidance=5.0,
        ),
        Preset(
            "wan2.2-5b",
            "Wan-AI/Wan2.2-TI2V-5B-Diffusers",
            "Wan 2.2 text-to-video, 5 B",
            "Apache-2.0",
            width=1280,
            height=704,
            frames=121,
            fps=24,
            steps=50,
            guidance=5.0,
        ),
        Preset(
            "cogvideox-2b",
            "zai-org/CogVideoX-2b",
            "CogVideoX text-to-video, 2 B",
            "Apache-2.0",
            width=720,
            height=480,
            frames=49,
            fps=8,
            frame_step=8,
            steps=50,
            guidance=6.0,
        ),
        Preset(
            "mochi-1",
            "genmo/mochi-1-preview",
            "Mochi 1 text-to-video, 10 B",
            "Apache-2.0",
            width=848,
            height=480,
            frames=85,
            fps=30,
            frame_step=6,
            steps=64,
            guidance=4.5,
        ),
    )
}
