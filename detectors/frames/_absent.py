"""The error of a check whose model or program is not on this machine."""

from __future__ import annotations

from safegen.errors import CheckUnavailable


class CheckAbsent(CheckUnavailable):
    """Not installed, which is not failing: a policy may require a check only where it is installed."""
