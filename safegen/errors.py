"""Every error safegen raises on purpose, and the exit code for each.

::

    SafegenError                      1
    |- UsageError                     2   bad option, prompt, path; existing output
    |  |- UnreadableInput             2   not a file we can read: empty, truncated, hostile
    |  `- UnconfirmedWorkspace        2   a workspace that was merely found is not used
    |- RefusedByPolicy                3   the policy says no
    |- CheckUnavailable               4   a required check could not run, so nothing passed
    |  `- CheckAbsent                 4   what it needs is not on this machine
    |- GenerationFailed               5   the generator failed
    |  `- MissingExtra                5   an optional dependency is not installed
    |- ReleaseFailed                  6   nothing was released
    |  |- MarkingFailed               6
    |  |- SigningFailed               6
    |  |- KeyUnavailable              6   missing key file, wrong passphrase
    |  |- LedgerError                 6   locked, corrupt or unwritable ledger
    |  `- WorkspaceError              6   locked, corrupt or unwritable workspace
    |- HeldForReview                  7   waits for a person
    |- BatchFailed                    8   some items of a batch failed
    |- GateFailed                     9   `log check`, `policy test`, `audit gate` say no
    `- Interrupted                  130   Ctrl-C; nothing half-made is left

Each carries ``hint``: what to do now. Message and hint are one line each, whatever names and answers
they repeat: line breaks and other hidden characters are escaped. They pickle with all they carry, so that a
process pool hands them on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from safegen._text import one_line

if TYPE_CHECKING:
    from safegen.types import Held, Refused


class SafegenError(Exception):
    """Root of every deliberate error; ``str(error)`` is one line for a person."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep *message* (what went wrong) and *hint* (what to do now)."""
        super().__init__(one_line(message))
        self.hint = one_line(hint)

    def __reduce__(self) -> tuple[Any, ...]:
        """Made again from the message, then given its attributes: a class may want more than a message."""
        return _made_again, (type(self), self.args), dict(self.__dict__)


def _made_again(kind: type[SafegenError], arguments: tuple[Any, ...]) -> SafegenError:
    """An error without the attributes of its class, which come next."""
    return kind.__new__(kind, *arguments)


class UsageError(SafegenError):
    """The request itself cannot be carried out as given."""

    exit_code = 2


class UnreadableInput(UsageError):
    """An input file is missing, empty, truncated, hostile or of an unsupported kind."""


class UnconfirmedWorkspace(UsageError):
    """A workspace was found above the current folder, and the user has not said that it may be used.

    ``root`` is its folder.
    """

    def __init__(self, message: str, *, root: str, hint: str = "") -> None:
        """Keep the folder beside the message."""
        super().__init__(message, hint=hint)
        self.root = root


class RefusedByPolicy(SafegenError):
    """The policy refused the request; ``decision`` says why."""

    exit_code = 3

    def __init__(self, message: str, *, decision: Refused, hint: str = "") -> None:
        """Keep the refusing *decision* beside the message."""
        super().__init__(message, hint=hint)
        self.decision = decision


class CheckUnavailable(SafegenError):
    """A check that the policy requires could not run; nothing was let through."""

    exit_code = 4


class CheckAbsent(CheckUnavailable):
    """Not installed, which is not failing: a policy may require a check only where it is installed."""


class GenerationFailed(SafegenError):
    """The generator raised an error or returned something that is not a usable clip."""

    exit_code = 5


class RefusedByServer(GenerationFailed):
    """The server that was to make the clip refused to: its own rules do not allow it."""

    exit_code = 3


class MissingExtra(GenerationFailed):
    """An optional dependency is needed and not installed."""


class ReleaseFailed(SafegenError):
    """Marking, encoding, signing, recording or publishing failed; nothing was released."""

    exit_code = 6


class MarkingFailed(ReleaseFailed):
    """The watermark could not be embedded or could not be read back."""


class SigningFailed(ReleaseFailed):
    """The C2PA manifest could not be signed, or did not validate when read back."""


class KeyUnavailable(ReleaseFailed):
    """A key or certificate is missing, unreadable or locked by another passphrase."""


class LedgerError(ReleaseFailed):
    """The ledger is locked, corrupt, unwritable or inconsistent."""


class WorkspaceError(ReleaseFailed):
    """The workspace folder is locked, corrupt, unwritable or of a newer version."""


class HeldForReview(SafegenError):
    """The policy requires a person to review it first; ``decision`` says why."""

    exit_code = 7

    def __init__(self, message: str, *, decision: Held, hint: str = "") -> None:
        """Keep the holding *decision* beside the message."""
        super().__init__(message, hint=hint)
        self.decision = decision


class BatchFailed(SafegenError):
    """Some items of a batch failed; the others are done."""

    exit_code = 8


class GateFailed(SafegenError):
    """A gate (log check, policy test, audit gate) says no."""

    exit_code = 9


class Interrupted(SafegenError):
    """The user stopped the job; nothing half-made is left."""

    exit_code = 130
