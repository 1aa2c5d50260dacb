"""What a reader of credentials says about a file, in words that all readers share."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Content(enum.Enum):
    """What became of the file since it was signed."""

    INTACT = "intact"
    """Credentials are there, and everything they bind is as it was signed."""
    ALTERED = "altered"
    """Something does not match: the file, its credentials, or something it was made from."""
    UNREADABLE = "unreadable"
    """Credentials are there or named, and could not be checked."""
    NONE = "none"
    """No credentials were found."""
    ABSTAINS = "-"
    """The reader does not read this kind of file: its silence agrees with everybody."""
    LATE = "late"
    """No answer within the time limit, or the reader's process died."""


@dataclass(frozen=True)
class Answer:
    """One reader's answer; ``trusted`` counts where the content is intact, ``detail`` is its own words."""

    content: Content
    trusted: bool = False
    detail: str = ""

    def __str__(self) -> str:
        """As it stands in tables and in the file of reasons."""
        trusted = self.content is Content.INTACT and self.trusted
        return "intact, trusted" if trusted else self.content.value


def agree(answers: list[Answer]) -> bool:
    """Whether all who answered say the same; one that does not answer in time agrees with nobody."""
    said = {str(a) for a in answers if a.content is not Content.ABSTAINS}
    return len(said) <= 1 and Content.LATE.value not in said
