"""Which arguments a pipeline's call may have: those of a request, those by name, and those nobody may set."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from safegen.errors import UsageError
from safegen.generators.diffusers import introspection
from safegen.generators.diffusers.options import OPTION_NAMES, split_options

if TYPE_CHECKING:
    from safegen.generators.diffusers.families import Family
    from safegen.generators.diffusers.loading import LoadedPipeline
    from safegen.generators.diffusers.model_config import PipelineConfig
    from safegen.generators.presets import Preset
    from safegen.types import Request

_RESERVED_ARGUMENTS = {
    "self": "",
    "generator": "--seed",
    "output_type": "",
    "return_dict": "",
    "height": "--height",
    "width": "--width",
    "num_frames": "--seconds",
    "video_length": "--seconds",
    "num_inference_steps": "--steps",
    "guidance_scale": "--guidance",
    "frame_rate": "--fps",
    "fps": "--fps",
    "target_fps": "--fps",
    "frames": "--seconds",
    **{name: f"--{name}" for name in ("seed", "steps", "guidance", "seconds", "size")},
    "num_videos_per_prompt": "",
    "strength": "--strength",
    "denoise_strength": "--strength",
    "image": "an input",
    "last_image": "an input",
    "video": "an input",
    "conditions": "an input",
}
"""Arguments safegen fills in itself, and what a user gives instead."""
_UNSCREENED_PREFIXES = ("prompt", "negative_prompt", "latents", "image_", "callback", "pooled_", "system_")
"""Arguments that would bring in words or pictures that nobody screened."""
_SAFETY_ARGUMENTS = frozenset({"enable_safety_check", "safety_checker"})
"""Arguments that switch off what a model's makers check."""


def call_parameters(pipe: Any) -> frozenset[str]:
    """Names of the arguments of a pipeline's call."""
    return frozenset(inspect.signature(type(pipe).__call__).parameters)


def check_call_options(pipeline: str, names: Collection[str], options: Mapping[str, Any]) -> None:
    """Raise UsageError for an option that is none of a pipeline's *names* (none known: any is).

    And for those that safegen sets itself or that would bring in what nobody screened. Of no option may the
    value be text: an argument that takes words goes past the screens.
    """
    for name, value in options.items():
        if name in _RESERVED_ARGUMENTS:
            instead = _RESERVED_ARGUMENTS[name]
            raise UsageError(
                f"{name!r} is not an option", hint=f"use {instead}" if instead else "safegen sets it itself"
            )
        if name in _SAFETY_ARGUMENTS:
            raise UsageError(f"{name!r} is not an option", hint="a model's own checks cannot be switched off")
        if name.startswith(_UNSCREENED_PREFIXES):
            raise UsageError(
                f"{name!r} is not an option",
                hint="use safegen's own arguments: words and pictures must pass the screens first",
            )
        if names and name not in names:
            raise UsageError(f"{pipeline} has no option {name!r}", hint=_suggestion(name, names))
        if _contains_text(value):
            raise UsageError(
                f"option {name!r} cannot be text: {value!r}",
                hint="give numbers, true or false, or lists of them; text must pass the screens first",
            )


def _contains_text(value: Any) -> bool:
    """Whether there is text in a value, however deep."""
    if isinstance(value, Mapping):
        return any(map(_contains_text, value.values()))
    return any(map(_contains_text, value)) if isinstance(value, list | tuple) else isinstance(value, str)


def build_call_arguments(pipe: Any, values: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """*values*, and the *options* given by name, as far as the pipeline's call takes it.

    Raises UsageError for an option that it does not take, and as ``check_call_options`` does.
    """
    names = call_parameters(pipe)
    check_call_options(type(pipe).__name__, names, options)
    return {k: v for k, v in {**values, **options}.items() if k in names}


def _suggestion(name: str, names: Iterable[str]) -> str:
    """What to write in place of an option that is not there."""
    near = difflib.get_close_matches(name, [*OPTION_NAMES, *names], n=1)
    own = (
        f"safegen's own options are {', '.join(OPTION_NAMES)}; for the rest, see the pipeline's documentation"
    )
    return f"did you mean {near[0]}?" if near else own


def check_request_supported(
    family: Family, config: PipelineConfig, request: Request, call_options: Mapping[str, Any]
) -> None:
    """Raise UsageError for a setting the pipeline does not accept, or for a missing picture it needs.

    *call_options*: options that go to its call by name. They are screened as well.
    """
    one_end = request.mode == "image" and {i.role for i in request.inputs} == {"first_frame"}
    if one_end and "first" not in family.abilities(config):
        raise UsageError("this model also needs a last picture", hint="--last-image FILE")
    settings = {
        "num_inference_steps": ("steps", request.steps),
        "negative_prompt": ("negative-prompt", request.negative_prompt),
        "strength": ("strength", request.strength if request.mode == "edit" else None),
        "width": ("width", request.width),
        "height": ("height", request.height),
    }
    given = {argument: option for argument, option in settings.items() if option[1]}
    if not call_options and not given:
        return
    calls = [introspection.call_signature(name) for name in (config.pipeline, *family.views.values())]
    names = frozenset[str]().union(*(c.parameters for c in calls if c))
    check_call_options(config.pipeline, names, call_options)
    for argument, (option, _) in given.items():
        if names and argument not in names and not _has_alias(argument, names):
            raise UsageError(
                f"{config.pipeline} does not accept {option.replace('-', ' ')}", hint=f"omit --{option}"
            )


def _has_alias(argument: str, names: frozenset[str]) -> bool:
    """Whether the argument goes by another name."""
    return argument == "strength" and "denoise_strength" in names


def call_arguments(
    preset: Preset, request: Request, pipe: Any, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Arguments of the pipeline's call: the request's, else the preset's, else the pipeline's own.

    *extra* comes before the preset: sizes that were settled, a family's defaults. Raises UsageError for
    what the pipeline does not take.
    """
    _, rest = split_options(request.options)
    values: dict[str, Any] = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt or None,
        "width": request.width or preset.width,
        "height": request.height or preset.height,
        "num_frames": preset.frames,
        "num_inference_steps": request.steps or preset.steps,
        "guidance_scale": preset.guidance if request.guidance is None else request.guidance,
        **(extra or {}),
        **preset.options,
    }
    values["negative_prompt"] = request.negative_prompt or values["negative_prompt"]
    if "num_frames" not in call_parameters(pipe):
        values["video_length"] = values["frames"] = values["num_frames"]
    taken = {k: v for k, v in values.items() if v is not None}
    return build_call_arguments(pipe, taken, rest)


def recorded_settings(arguments: dict[str, Any], loaded: LoadedPipeline) -> dict[str, Any]:
    """Every setting that shaped the clip, except prompts, which do not belong in a public record."""
    hidden = ("prompt", "negative_prompt", "output_type")
    public = {k: v for k, v in arguments.items() if k not in hidden and _is_recordable(v)}
    where = {"pipeline": type(loaded.pipe).__name__, "device": loaded.device}
    return {**public, **where, **loaded.details}


def _is_recordable(value: Any) -> bool:
    """Whether a value can stand in a record: numbers, texts, switches, and lists of them."""
    if isinstance(value, list | tuple):
        return all(_is_recordable(v) for v in value)
    return value is None or isinstance(value, str | int | float | bool)
