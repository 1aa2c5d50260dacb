"""The time now, and times that people write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from safegen.errors import UsageError

Clock = Callable[[], datetime]
"""Gives the time now, with a time zone. Handed in as an argument, so that tests can hand in another."""


def utc_now() -> datetime:
    """The time now in UTC."""
    return datetime.now(UTC)


def parse_moment(text: str) -> datetime:
    """A time in ISO 8601 (``2027-03-01``, ``2027-03-01T12:00:00+01:00``); UTC where it names no zone.

    Raises UsageError.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a time", hint="write it like 2027-03-01 or 2027-03-01T12:00:00Z"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
