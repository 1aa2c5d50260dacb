"""Evidence as plain JSON and back, for the way out of a child that read a hostile file.

Nothing that comes back is believed to have the right shape: every value is compared with the type that the
class declares, and what does not fit is an error.
"""

from __future__ import annotations

import dataclasses
import enum
import types
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """*value*, a dataclass of texts, numbers, enums, tuples and JSON, as JSON types. Bytes become None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [to_plain(v) for v in value]
    return None if isinstance(value, bytes) else value


def from_plain(kind: type[T], value: Any) -> T:
    """The *kind* (a dataclass) that ``to_plain`` made *value* from. Raises ValueError for anything else."""
    found: T = _read(kind, value)
    return found


@cache
def _fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def _read(kind: Any, value: Any) -> Any:
    """*value* as a *kind*."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        return _read(next(k for k in inner if k is not type(None)), value)
    if origin is Literal and isinstance(value, str) and value in inner:
        return value
    if origin is tuple and isinstance(value, list) and inner[1:] == (...,):
        return tuple(_read(inner[0], v) for v in value)
    if (origin is dict or kind is dict) and isinstance(value, dict):
        return value
    if origin is None and isinstance(kind, type):
        if (
            dataclasses.is_dataclass(kind)
            and isinstance(value, dict)
            and value.keys() == _fields(kind).keys()
        ):
            return kind(**{name: _read(hint, value[name]) for name, hint in _fields(kind).items()})
        if issubclass(kind, enum.Enum) and isinstance(value, str):
            return kind(value)
        if type(value) is kind and kind in (str, int, float, bool):
            return value
    raise ValueError(f"{type(value).__name__} is no {kind}")
