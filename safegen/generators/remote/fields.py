"""Turns a request into the fields of *create*, *edit* or *extend*, by the table of engines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safegen.errors import UsageError
from safegen.generators.remote.engines import DEFAULT_FPS, ENGINES, Engine
from safegen.types import Request

_FLAGS = {"fps": "fps", "steps": "steps", "guidance": "guidance", "negative_prompt": "negative-prompt"}


def check_mode(engine: Engine, request: Request) -> None:
    """Raise UsageError for a mode that *engine* has no call for."""
    if request.mode not in engine.calls:
        why = (
            "a remix over /v1/videos needs the id of a clip made by this server"
            if request.mode == "edit"
            else "its /v1/videos API has no call for it"
        )
        raise UsageError(
            f"the engine {engine.name} cannot do {request.mode!r}: {why}",
            hint=f"it can do: {', '.join(sorted(engine.calls))}",
        )
    if any(i.role == "last_frame" for i in request.inputs):
        raise UsageError(
            f"the engine {engine.name} does not accept a last picture",
            hint="omit it; a first picture is accepted",
        )
    if request.strength is not None:
        raise UsageError(f"the engine {engine.name} has no field for --strength", hint="omit it")


def request_fields(
    engine: Engine, request: Request, extras: Mapping[str, Any], source_seconds: float = 0.0
) -> tuple[dict[str, Any], list[str]]:
    """The fields of the call besides prompt, model and reference, and notes on what cannot be asked.

    *extras* are the engine's own settings; *source_seconds* is how long the clip to go on from lasts.
    Raises UsageError for a setting that *engine* has no field for, or that it would round.
    """
    check_mode(engine, request)
    call = engine.calls[request.mode]
    sent: dict[str, Any] = dict(engine.constants)
    notes: list[str] = []
    for name, value in _named_settings(engine, request).items():
        _set_field(sent, engine.fields[name], value)
    if "seed" not in engine.fields:
        notes.append(f"the engine {engine.name} does not accept a seed: the same clip cannot be made again")
    elif call == "create":
        _set_field(sent, engine.fields["seed"], request.seed)
    form = engine.body == "form" or (bool(request.inputs) and engine.reference == "file")
    own: dict[str, Any] = {
        _engine_option_name(engine, name, form=form): value for name, value in extras.items()
    }
    for name, value in own.items():
        _set_field(sent, name, _check_option_value(engine, name, value))
    if call == "create":
        sent |= _size(engine, request)
        if engine.fields.get("num_frames") not in own:
            _length(engine, request, sent)
    else:
        _check_source_size(engine, request)
    if call == "extend":
        more = _extension_seconds(request, source_seconds)
        sent["seconds"] = str(more)
    return sent, notes


def _named_settings(engine: Engine, request: Request) -> dict[str, Any]:
    """What was asked for by name, checked to have a field and to be in its range."""
    requested: dict[str, Any] = {
        "fps": request.fps,
        "steps": request.steps,
        "guidance": request.guidance,
        "negative_prompt": request.negative_prompt or None,
    }
    given = {name: value for name, value in requested.items() if value is not None}
    for name, value in given.items():
        if name not in engine.fields:
            raise UsageError(
                f"the engine {engine.name} has no field for --{_FLAGS[name]}",
                hint="omit it, or name the server's engine with --option engine=" + "|".join(ENGINES),
            )
        low, high = engine.limits.get(name, (value, value))
        if not low <= value <= high:
            raise UsageError(
                f"the engine {engine.name} does not take --{name} {value:g}",
                hint=f"use a value from {low:g} to {high:g}",
            )
    return given


def _size(engine: Engine, request: Request) -> dict[str, str]:
    if (request.width is None) != (request.height is None):
        raise UsageError(
            f"the engine {engine.name} needs both a width and a height",
            hint="give --width and --height, or neither",
        )
    return {} if request.width is None else {"size": f"{request.width}x{request.height}"}


def _length(engine: Engine, request: Request, sent: dict[str, Any]) -> None:
    """How long the clip is to be: whole seconds, or frames where the engine counts them."""
    seconds = request.seconds if request.seconds is not None else engine.default_seconds
    if seconds is None:
        return
    if float(seconds).is_integer():
        sent["seconds"] = str(int(seconds)) if engine.seconds == "text" else int(seconds)
    elif "num_frames" in engine.fields:
        fps = request.fps or DEFAULT_FPS
        _set_field(sent, engine.fields["fps"], fps)
        _set_field(sent, engine.fields["num_frames"], max(1, round(seconds * fps)))
    else:
        raise UsageError(
            f"the engine {engine.name} accepts whole seconds only, not {seconds:g}",
            hint=f"try --seconds {max(1, round(seconds))}",
        )


def _check_source_size(engine: Engine, request: Request) -> None:
    """An edited or extended clip keeps its source's size. Raises UsageError where another is asked."""
    if request.width is not None or request.height is not None:
        raise UsageError(
            f"the engine {engine.name} keeps the size of the clip it works on",
            hint="omit --width and --height",
        )
    if request.mode == "edit" and request.seconds is not None:
        raise UsageError(
            f"the engine {engine.name} keeps the length of the clip it edits", hint="omit --seconds"
        )


def _extension_seconds(request: Request, source_seconds: float) -> int:
    """Whole seconds to add so that the whole clip lasts what is asked (4 when nothing is)."""
    if request.seconds is None:
        return 4
    more = request.seconds - source_seconds
    if more < 0.5 or abs(more - round(more)) > 0.1:
        raise UsageError(
            f"the clip lasts {source_seconds:g} s: it can be extended by whole seconds only",
            hint=f"try --seconds {source_seconds + max(1, round(more)):g}",
        )
    return round(more)


def _engine_option_name(engine: Engine, name: str, *, form: bool) -> str:
    """The engine's name of one of its own settings. Raises UsageError."""
    frames: str = engine.fields.get("num_frames", "")
    able: list[str] = [*engine.extra_options, *([frames] if frames else [])]
    for known in able:
        if name in (known, known.rpartition(".")[2]) and not (form and known in engine.json_only):
            return known
    raise UsageError(
        f"the engine {engine.name} has no option {name!r} for this",
        hint=f"it accepts: {', '.join(able) or 'none'}",
    )


def _check_option_value(engine: Engine, name: str, value: Any) -> Any:
    """The value, if it is a number or a switch as the table says. Raises UsageError."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == engine.fields.get("num_frames"):
        fits, kind = number and float(value).is_integer() and value >= 1, "a whole number of at least 1"
    elif engine.extra_options[name] == "switch":
        fits, kind = isinstance(value, bool), "true or false"
    else:
        fits, kind = number, "a number"
    if not fits:
        raise UsageError(f"the option {name} must be {kind}, not {value!r}")
    return value


def _set_field(sent: dict[str, Any], name: str, value: Any) -> None:
    """Set a field; ``a.b`` lies in the object ``a``."""
    outer, _, inner = name.partition(".")
    if inner:
        sent.setdefault(outer, {})[inner] = value
    else:
        sent[outer] = value
