"""What the engines behind ``/v1/videos`` accept: one table with a row for each.

All have the calls of OpenAI's video API (create, retrieve, content, delete). They differ in the fields of
*create* and in how they answer it; that is all in here, as their own documents state it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from safegen.errors import UsageError
from safegen.types import Mode

OptionType: TypeAlias = Literal["number", "switch"]
ApiCall: TypeAlias = Literal["create", "edit", "extend"]
"""Which call of the client makes a clip: ``POST /videos``, ``/videos/edits``, ``/videos/extensions``."""

_DIFFUSION = MappingProxyType(
    {
        "fps": "fps",
        "seed": "seed",
        "steps": "num_inference_steps",
        "guidance": "guidance_scale",
        "negative_prompt": "negative_prompt",
        "num_frames": "num_frames",
    }
)
"""Our names and the ones that engines for diffusion models use for them."""


@dataclass(frozen=True)
class Engine:
    """How to talk to one engine.

    ``calls``: what each mode is asked by. ``fields``: our name -> its name (``nvext.fps`` lies in
    an object ``nvext``); what has no row cannot be asked of it. ``extra_options``: settings of its own that
    ``--option`` may give. Only numbers and switches are passed on: text or an address would go past the
    screening. ``body``: how *create* is sent (a picture or video always makes it a form, unless
    ``reference`` is ``data-url``). ``default_seconds``: sent when nothing is asked, where the engine would
    otherwise make a single frame.
    """

    name: str
    calls: Mapping[Mode, ApiCall]
    fields: Mapping[str, str] = field(default_factory=dict)
    extra_options: Mapping[str, OptionType] = field(default_factory=dict)
    body: Literal["form", "json"] = "form"
    json_only: frozenset[str] = frozenset()
    seconds: Literal["text", "number"] = "text"
    reference: Literal["file", "data-url"] = "file"
    reference_must_match_size: bool = False
    """The picture has to have the clip's own size."""
    synchronous: bool = False
    """*create* answers when the clip is made, with the clip in it."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    default_seconds: int | None = None
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def modes(self) -> frozenset[Mode]:
        """The modes it has a call for."""
        return frozenset(self.calls)


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        engine.name: engine
        for engine in (
            Engine(
                "openai",
                # openai-python 3.54: resources/videos.py and types/video_*_params.py
                {"text": "create", "image": "create", "edit": "edit", "extend": "extend"},
                reference_must_match_size=True,
            ),
            Engine(
                "sglang",
                # SGLang docs: sglang-diffusion/api/openai_api; its VideoGenerationsRequest and create_video
                {"text": "create", "image": "create"},
                fields=_DIFFUSION,
                extra_options=MappingProxyType(
                    {
                        "guidance_scale_2": "number",
                        "true_cfg_scale": "number",
                        "flow_shift": "number",
                        "enable_teacache": "switch",
                    }
                ),
                # The form of its older releases wants a picture and drops most fields.
                body="json",
                json_only=frozenset({"guidance_scale_2", "true_cfg_scale", "flow_shift"}),
                seconds="number",
            ),
            Engine(
                "vllm-omni",
                # vLLM-Omni docs: serving/videos_api; its VideoGenerationRequest
                {"text": "create", "image": "create", "edit": "create"},
                fields=_DIFFUSION,
                extra_options=MappingProxyType(
                    {
                        "guidance_scale_2": "number",
                        "true_cfg_scale": "number",
                        "flow_shift": "number",
                        "boundary_ratio": "number",
                        "generate_sound": "switch",
                        "sound_duration": "number",
                    }
                ),
                default_seconds=4,
                limits={"steps": (1, 200), "guidance": (0, 20)},
            ),
            Engine(
                "dynamo",
                # NVIDIA Dynamo docs: diffusion/text-to-video and image-to-video; its NvCreateVideoRequest
                {"text": "create", "image": "create"},
                fields=MappingProxyType({k: f"nvext.{v}" for k, v in _DIFFUSION.items()}),
                extra_options=MappingProxyType(
                    {"nvext.guidance_scale_2": "number", "nvext.boundary_ratio": "number"}
                ),
                body="json",
                seconds="number",
                reference="data-url",
                synchronous=True,
                constants=MappingProxyType({"response_format": "b64_json"}),
            ),
        )
    }
)

DEFAULT_ENGINE = ENGINES["openai"]
"""What is spoken to a server that does not say what it is."""

DEFAULT_FPS = 24
"""The frame rate that SGLang, vLLM-Omni and Dynamo take when none is asked for."""


def engine_by_name(name: str) -> Engine:
    """The row called *name*. Raises UsageError."""
    if name in ENGINES:
        return ENGINES[name]
    raise UsageError(f"there is no engine called {name!r}", hint=f"engines: {', '.join(ENGINES)}")


def detect_engine(models: Any, known: Engine = DEFAULT_ENGINE) -> tuple[Engine, tuple[str, ...]]:
    """Which engine answers ``GET .../models`` with *models* (parsed JSON), and the names it serves.

    vLLM, SGLang and Dynamo say ``owned_by``; SGLang Diffusion gives one object about the model it serves.
    Anything else is *known* and names nothing.
    """
    if not isinstance(models, Mapping):
        return known, ()
    if isinstance(models.get("model_path"), str) and ("task_type" in models or "pipeline_name" in models):
        return ENGINES["sglang"], (models["model_path"],)
    listed = models.get("data")
    rows = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    names = tuple(row["id"] for row in rows if isinstance(row.get("id"), str))
    owners = {str(row.get("owned_by")) for row in rows}
    for owner, name in (("vllm", "vllm-omni"), ("sglang", "sglang"), ("nvidia", "dynamo")):
        if owners == {owner}:
            return ENGINES[name], names
    return known, names
