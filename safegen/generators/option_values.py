"""``--option NAME=VALUE``: from text to values, for every kind of generator."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from safegen.errors import UsageError

SWITCHES = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
"""What may be written for a switch, in lower case."""


def parse_name_values(texts: Iterable[str]) -> dict[str, Any]:
    """``NAME=VALUE`` texts as options: values are JSON where they read as JSON, else text.

    Raises UsageError for a text without ``=`` and for a name given twice.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name.isidentifier():
            raise UsageError(
                f"--option {text!r} is not NAME=VALUE", hint="write it like --option offload=model"
            )
        if name in found:
            raise UsageError(f"--option {name} was given twice", hint="give it once")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def is_number(value: Any, low: float, high: float) -> bool:
    """Whether *value* is a number (a switch is none) from *low* to *high*."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
