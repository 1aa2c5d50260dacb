"""Pipelines without a file of their own: called as their class specifies, with the arguments it accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from safegen.generators.diffusers import introspection
from safegen.generators.diffusers.families._base import Ability, Family, Native, Part, pictures

if TYPE_CHECKING:
    from safegen.generators.diffusers.model_config import Facts
    from safegen.types import Mode

_STAGES = re.compile(
    r"Control|Inpaint|Upsample|Transfer|TextToImage|SRPipeline|DiffusionDecode|HDR|InContext|DFR|"
    r"ForcingVideoToVideo|LongMultiPrompt|ConsisID|SanaWM"
)
"""Classes that want more than words, a picture or a clip (masks, controls, faces, another stage's latents),
or make something else of them than any way of working means."""
_FROM_PICTURE = re.compile(r"ImageToVideo|Image2Video|(?<!T)I2V|VideoToWorld|StableVideoDiffusion")
_FEWEST = {"Kandinsky5I2VPipeline": 17}
"""It compares the first four latent frames with those that follow: there must be some."""
_RATE = ("frame_rate", "fps", "target_fps")
_SOUND = frozenset({"enable_sound", "sample_audio"})


class Generic(Family):
    """Any diffusers video pipeline that has no file of its own here.

    What it can do, its sizes and its frame rate are read from the class's source, the rules for other sizes
    and counts from there and from its parts' configurations.
    """

    name = "generic"

    def native(self, facts: Facts) -> Native:
        """Default sizes and rules; where the transformer counts its frames, it makes these only."""
        frames = facts.config("transformer", "video_length")
        side = facts.config("transformer", "sample_size")
        if isinstance(frames, int) and isinstance(side, int):
            return Native(8 * side, 8 * side, frames, fixed=True)
        call = introspection.call(facts.pipeline)
        if call is None:
            return Native()
        return Native(
            call.number("width") or None,
            call.number("height") or None,
            call.number("num_frames", "frames", "video_length"),
            call.number(*_RATE) or call.rate or 24,
            max(16, call.side or 0),
            _time_scale(facts),
            least=_FEWEST.get(facts.pipeline, 1),
            timed=bool(call.names.intersection(_RATE)),
        )

    def abilities(self, facts: Facts) -> frozenset[Ability]:
        """What the arguments of its call allow; nothing where it wants what no way of working has."""
        name, call = facts.pipeline, introspection.call(facts.pipeline)
        if _STAGES.search(name) or (call and call.required - {"prompt", "image", "video"}):
            return frozenset()
        if _FROM_PICTURE.search(name) or (call and "image" in call.required):
            return frozenset({"first", "both"} if call and "last_image" in call.names else {"first"})
        if "VideoToVideo" in name or (call and "video" in call.required):
            return frozenset({"edit"})
        return frozenset({"text", "first"} if call and "image" in call.names else {"text"})

    def modes(self, facts: Facts) -> frozenset[Mode]:
        """Without words there are no shots to tell."""
        can = super().modes(facts)
        return can if _takes(facts, "prompt") else can - {"storyboard"}

    def notes(self, facts: Facts) -> tuple[str, ...]:
        """That words do not count, or that sound is lost."""
        notes = []
        if not _takes(facts, "prompt"):
            notes.append(f"{facts.pipeline} ignores words: the prompt is only screened and recorded")
        call = introspection.call(facts.pipeline)
        if call and _SOUND & call.names:
            notes.append("any sound this pipeline makes is discarded")
        return tuple(notes)

    def tiled(self, facts: Facts) -> bool:
        """Allegro's autoencoder."""
        return facts.pipeline == "AllegroPipeline"

    def defaults(self, facts: Facts, fps: int) -> dict[str, Any]:
        """The frame rate, where it is an argument; what some pipelines cannot do without."""
        call = introspection.call(facts.pipeline)
        given: dict[str, Any] = {name: fps for name in _RATE if call and name in call.names}
        if call and "use_resolution_binning" in call.names:
            given["use_resolution_binning"] = False  # it would make another size than was said
        if facts.pipeline.startswith("EasyAnimate"):
            given["negative_prompt"] = ""  # it fails without one
        return given | {name: False for name in _SOUND if call and name in call.names}

    def conditioning(self, pipe: Any, part: Part) -> dict[str, Any]:
        """The clip to work on without a strength, where the call has none."""
        if part.source is not None and not _takes_strength(pipe):
            return {"video": pictures(part.source)}
        return super().conditioning(pipe, part)


def _takes(facts: Facts, name: str) -> bool:
    call = introspection.call(facts.pipeline)
    return call is None or name in call.names


def _takes_strength(pipe: Any) -> bool:
    call = introspection.call(type(pipe).__name__)
    return call is None or "strength" in call.names


def _time_scale(facts: Facts) -> int:
    """How many frames one latent frame stands for."""
    for name in ("scale_factor_temporal", "temporal_compression_ratio"):
        value = facts.config("vae", name)
        if isinstance(value, int) and value > 0:
            return value
    return 4
