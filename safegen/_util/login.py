"""Who is at the keyboard, for records that name a person."""

from __future__ import annotations

import getpass

from safegen.errors import UsageError


def login_name(*, hint: str) -> str:
    """The user's login name. Raises UsageError with *hint* where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise UsageError("your user name cannot be determined", hint=hint) from error
