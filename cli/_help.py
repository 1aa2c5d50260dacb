"""Help that fits the terminal, also below 52 columns: people who enlarge their text have few."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

import click
from click.formatting import wrap_text

_NARROW = 52
"""Columns from which click's own two columns of names and texts have room."""


class _Formatter(click.HelpFormatter):
    """As click's; on a narrow terminal each text stands below its name."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = shutil.get_terminal_size().columns
        self._narrow = width is None and columns < _NARROW
        super().__init__(indent_increment, max(columns - 1, 20) if self._narrow else width, max_width)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Options or commands with what they do."""
        if not self._narrow:
            super().write_dl([(self._broken(name), text) for name, text in rows], col_max, col_spacing)
            return
        for name, text in rows:
            self.write(" " * self.current_indent + self._broken(name) + "\n")
            if text:
                margin = " " * (self.current_indent + 4)
                self.write(wrap_text(text, self.width, margin, margin) + "\n")

    def _broken(self, name: str) -> str:
        """An option with more choices than fit on a line goes on below, further in."""
        margin = self.current_indent
        if margin + len(name) <= self.width:
            return name
        choices = name.replace("|", " | ")
        return wrap_text(choices, self.width, " " * margin, " " * (margin + 4))[margin:]


class _Context(click.Context):
    formatter_class = _Formatter


def fit(command: click.Command) -> click.Command:
    """Let the help of *command* and those below it fit the terminal."""
    command.context_class = _Context
    if isinstance(command, click.Group):
        for name in command.commands:
            fit(command.commands[name])
    return command
