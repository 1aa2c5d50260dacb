"""What a pipeline's class shows that it cannot do, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safegen.errors import UsageError
from safegen.generators.diffusers import introspection
from safegen.generators.diffusers.call import check_call_options

if TYPE_CHECKING:
    from safegen.generators.diffusers.families import Family
    from safegen.generators.diffusers.model_config import PipelineConfig
    from safegen.types import Request


def check_request_supported(
    family: Family, facts: PipelineConfig, request: Request, call_options: Mapping[str, Any]
) -> None:
    """Raise UsageError for a setting the pipeline does not accept, or for a missing picture it needs.

    *rest*: options that go to its call by name. They are screened as well.
    """
    one_end = request.mode == "image" and {i.role for i in request.inputs} == {"first_frame"}
    if one_end and "first" not in family.abilities(facts):
        raise UsageError("this model also needs a last picture", hint="--last-image FILE")
    asked = {
        "num_inference_steps": ("steps", request.steps),
        "negative_prompt": ("negative-prompt", request.negative_prompt),
        "strength": ("strength", request.strength if request.mode == "edit" else None),
        "width": ("width", request.width),
        "height": ("height", request.height),
    }
    asked = {argument: said for argument, said in asked.items() if said[1]}
    if not call_options and not asked:
        return
    calls = [introspection.call_signature(name) for name in (facts.pipeline, *family.views.values())]
    names = frozenset[str]().union(*(c.parameters for c in calls if c))
    check_call_options(facts.pipeline, names, call_options)
    for argument, (option, _) in asked.items():
        if names and argument not in names and not _has_alias(argument, names):
            raise UsageError(
                f"{facts.pipeline} does not accept {option.replace('-', ' ')}", hint=f"omit --{option}"
            )


def _has_alias(argument: str, names: frozenset[str]) -> bool:
    """Whether the argument goes by another name."""
    return argument == "strength" and "denoise_strength" in names
