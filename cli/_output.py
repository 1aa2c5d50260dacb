"""Results on stdout, progress on stderr."""

from __future__ import annotations

import json
import os
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from rich.console import Console


def console(plain: bool = False) -> Console:
    """A rich console for results; no markup is read from strings, no colour with *plain* or NO_COLOR."""
    from rich.console import Console

    return Console(
        no_color=plain or "NO_COLOR" in os.environ,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        force_terminal=False if plain else None,
    )


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_rows(rows: dict[str, object], *, as_json: bool) -> None:
    """Names and values, for people or programs."""
    if as_json:
        print_json({name.lower().replace(" ", "_"): value for name, value in rows.items()})
        return
    from safegen.cli._printable import printable

    for name, value in rows.items():
        click.echo(f"{name:<22}{printable(str(value))}")


class ProgressBar:
    """Progress on stderr: a rich bar on a terminal, a line per stage otherwise (``--plain``), or nothing.

    Implements ``safegen.protocols.Progress``.
    """

    def __init__(self, *, quiet: bool = False, plain: bool = False) -> None:
        """*quiet* shows nothing at all."""
        self._quiet = quiet
        self._plain = plain
        self._bar: Any = None
        self._task: Any = None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        """Start showing."""
        if not self._quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            screen = Console(stderr=True, no_color="NO_COLOR" in os.environ)
            if screen.is_terminal and not self._plain:
                self._bar = Progress(
                    SpinnerColumn(),
                    TextColumn("{task.description:<18}"),
                    BarColumn(),
                    TextColumn("{task.completed:.0f}/{task.total}"),
                    TimeElapsedColumn(),
                    console=screen,
                    transient=True,
                )
                self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a stage."""
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=total)
        elif not self._quiet:
            click.echo(f"[{time.monotonic() - self._started:6.1f} s] {name}", err=True)

    def advance(self, amount: int = 1) -> None:
        """Count units."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, amount)

    def cancelled(self) -> bool:
        """Ctrl-C arrives as KeyboardInterrupt, so this never asks."""
        return False
