"""Which versions of other packages safegen needs, and whether those installed are such."""

from __future__ import annotations

import re
from importlib import metadata

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BOUND = re.compile(r"(>=|<)\s*([0-9][0-9.]*)")


def bounds(requirement: str) -> tuple[str, str]:
    """The lowest version and the one that is too high in a requirement such as ``av>=17.1,<20``.

    Either is empty where the requirement names none.
    """
    found = dict(_BOUND.findall(requirement.partition(";")[0]))
    return found.get(">=", ""), found.get("<", "")


def numbers(version: str) -> tuple[int, ...]:
    """The numbers a version begins with: (17, 1) for ``17.1rc2``, without zeros at the end."""
    parts = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    found = [int(n) for n in parts[0].split(".")] if parts else []
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def unfit(distribution: str, installed: str) -> str:
    """What is asked for, such as ``av>=17.1,<20``, where *installed* is another version; else nothing.

    Nothing, too, where safegen itself is not installed: then nobody says what it needs.
    """
    try:
        needed = metadata.requires("safegen") or []
    except metadata.PackageNotFoundError:
        return ""
    for requirement in needed:
        name = _NAME.match(requirement)
        if name is None or name[0].lower() != distribution.lower():
            continue
        low, high = bounds(requirement)
        mine = numbers(installed)
        if (low and mine < numbers(low)) or (high and mine >= numbers(high)):
            return requirement.partition(";")[0].strip()
    return ""
