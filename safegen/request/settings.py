"""Every setting of a clip, once: its type, range, default and help, and where it may stand.

The options of the command line, storyboard and template files, audits, validation, what the ledger
records, the signatures of the Python API and the tables in docs/ are made from ``SETTINGS``, or tested
against it. What a setting becomes in a pipeline or a request to a server is the generators' business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from safegen.errors import UsageError

Place: TypeAlias = Literal[
    "clip", "remix", "release", "storyboard", "template", "template run", "audit", "ledger", "dry run"
]
"""``clip``: every command that makes one, and the Python function of the same name; ``remix``: that one only;
``release``: how the clip is marked and written; ``storyboard``, ``template``: their files; ``template run``:
for all rows; ``audit``: a suite's ``clip``; ``ledger``: the private part of a release's entry; ``dry run``:
what it shows of the model's choices."""


@dataclass(frozen=True)
class Setting:
    """A setting by its name in Python and in files.

    ``kind`` is what it must be: ``int`` takes no fractions, ``float`` any finite number, ``Mapping`` names
    and values. ``least`` and ``most`` are its range, ``above`` leaves ``least`` itself out. ``unset`` says in
    words what an omitted setting stands for, ``option_help`` replaces ``help`` on the command line.
    """

    name: str
    kind: type
    help: str
    places: frozenset[Place]
    default: object = None
    least: float | None = None
    most: float | None = None
    above: bool = False
    unit: str = ""
    unset: str = ""
    metavar: str | None = None
    flag: str = ""
    option_help: str = ""
    recorded_fractions: bool = False
    """Older versions took and recorded fractions, too: such a release can still be reproduced."""

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return self.flag or f"--{self.name.replace('_', '-')}"

    @property
    def range(self) -> str:
        """Its range in words; empty where it has none."""
        if self.least is None or self.most is None:
            return ""
        unit = f" {self.unit}" if self.unit else ""
        if self.above:
            return f"above {_number(self.least)}, up to {_number(self.most)}{unit}"
        return f"{_number(self.least)} to {_number(self.most)}{unit}"

    @property
    def values(self) -> str:
        """What it may be, in words."""
        if self.kind is Mapping:
            return "names and values"
        if self.kind is str:
            return "text"
        what = {int: "a whole number", float: "a number"}.get(self.kind, "yes or no")
        if not self.range:
            return what
        return f"{what} {self.range}" if self.above else f"{what} from {self.range}"

    @property
    def meaning_unset(self) -> str:
        """Its default, or what it stands for when it is omitted, in words."""
        return self.unset or ("none" if self.default in (None, "") else str(self.default))

    def check(self, value: object, *, recorded: bool = False) -> None:
        """Raise UsageError unless *value* is of the right kind and in range.

        *recorded*: it may come from the ledger, where an older version put it.
        """
        if not (self._fits(value, recorded) and self._in_range(value)):
            raise UsageError(f"{self.name} cannot be {_shown(value)}", hint=f"give {self.values}, or omit it")

    def restore(self, value: object) -> object:
        """A recorded value as a request wants it: the ledger keeps a float as text.

        Raises ValueError, TypeError.
        """
        if self.kind is not int or isinstance(value, int):
            return self.kind(value)
        number = float(str(value))
        if number.is_integer():
            return int(number)
        if self.recorded_fractions:
            return number
        raise ValueError(f"{self.name}: {value!r} is not a whole number")

    def describe(self) -> str:
        """Help, range and default in a sentence, for docstrings."""
        notes = [n for n in (self.range, f"default: {self.meaning_unset}") if n]
        return f"{self.help} ({'; '.join(notes)})."

    def _fits(self, value: object, recorded: bool) -> bool:
        if isinstance(value, bool):
            return self.kind is bool
        fractions = self.kind is float or (recorded and self.recorded_fractions)
        return isinstance(value, int | float if fractions else self.kind)

    def _in_range(self, value: object) -> bool:
        if not isinstance(value, int | float):
            return True
        if isinstance(value, float) and not math.isfinite(value):
            return False
        low = self.least is None or (value > self.least if self.above else value >= self.least)
        return low and (self.most is None or value <= self.most)


