"""Help on narrow terminals: those of phones, and of people who enlarge their text."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from safegen.cli import group


def commands(context: click.Context) -> Iterator[click.Context]:
    """The contexts of a command and of all those below it."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from commands(command.context_class(command, parent=context, info_name=name))


@pytest.mark.parametrize("columns", [40, 51, 60, 100])
def test_no_line_of_any_help_is_wider_than_the_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    found = list(commands(group.context_class(group, info_name="safegen")))
    assert len(found) > 50
    wide = {c.command_path: line for c in found for line in c.get_help().splitlines() if len(line) > columns}
    assert not wide
