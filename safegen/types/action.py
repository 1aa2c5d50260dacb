"""What a policy makes of something that was found, from the mildest consequence to the strictest."""

from __future__ import annotations

import enum
from typing import Literal, TypeAlias


class Action(enum.StrEnum):
    """``allow < pixelate < blur < review < block``; the value is what JSON, YAML and the ledger hold.

    ``max`` of several is the strictest. All four comparisons are defined here because those of ``str`` would
    order the words by their letters: the stricter of ``review`` and ``block`` would be ``review``. Comparing
    with a word that is no action raises ValueError.
    """

    ALLOW = "allow"
    PIXELATE = "pixelate"
    BLUR = "blur"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """0 for ``allow``; the stricter, the larger."""
        return _ORDER.index(self)

    @property
    def exit_code(self) -> int:
        """A command's: 0 allowed, 3 refused, 7 a person has to do something."""
        return {Action.ALLOW: 0, Action.BLOCK: 3}.get(self, 7)

    def __lt__(self, other: str) -> bool:
        return self.severity < Action(other).severity

    def __le__(self, other: str) -> bool:
        return self.severity <= Action(other).severity

    def __gt__(self, other: str) -> bool:
        return self.severity > Action(other).severity

    def __ge__(self, other: str) -> bool:
        return self.severity >= Action(other).severity

    def __repr__(self) -> str:
        """The word, quoted: it is one in every message, record and file."""
        return repr(self.value)


_ORDER = tuple(Action)

PromptAction: TypeAlias = Literal[Action.ALLOW, Action.REVIEW, Action.BLOCK]
"""What can become of a prompt or an input: words cannot be blurred."""
