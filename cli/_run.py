"""Run the command group: errors become one line, a hint and an exit code; never a traceback."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from safegen._text import one_line
from safegen.cli._output import confirm, print_json, say, show_document

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a disk that is full or broken answers."""


def run(group: click.Group) -> NoReturn:
    """Run *group* and exit. A bug (exit 1) names itself; ``SAFEGEN_DEBUG=1`` shows its traceback."""
    try:
        _run(group)
    except BrokenPipeError:  # whoever read the answer, or the error about it, has gone
        _let_go()
        sys.exit(141)
    except OSError as error:
        _let_go()
        with contextlib.suppress(OSError):  # nobody may be left to tell
            say(("error: ", "bold red"), f"the answer cannot be written: {error.strerror}", err=True)
        sys.exit(2)


def _run(group: click.Group) -> NoReturn:
    """Run *group*. Raises OSError where what it says cannot be written."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # help texts, too, on a terminal that knows few characters
            with contextlib.suppress(OSError):  # one that is no longer what it was when it was opened
                stream.reconfigure(errors="backslashreplace")
    as_json = "--json" in sys.argv[1:]
    try:
        code = _asking(group, as_json)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        show_document(error.format_message() + "\n")
        sys.exit(0)
    except click.ClickException as error:
        _fail(2, _joined(error.format_message()), _usage_hint(error), as_json)
    except (click.Abort, KeyboardInterrupt):
        _fail(130, "interrupted; nothing half-made is left", "", as_json)
    except BrokenPipeError:
        raise
    except Exception as error:
        _deliberate_or_bug(error, as_json)
    sys.exit(code if isinstance(code, int) else 0)


def _asking(group: click.Group, as_json: bool) -> object:
    """Run *group*; a workspace that was merely found is asked about once, where somebody is there to answer.

    The refusal comes before anything is done, so the command simply starts again.
    """
    from safegen.errors import UnconfirmedWorkspace

    try:
        return group.main(standalone_mode=False, prog_name="safegen")
    except SystemExit as stop:  # click's answer where nobody reads stdout any more, with the code of a bug
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from stop
    except UnconfirmedWorkspace as error:
        if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        _confirm(error.root)
    return group.main(standalone_mode=False, prog_name="safegen")


def _confirm(root: str) -> None:
    """Ask whether the workspace at *root* is the user's; remember a yes. Raises click.Abort on a no."""
    from safegen.workspace.confirmed import confirm_workspace

    say(f"A workspace was found in {root}. Whoever made that folder chose what is in it.", err=True)
    say("Its settings decide where ledger, keys and time stamps come from, its keys sign,", err=True)
    say("and its ledger is written to. Say yes only if you or people you trust have made it.", err=True)
    confirm("use this workspace from now on?", abort=True)
    confirm_workspace(Path(root))


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends a job as Ctrl-C does: with everything half-made removed."""
    raise KeyboardInterrupt


def _let_go() -> None:
    """Send what is still to be said on stdout nowhere: Python would try once more at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _joined(message: str) -> str:
    """click lists choices one below the other: as one line."""
    return " ".join(message.split())


def _usage_hint(error: click.ClickException) -> str:
    """Where to find help for a usage error."""
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path} --help`" if context else "add --help to see what it takes"


def _deliberate_or_bug(error: Exception, as_json: bool) -> NoReturn:
    """SafegenErrors say what to do; anything else is a bug and says so."""
    from safegen.errors import SafegenError

    if isinstance(error, SafegenError):
        _fail(error.exit_code, str(error), error.hint, as_json, kind=type(error).__name__)
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        _fail(2, f"{one_line(error.filename, 100)}: {error.strerror}", "give a shorter name", as_json)
    if isinstance(error, OSError) and error.errno in _FULL:
        hint = "free some space, or write somewhere else; what was released or recorded before stays"
        _let_go()
        _fail(2, f"an answer or file cannot be written: {error.strerror}", hint, as_json=False)
    if os.environ.get("SAFEGEN_DEBUG"):
        for line in "".join(traceback.format_exception(error)).splitlines():
            say(f"| {line}", err=True)
    _fail(
        1,
        f"this is a bug in safegen: {type(error).__name__}: {error}",
        "please report it; SAFEGEN_DEBUG=1 shows where it happened",
        as_json,
        kind="Bug",
    )


def _fail(code: int, message: str, hint: str, as_json: bool, *, kind: str = "UsageError") -> NoReturn:
    """Say what went wrong (stderr; with --json as an object on stdout) and exit with *code*."""
    if as_json:
        body = {"kind": kind, "message": message, "hint": hint, "exit_code": code}
        print_json({"error": body}, indent=None)
    else:
        say(("error: ", "bold red"), message, err=True)
        if hint:
            say(("hint:  ", "bold"), hint, err=True)
    sys.exit(code)
