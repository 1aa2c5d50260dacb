"""Options for the settings of a clip, made from the one table of them (``safegen.request.settings``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from safegen.request.settings import Setting, setting_named, settings_for

F = TypeVar("F", bound=Callable[..., Any])
_FROM_TEMPLATE = {
    "model": "the template's, on any machine",
    "seed": "random, another one for every row",
    **dict.fromkeys(("negative_prompt", "size", "aspect", "width", "height"), "from the template"),
    **dict.fromkeys(("seconds", "fps", "steps", "guidance"), "from the template"),
}


def setting_option(name: str, *, unset: str = "", help: str = "", **more: Any) -> Callable[[F], F]:
    """The option of a setting. *unset*: what omitting it means here; *help* replaces the table's.

    With *unset* the option has no default of its own. *more* goes to ``click.option``.
    """
    setting = setting_named(name)
    return _option(setting, unset, help, more)


def clip_options() -> tuple[Callable[[F], F], ...]:
    """The options that every way of working has, in order."""
    return tuple(_option(setting, "", "", {}) for setting in settings_for("clip"))


def template_options() -> tuple[Callable[[F], F], ...]:
    """The options of a template's run, in order."""
    return tuple(_option(s, _FROM_TEMPLATE.get(s.name, ""), "", {}) for s in settings_for("template run"))


def _option(setting: Setting, unset: str, help: str, more: Mapping[str, Any]) -> Callable[[F], F]:
    default = None if unset else setting.default
    means = unset or setting.unset
    attributes: dict[str, Any] = {
        "type": _type(setting),
        "metavar": setting.metavar,
        "multiple": setting.kind is Mapping,
        "help": _sentence(help or setting.option_help or setting.help, means),
    }
    if default is not None:
        attributes |= {"default": default, "show_default": default != ""}
    return click.option(setting.option, setting.name, **{**attributes, **more})


def _sentence(help: str, means: str) -> str:
    """Help and default as one sentence."""
    if means:
        return f"{help} (default: {means})."
    return help if help.endswith(".") else f"{help}."


def _type(setting: Setting) -> click.IntRange | click.FloatRange | None:
    if setting.kind is int and setting.least is not None and setting.most is not None:
        return click.IntRange(int(setting.least), int(setting.most))
    if setting.kind is float:
        return click.FloatRange(setting.least, setting.most, min_open=setting.above)
    return None
