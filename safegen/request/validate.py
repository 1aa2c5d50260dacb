"""Whether a request makes sense for its model, checked before anything is screened, read or spent."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from safegen.errors import UsageError
from safegen.request.settings import check_settings, setting_named
from safegen.types import Mode, Outlook, Request, Role, Shot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safegen.protocols import Generator
    from safegen.types import Condition

INPUT_ROLES: dict[Mode, tuple[tuple[Role, ...], tuple[Role, ...]]] = {
    "text": ((), ()),
    "image": (("first_frame",), ("last_frame",)),
    "edit": (("video",), ()),
    "extend": (("video",), ()),
    "extend_back": (("video",), ()),
    "loop": (("video",), ()),
    "blend": (("video", "next_video"), ()),
    "storyboard": ((), ()),
}
"""The inputs each way of working needs, and those it may have besides."""

MODE_LABELS: dict[Mode, str] = {
    "text": "make clips from words alone",
    "image": "start from a picture",
    "edit": "remix a clip",
    "extend": "extend a clip",
    "extend_back": "extend a clip backwards",
    "loop": "make a clip loop",
    "blend": "blend two clips",
    "storyboard": "follow a storyboard",
}
"""What a model that knows a way of working can do."""


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
        can = ", ".join(words for mode, words in MODE_LABELS.items() if mode in generator.modes)
        raise UsageError(
            f"the model {generator.name} cannot {MODE_LABELS[request.mode]}",
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


def check_shots(shots: tuple[Shot, ...], seconds: float | None = None) -> None:
    """Raise UsageError unless *shots* tell one story: from 0 on, in order, no two at once, none empty.

    *seconds* is how long the clip will be, where it is known: no shot may begin at or after its end.
    """
    if not shots:
        raise UsageError("the storyboard has no shots", hint="give at least one shot, starting at 0 seconds")
    for shot in shots:
        if not math.isfinite(shot.at) or shot.at < 0:
            raise UsageError(
                f"a shot cannot begin at {shot.at:g} s", hint="give the time in seconds from the start"
            )
        if not shot.prompt.strip():
            raise UsageError(f"the shot at {shot.at:g} s is empty", hint="describe what it should show")
    if shots[0].at > 0:
        raise UsageError(f"the first shot begins at {shots[0].at:g} s", hint="add a shot that begins at 0")
    for one, other in pairwise(shots):
        if one.at == other.at:
            raise UsageError(f"two shots begin at {one.at:g} s", hint="give each its own time")
        if one.at > other.at:
            raise UsageError("the shots are not in order", hint="sort them by their times")
    if seconds is not None and shots[-1].at >= seconds:
        raise UsageError(
            f"a shot begins at {shots[-1].at:g} s, but the clip is only {seconds:g} s long",
            hint="raise --seconds, or begin the shot earlier",
        )


def check_input_lengths(request: Request, conditions: Sequence[Condition]) -> None:
    """Raise UsageError where the inputs alone last as long as all of it should."""
    if request.seconds is None or request.mode not in ("extend", "extend_back", "loop", "blend"):
        return
    there = sum(c.clip.seconds for c in conditions if c.clip.count > 1)
    if there >= request.seconds:
        raise UsageError(
            f"the existing clip is already {there:.3g} s long",
            hint="raise --seconds, which is the length of the whole result, or omit it",
        )


def with_input_digests(request: Request, digests: tuple[str, ...]) -> Request:
    """*request* with the SHA-256 (hex) of each input, in order."""
    inputs = tuple(replace(i, sha256=d) for i, d in zip(request.inputs, digests, strict=True))
    return replace(request, inputs=inputs)


def _check_inputs(request: Request) -> None:
    """Exactly what the way of working is about, nothing twice."""
    required, optional = INPUT_ROLES[request.mode]
    roles = [i.role for i in request.inputs]
    missing = [r for r in required if r not in roles]
    if missing:
        raise UsageError(f"an input is missing: {missing[0].replace('_', ' ')}", hint="give its file")
    extra = [r for r in roles if r not in (*required, *optional) or roles.count(r) > 1]
    if extra:
        raise UsageError(
            f"too many inputs: there is no use here for another {extra[0].replace('_', ' ')}",
            hint=f"to {MODE_LABELS[request.mode]} takes " + (" and ".join((*required, *optional)) or "none"),
        )


def _models_supporting(mode: Mode) -> str:
    """Which models with a name know *mode*."""
    from safegen.generators.presets import PRESETS
    from safegen.generators.registry import embedded_names, find_generator

    able = [name for name in (*embedded_names(), *PRESETS) if mode in find_generator(name).modes]
    return f"these models can: {', '.join(able)}" if able else "no model known to safegen by name can"
