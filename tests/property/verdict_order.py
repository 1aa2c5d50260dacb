"""The order of verdicts, in one place: what a verdict is worth to somebody who relies on the file.

The same order as that of ``--require``. An answer that something does not match is worth less than none.
"""

from __future__ import annotations

from safegen.types import Verdict

BEST_FIRST = (
    Verdict.VERIFIED,
    Verdict.VERIFIED_REPACKED,
    Verdict.EXPIRED_BUT_LOGGED,
    Verdict.SIGNED_UNLOGGED,
    Verdict.RECOVERED,
    Verdict.SIGNED_UNTRUSTED,
    Verdict.MARKED_UNRESOLVED,
    Verdict.WITHDRAWN,
    Verdict.CREDENTIALS_UNREADABLE,
    Verdict.NO_PROVENANCE,
    Verdict.CONFLICT,
    Verdict.TAMPERED,
)
ABOUT_SIGNED = frozenset(
    {
        Verdict.VERIFIED,
        Verdict.VERIFIED_REPACKED,
        Verdict.EXPIRED_BUT_LOGGED,
        Verdict.SIGNED_UNLOGGED,
        Verdict.SIGNED_UNTRUSTED,
        Verdict.WITHDRAWN,
    }
)
"""What may be said of a file whose credentials are intact and contradicted by nothing."""


def worth(verdict: Verdict) -> int:
    """The higher, the better."""
    return len(BEST_FIRST) - BEST_FIRST.index(verdict)
