"""The modes: what each is called, which inputs it needs, what it asks of a model, and how long it lasts.

One table for every generator, the checks of a request and the catalogue. How a mode is carried out is each
generator's own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, TypeAlias

from safegen.errors import UsageError
from safegen.types import Mode, Role, Shot

Ability: TypeAlias = Literal["text", "first", "last", "both", "edit"]
"""What one call of a model can do: begin from words alone, from given first frames, towards given last ones,
between two, or from a whole clip."""

DEFAULT_STRENGTH = 0.6
"""How far an edit leaves its clip when nothing is said."""


@dataclass(frozen=True)
class ModeSpec:
    """One mode. ``label``: what a model that knows it can do. ``required`` and ``optional``: its inputs.

    ``ability``: what a call must be able to do. ``single_call``: the clip is made in one call, whose length
    is ``seconds``.
    """

    label: str
    ability: Ability
    required: tuple[Role, ...] = ()
    optional: tuple[Role, ...] = ()
    single_call: bool = False

    @property
    def from_clip(self) -> bool:
        """Whether a clip goes in, on whose length that of the result depends."""
        return "video" in self.required

    @property
    def counts_inputs(self) -> bool:
        """Whether ``seconds`` is the length of the clips that go in and of what is added, together."""
        return self.from_clip and not self.single_call


MODES: Mapping[Mode, ModeSpec] = MappingProxyType(
    {
        "text": ModeSpec("make clips from words alone", "text", single_call=True),
        "image": ModeSpec(
            "start from a picture", "first", ("first_frame",), ("last_frame",), single_call=True
        ),
        "edit": ModeSpec("remix a clip", "edit", ("video",), single_call=True),
        "extend": ModeSpec("extend a clip", "first", ("video",)),
        "extend_back": ModeSpec("extend a clip backwards", "last", ("video",)),
        "loop": ModeSpec("make a clip loop", "both", ("video",)),
        "blend": ModeSpec("blend two clips", "both", ("video", "next_video")),
        "storyboard": ModeSpec("follow a storyboard", "first"),
    }
)
"""Every mode, in the order in which they are listed."""


def check_required_inputs(mode: Mode, roles: Collection[str]) -> None:
    """Raise UsageError when an input that *mode* needs is not among *roles*."""
    for role in MODES[mode].required:
        if role not in roles:
            raise UsageError(f"an input is missing: {role.replace('_', ' ')}", hint="give its file")


def frames_to_add(wanted: int | None, present: int, usual: int, *, seconds: float) -> int:
    """How many frames to make beside those *present*: up to *wanted* in all, else the *usual* number.

    *seconds* is how long those present last. Raises UsageError when nothing is left to add.
    """
    if wanted is None:
        return usual
    if wanted <= present:
        raise already_as_long(seconds)
    return wanted - present


def already_as_long(seconds: float) -> UsageError:
    """The error for inputs that alone last as long as all of it should."""
    return UsageError(
        f"the existing clip is already {seconds:.3g} s long",
        hint="raise --seconds, which is the length of the whole result, or omit it",
    )


def shot_times(shots: tuple[Shot, ...], seconds: float | None, *, last: float) -> list[float]:
    """When each shot begins, and when the last one ends: at *seconds*, else *last* seconds after it began.

    Raises UsageError as ``check_shots`` does.
    """
    check_shots(shots)
    return [*(s.at for s in shots), shots[-1].at + last if seconds is None else seconds]


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
