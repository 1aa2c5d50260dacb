"""What every result has in common: it can say itself in JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

from safegen._text import to_json

Json: TypeAlias = dict[str, Any]
"""A JSON object: JSON types only."""


class JsonResult(ABC):
    """A result with a JSON form: the one that the command line prints with ``--json``."""

    __slots__ = ()

    @abstractmethod
    def to_dict(self) -> Json:
        """The result as JSON types only, in the order of its schema."""

    def to_json(self, indent: int | None = 2) -> str:
        """``to_dict`` as text; *indent* None gives one line."""
        return to_json(self.to_dict(), indent=indent)
