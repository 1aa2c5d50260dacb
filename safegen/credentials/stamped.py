"""Signing with a time stamp, or without one where none is to be had and none is demanded.

c2pa asks the authority in the middle of signing, and says in one way that anything failed. So nothing is
read out of its words: the authority is asked once more, by ourselves, and the file is signed without it.
If that works, the authority was at fault; if not, it was something else, and that is raised.
"""

from __future__ import annotations

from collections.abc import Callable

from safegen._util.logs import logger
from safegen.errors import LedgerError, SigningFailed

_log = logger(__name__)

SECONDS = 5.0
"""For the second question: c2pa has waited for the first one already."""
STRANGE_STAMP = "the time stamp authority answers, but not with a stamp that fits the signature"
_HINT = (
    "check signing.tsa_url in safegen.toml; with tsa_required = false a clip is released without a time stamp"
)


class LibraryFailed(SigningFailed):
    """c2pa gave up, and not because the signer did."""


def sign_with_stamp(
    attempt: Callable[[str | None], bytes], url: str | None, *, required: bool
) -> tuple[bytes, str]:
    """The manifest store that *attempt* makes with the authority at *url*, and why it has no stamp, or "".

    *attempt* signs from the start each time; None: without an authority. Raises what it raises;
    SigningFailed where there is no stamp and one is *required*.
    """
    if url is None:
        return attempt(None), ""
    try:
        return attempt(url), ""
    except LibraryFailed as error:
        first = error
    reason = _why_no_answer(url)
    if reason is None:
        try:
            return attempt(url), ""
        except LibraryFailed:
            reason = STRANGE_STAMP
    unstamped = attempt(None)
    if required:
        raise SigningFailed(f"{reason}; tsa_required wants one", hint=_HINT) from first
    _log.warning("signed without a time stamp")
    return unstamped, reason


def _why_no_answer(url: str) -> str | None:
    """What keeps the authority at *url* from giving a stamp; None: it gives one."""
    from safegen.ledger.timestamp import request_stamp

    try:
        request_stamp(url, b"safegen", seconds=SECONDS)
    except LedgerError as error:
        return str(error)
    return None