def _shown(value: object) -> str:
    """A wrong value, cut short."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _number(value: float) -> str:
    """A bound as people write it."""
    return "2^63-1" if value == _MAX_SEED else f"{value:g}"


def _in(*places: Place) -> frozenset[Place]:
    return frozenset(places)


_MAX_SEED = 2**63 - 1
_MODEL = "the model's choice"
_SIZES = _in("clip", "storyboard", "template", "template run", "audit", "ledger", "dry run")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "model",
        str,
        "Model name, local folder or hub id",
        _in("clip", "storyboard", "template", "template run", "ledger"),
        default="tiny",
    ),
    Setting(
        "policy",
        str,
        "Policy name or YAML file",
        _in("clip", "storyboard", "template run", "ledger"),
        default="default",
    ),
    Setting(
        "negative_prompt",
        str,
        "What the video should not show",
        _in("clip", "storyboard", "template", "template run"),
        default="",
    ),
    Setting(
        "seed",
        int,
        "The same seed gives the same clip",
        _in("clip", "storyboard", "template run", "ledger"),
        least=0,
        most=_MAX_SEED,
        unset="random",
    ),
    Setting(
        "size",
        str,
        "Such as 480p or 720p, the short side (of 16:9 unless an aspect is given), or 832x480",
        _in("clip", "storyboard", "template", "template run"),
        unset=_MODEL,
        option_help="Size, such as 480p, 720p (short side; 16:9 unless --aspect is given) or 832x480",
    ),
    Setting(
        "aspect",
        str,
        "Aspect ratio: 16:9, 9:16, 1:1, ...",
        _in("clip", "storyboard", "template", "template run"),
        unset=_MODEL,
        metavar="W:H",
    ),
    Setting(
        "width",
        int,
        "Width of the picture",
        _SIZES,
        least=16,
        most=8192,
        unit="pixels",
        unset=_MODEL,
        option_help="Pixels",
    ),
    Setting(
        "height",
        int,
        "Height of the picture",
        _SIZES,
        least=16,
        most=8192,
        unit="pixels",
        unset=_MODEL,
        option_help="Pixels",
    ),
    Setting(
        "seconds",
        float,
        "Total duration",
        _SIZES,
        least=0.01,
        most=600,
        unit="seconds",
        unset=_MODEL,
        option_help="Total duration in seconds",
    ),
    Setting(
        "fps",
        int,
        "Frames per second",
        _SIZES,
        least=1,
        most=120,
        unset=_MODEL,
        recorded_fractions=True,
    ),
    Setting("steps", int, "Denoising steps", _SIZES, least=1, most=1000, unset=_MODEL),
    Setting("guidance", float, "Guidance scale", _SIZES - {"audit"}, least=0, most=50, unset=_MODEL),
    Setting(
        "strength",
        float,
        "How far the result may depart from the video: near 0 barely, 1 made from scratch",
        _in("remix", "ledger"),
        least=0,
        most=1,
        above=True,
        unset=_MODEL,
        option_help="How far the result may depart from VIDEO: near 0 barely, 1 made from scratch",
    ),
    Setting(
        "options",
        Mapping,
        "Model-specific settings by name, as `safegen models show MODEL` lists them",
        _in("clip"),
        metavar="NAME=VALUE",
        flag="--option",
        option_help="A model-specific setting (see `safegen models show MODEL`; repeatable)",
    ),
    Setting("watermark", str, "Watermark scheme", _in("release", "template run"), default="tile"),
    Setting("crf", int, "H.264 quality", _in("release", "template run"), default=18, least=0, most=51),
)
"""Their order is that of the command line, of the docs and of what the ledger records."""


def settings_for(place: Place) -> tuple[Setting, ...]:
    """The settings that may stand there, in order."""
    return tuple(setting for setting in SETTINGS if place in setting.places)


def names_for(place: Place) -> tuple[str, ...]:
    """Their names."""
    return tuple(setting.name for setting in settings_for(place))


def setting_named(name: str) -> Setting:
    """The setting of that name. Raises KeyError."""
    for setting in SETTINGS:
        if setting.name == name:
            return setting
    raise KeyError(name)


def interval(name: str, *, most: float | None = None) -> object:
    """The range of a setting for ``Annotated`` in a pydantic model; *most*: that place's own, lower limit."""
    from annotated_types import Interval

    setting = setting_named(name)
    least = {"gt" if setting.above else "ge": setting.least}
    return Interval(**least, le=setting.most if most is None else most)


def check_settings(values: Mapping[str, object], *, recorded: bool = False) -> None:
    """Raise UsageError for a setting among *values* that no model can follow; other names are ignored.

    ``None`` stands for the default where that is nothing fixed. *recorded* as for ``Setting.check``.
    """
    for setting in SETTINGS:
        value = values.get(setting.name, setting.default)
        if value is not None or setting.default is not None:
            setting.check(value, recorded=recorded)
