"""What every family of pipelines has in common, and what each may override."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from safegen.generators.modes import MODES, Ability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safegen.generators.diffusers.model_config import PipelineConfig
    from safegen.types import Mode

    Frames: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class NativeFormat:
    """What a pipeline makes: default size (pixels), frames and rate, and the rules for others.

    Sides are multiples of ``side``; frame counts are ``first`` plus a multiple of ``step``, at least
    ``least``. ``fixed``: no other size or count than the default. ``timed``: the frame rate is an argument of
    the call.
    """

    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: int = 24
    side: int = 16
    step: int = 4
    first: int = 1
    least: int = 1
    fixed: bool = False
    timed: bool = False


@dataclass(frozen=True)
class PipelineCall:
    """One call of a pipeline: what it begins with, ends with or works on, as frames (n, h, w, 3) uint8."""

    prompt: str
    width: int
    height: int
    frames: int
    seed: int
    start: Frames | None = None
    end: Frames | None = None
    source: Frames | None = None
    strength: float = 1.0

    @property
    def ability(self) -> Ability:
        """What this call asks of the pipeline."""
        if self.source is not None:
            return "edit"
        if self.start is not None and self.end is not None:
            return "both"
        if self.start is not None:
            return "first"
        return "text" if self.end is None else "last"


class Family:
    """A family of pipelines that are called alike: what the files of the families leave unsaid."""

    prefixes: tuple[str, ...] = ()
    """Class names of pipelines begin with one of these."""
    views: ClassVar[dict[Ability, str]] = {}
    """Pipeline classes made from the same parts, by what they can do."""

    def native(self, config: PipelineConfig) -> NativeFormat:
        """Default sizes and rules."""
        return NativeFormat()

    def abilities(self, config: PipelineConfig) -> frozenset[Ability]:
        """What one call of the pipeline can do."""
        return frozenset({"text"})

    def modes(self, config: PipelineConfig) -> frozenset[Mode]:
        """The modes these abilities allow."""
        can = self.abilities(config)
        pictures = {"image"} if "both" in can else set()
        return frozenset(mode for mode, spec in MODES.items() if spec.ability in can or mode in pictures)

    def notes(self, config: PipelineConfig) -> tuple[str, ...]:
        """What a user should know before using it."""
        return ()

    def dtypes(self, config: PipelineConfig, dtype: str) -> dict[str, str]:
        """Number format by part on a GPU; ``default`` for the rest."""
        return {"default": dtype}

    def needs_tiling(self, config: PipelineConfig) -> bool:
        """Whether its autoencoder decodes piece by piece only."""
        return False

    def defaults(self, config: PipelineConfig, fps: int) -> dict[str, Any]:
        """Arguments of the call that differ from the pipeline's own defaults."""
        return {}

    def set_guidance(self, pipe: Any, guidance: float) -> bool:
        """Set the guidance of a pipeline whose call has no such argument; False: it has none at all."""
        guider = getattr(pipe, "guider", None)
        if guider is None or not hasattr(guider, "guidance_scale"):
            return False
        pipe.guider = guider.new(guidance_scale=guidance)
        return True

    def pipeline_for(self, pipe: Any, ability: Ability) -> Any:
        """The pipeline to call for *ability*: itself, or another class around the same parts."""
        name = self.views.get(ability)
        if name is None or type(pipe).__name__ == name:
            return pipe
        return rewrap_pipeline(pipe, name)

    def conditioning(self, pipe: Any, call: PipelineCall) -> dict[str, Any]:
        """Arguments that carry the call's pictures."""
        if call.source is not None:
            return {"video": to_pil(call.source), "strength": call.strength}
        given: dict[str, Any] = {}
        if call.start is not None:
            given["image"] = to_pil(call.start)[-1]
        if call.end is not None:
            given["last_image"] = to_pil(call.end)[0]
        return given


def rewrap_pipeline(pipe: Any, name: str) -> Any:
    """A pipeline of class *name* around the same loaded parts: no copy, nothing converted.

    (``from_pipe`` would convert every part to float32 unless told otherwise.)
    """
    import inspect

    import diffusers

    cls = getattr(diffusers, name)
    parameters = set(inspect.signature(cls.__init__).parameters)
    parts = {k: v for k, v in pipe.components.items() if k in parameters}
    config = {
        k: v
        for k, v in pipe.config.items()
        if k in parameters and k not in parts and not isinstance(v, tuple)
    }
    rewrapped = cls(**parts, **{k: v for k, v in config.items() if not k.startswith("_")})
    rewrapped.set_progress_bar_config(disable=True)
    return rewrapped


def to_pil(frames: Frames | Sequence[Any]) -> list[Any]:
    """Frames as the PIL pictures that pipelines take."""
    from PIL import Image

    return [Image.fromarray(np.ascontiguousarray(f)) for f in frames]
