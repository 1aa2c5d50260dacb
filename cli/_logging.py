"""``-v``, ``-vv`` and ``SAFEGEN_LOG``: what the library logs, on stderr."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from safegen._text import one_line, to_json

if TYPE_CHECKING:
    import logging

VARIABLE = "SAFEGEN_LOG"
_KEY = "safegen.verbosity"
_WORDS = ("json", "info", "debug")


def add_verbose(command: click.Command) -> click.Command:
    """Give *command* and those below it ``-v``, once."""
    if not any(p.name == "verbose" for p in command.params):
        command.params.append(_option())
    if isinstance(command, click.Group):
        for name in command.commands:
            add_verbose(command.commands[name])
    return command


def _option() -> click.Option:
    return click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        is_eager=True,
        callback=_more,
        help="Log what happens to stderr; -vv in detail (also: SAFEGEN_LOG).",
    )


def _more(ctx: click.Context, _param: click.Parameter, value: int) -> None:
    """Before and after the command's name count together."""
    if ctx.resilient_parsing:
        return
    ctx.meta[_KEY] = ctx.meta.get(_KEY, 0) + value
    if ctx.meta[_KEY] or (os.environ.get(VARIABLE) and ctx.parent is None):
        _configure(ctx.find_root(), ctx.meta[_KEY])


def _configure(root: click.Context, verbosity: int) -> None:
    """Let the ``safegen`` loggers write to stderr until the command is over."""
    import logging

    words = {w.strip().lower() for w in os.environ.get(VARIABLE, "").split(",")} - {""}
    if unknown := sorted(words - {*_WORDS}):
        raise click.UsageError(f"{VARIABLE}: {unknown[0]!r} is none of {', '.join(_WORDS)}")
    log = logging.getLogger("safegen")
    log.setLevel(logging.DEBUG if verbosity > 1 or "debug" in words else logging.INFO)
    if f"{_KEY}.handler" in root.meta:
        return
    handler = _handler(as_json="json" in words)
    root.meta[f"{_KEY}.handler"] = handler
    log.addHandler(handler)

    def end() -> None:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)

    root.call_on_close(end)


def _handler(*, as_json: bool) -> logging.Handler:
    """Lines on whatever stderr is at the moment: a progress bar puts itself in its place."""
    import logging
    import sys
    from collections.abc import Mapping
    from datetime import UTC, datetime

    class Lines(logging.Handler):
        """One line per record."""

        def emit(self, record: logging.LogRecord) -> None:
            """Write it; neither a closed stderr nor a bad message is a reason to stop."""
            try:
                sys.stderr.write(self.format(record) + "\n")
                sys.stderr.flush()
            except (OSError, ValueError, TypeError, KeyError):
                return

        def format(self, record: logging.LogRecord) -> str:
            """For people, or as a JSON object: time, level, logger, message, fields."""
            when = datetime.fromtimestamp(record.created, UTC)
            level, text = record.levelname.lower(), one_line(record.getMessage())
            if not as_json:
                return f"{when:%H:%M:%S} {level:<7} {record.name}: {text}"
            fields = dict(record.args) if isinstance(record.args, Mapping) else {}
            body = {
                "time": when.isoformat(timespec="milliseconds"),
                "level": level,
                "logger": record.name,
                "message": text,
                "fields": fields,
            }
            return to_json(body, default=str)

    return Lines()
