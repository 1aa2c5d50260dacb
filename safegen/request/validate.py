"""Whether a request makes sense for its model, checked before anything is screened, read or spent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safegen.errors import UsageError
from safegen.generators.modes import MODES, already_as_long, check_required_inputs, check_shots
from safegen.request.settings import check_settings, setting_named
from safegen.types import Mode, Outlook, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safegen.protocols import Generator
    from safegen.types import Condition


def check_request(request: Request, generator: Generator) -> Outlook:
    """What *generator* would make of *request*. Nothing is loaded and no input is opened.

    Raises UsageError: settings of the wrong kind or out of range, a way of working the model does not know
    (naming models that do), inputs that are missing or too many, a strength without a remix, a storyboard
    that makes no sense, sizes the model cannot make.
    """
    # Fractions of whole numbers are refused where settings come in (request.build, api); a recorded request,
    # which may have them, comes through here.
    check_settings(vars(request), recorded=True)
    _check_inputs(request)
    if request.mode not in generator.modes:
        can = ", ".join(spec.label for mode, spec in MODES.items() if mode in generator.modes)
        raise UsageError(
            f"the model {generator.name} cannot {MODES[request.mode].label}",
            hint=f"{f'it can {can}; ' if can else ''}{_models_supporting(request.mode)}",
        )
    if request.strength is not None and request.mode != "edit":
        raise UsageError("only a remix accepts a strength", hint="omit it")
    outlook = generator.outlook(request)
    if request.mode == "storyboard":
        check_shots(request.shots, request.seconds)  # left open, the clip is as long as its shots need
        longest = setting_named("seconds").most
        if outlook.seconds is not None and longest is not None and outlook.seconds > longest:
            raise UsageError(
                f"the storyboard is {outlook.seconds:.6g} s long",
                hint=f"the limit is {longest:g} s: begin the shots earlier",
            )
    elif request.shots:
        raise UsageError("only a storyboard has shots", hint="use `safegen storyboard`")
    return outlook


def check_input_lengths(request: Request, conditions: Sequence[Condition]) -> None:
    """Raise UsageError where the inputs alone last as long as all of it should."""
    if request.seconds is None or not MODES[request.mode].counts_inputs:
        return
    there = sum(c.clip.seconds for c in conditions if c.clip.count > 1)
    if there >= request.seconds:
        raise already_as_long(there)


def with_input_digests(request: Request, digests: tuple[str, ...]) -> Request:
    """*request* with the SHA-256 (hex) of each input, in order."""
    inputs = tuple(replace(i, sha256=d) for i, d in zip(request.inputs, digests, strict=True))
    return replace(request, inputs=inputs)


def _check_inputs(request: Request) -> None:
    """Exactly what the way of working is about, nothing twice."""
    spec, roles = MODES[request.mode], [i.role for i in request.inputs]
    check_required_inputs(request.mode, roles)
    known = (*spec.required, *spec.optional)
    extra = [r for r in roles if r not in known or roles.count(r) > 1]
    if extra:
        raise UsageError(
            f"too many inputs: there is no use here for another {extra[0].replace('_', ' ')}",
            hint=f"to {spec.label} takes {' and '.join(known) or 'none'}",
        )


def _models_supporting(mode: Mode) -> str:
    """Which models with a name know *mode*."""
    from safegen.generators.diffusers.generator import presets_supporting
    from safegen.generators.registry import embedded_names, find_generator

    embedded = [name for name in embedded_names() if mode in find_generator(name).modes]
    able = [*embedded, *presets_supporting(mode)]
    return f"these models can: {', '.join(able)}" if able else "no model known to safegen by name can"
