"""Ways of working: turn user input into a Request, the same for the Python API and the command line.

Nothing is screened or generated here, no input is read and no workspace is opened. Only for an aspect ratio
without a size is the model asked for its own size, which reads its configuration at most.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from safegen.errors import UsageError
from safegen.generators.modes import check_shots
from safegen.request import sizes
from safegen.request.settings import check_settings
from safegen.types import Input, Mode, PathLike, Request, Role, Shot


class RequestSettings(TypedDict, total=False):
    """What every way of working may set (``safegen.request.settings`` says what each means).

    ``width``, ``height``, ``seconds`` and ``fps`` describe the released clip. A random ``seed`` is recorded
    in the release.
    """

    model: str
    policy: str
    negative_prompt: str
    seed: int | None
    size: str | None
    aspect: str | None
    width: int | None
    height: int | None
    seconds: float | None
    fps: int | None
    steps: int | None
    guidance: float | None
    options: Mapping[str, object] | None


@dataclass(frozen=True)
class BuiltRequest:
    """A request, with notes for the user on how it was derived."""

    request: Request
    notes: tuple[str, ...] = ()


def generate(
    prompt: str,
    *,
    image: PathLike | None = None,
    last_image: PathLike | None = None,
    **settings: Unpack[RequestSettings],
) -> BuiltRequest:
    """A clip from words alone, or from *image* on (and up to *last_image*). Raises UsageError."""
    if image is None:
        if last_image is not None:
            raise UsageError("there is a last picture but no first one", hint="give --image as well")
        return BuiltRequest(_request("text", prompt, settings))
    inputs = _inputs(first_frame=image, last_frame=last_image)
    return BuiltRequest(_request("image", prompt, settings, inputs=inputs))


def remix(
    video: PathLike, prompt: str, *, strength: float | None = None, **settings: Unpack[RequestSettings]
) -> BuiltRequest:
    """Remake *video* from *prompt*; *strength* in (0, 1]: how far to depart from it. Raises UsageError."""
    return BuiltRequest(_request("edit", prompt, settings, inputs=_inputs(video=video), strength=strength))


def extend(
    video: PathLike,
    prompt: str = "",
    *,
    backwards: bool = False,
    notes: Sequence[str] = (),
    **settings: Unpack[RequestSettings],
) -> BuiltRequest:
    """*video* and what comes after it (*backwards*: before it). Raises UsageError.

    *notes* say where *prompt* comes from, if not from the user (``safegen.pipeline.kept_prompt``).
    """
    mode: Mode = "extend_back" if backwards else "extend"
    return BuiltRequest(_request(mode, prompt, settings, inputs=_inputs(video=video)), tuple(notes))


def loop(
    video: PathLike, prompt: str = "", *, notes: Sequence[str] = (), **settings: Unpack[RequestSettings]
) -> BuiltRequest:
    """Make *video* end where it begins. *notes* as for ``extend``. Raises UsageError."""
    return BuiltRequest(_request("loop", prompt, settings, inputs=_inputs(video=video)), tuple(notes))


def blend(
    video: PathLike,
    next_video: PathLike,
    prompt: str = "",
    *,
    notes: Sequence[str] = (),
    **settings: Unpack[RequestSettings],
) -> BuiltRequest:
    """Make a clip that turns *video* into *next_video*. *notes* as for ``extend``. Raises UsageError."""
    inputs = _inputs(video=video, next_video=next_video)
    return BuiltRequest(_request("blend", prompt, settings, inputs=inputs), tuple(notes))


def storyboard(shots: Sequence[Shot], **settings: Unpack[RequestSettings]) -> BuiltRequest:
    """Several prompts on one timeline. Raises UsageError: see ``check_shots``."""
    told = tuple(sorted(shots, key=lambda shot: shot.at))
    check_shots(told)
    return BuiltRequest(_request("storyboard", "\n".join(s.prompt for s in told), settings, shots=told))


def new_seed() -> int:
    """A random seed that fits every generator: 31 bits."""
    return secrets.randbits(31)


def _request(
    mode: Mode,
    prompt: str,
    settings: RequestSettings,
    *,
    inputs: tuple[Input, ...] = (),
    shots: tuple[Shot, ...] = (),
    strength: float | None = None,
) -> Request:
    """The request, its settings checked and its size worked out."""
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    check_settings({**given, "strength": strength})
    sides = {name: given.pop(name, None) for name in ("size", "aspect", "width", "height")}
    given.setdefault("seed", new_seed())
    request = Request(prompt=prompt, mode=mode, inputs=inputs, shots=shots, strength=strength, **given)

    def natural() -> tuple[int | None, int | None]:
        from safegen.generators.registry import find_generator

        outlook = find_generator(request.model).outlook(request)
        return outlook.width, outlook.height

    width, height = sizes.resolve_size(**sides, natural=natural)
    check_settings({"width": width, "height": height})
    return replace(request, width=width, height=height)


def _inputs(
    *,
    first_frame: PathLike | None = None,
    last_frame: PathLike | None = None,
    video: PathLike | None = None,
    next_video: PathLike | None = None,
) -> tuple[Input, ...]:
    """Inputs by role; those that are None left out."""
    files: list[tuple[Role, PathLike | None]] = [
        ("first_frame", first_frame),
        ("last_frame", last_frame),
        ("video", video),
        ("next_video", next_video),
    ]
    return tuple(Input(role, Path(file)) for role, file in files if file is not None)
