"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def workspace(function: F) -> F:
    """``--workspace DIR``."""
    return click.option(
        "--workspace",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Workspace folder (default: SAFEGEN_WORKSPACE, the nearest safegen.toml, the user's own).",
    )(function)


def as_json(function: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def plain(function: F) -> F:
    """``--plain``."""
    return click.option(
        "--plain", is_flag=True, help="No colour, boxes or animation (also NO_COLOR), for screen readers."
    )(function)


def manifest(function: F) -> F:
    """``--manifest WHERE``."""
    return click.option(
        "--manifest",
        metavar="WHERE",
        help="Where the credentials go: embedded; sidecar (NAME.mp4.c2pa); or the https address where "
        "you will put that file ({id}: the content id). Default: release.manifest in safegen.toml, else "
        "embedded.",
    )(function)


def label(function: F) -> F:
    """``--label TEXT``."""
    return click.option(
        "--label",
        metavar="TEXT",
        help='A visible label in every picture, such as "AI-generated" (default: safegen.toml, else none).',
    )(function)


def access(function: F) -> F:
    """``--access/--no-access``."""
    return click.option(
        "--access/--no-access",
        default=None,
        help="Captions, descriptions, chapters and a transcript with the clip (default: release.access in "
        "safegen.toml, else yes); without them the record says so.",
    )(function)


def passphrase_file(function: F) -> F:
    """``--passphrase-file FILE``."""
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        help="File whose first line opens the keys (or SAFEGEN_KEY_PASSPHRASE; never on the command line).",
    )(function)


def passphrase(file: Path | None) -> Callable[[], bytes | None]:
    """Where the passphrase comes from: the file, the environment, else a question on the terminal."""

    def ask() -> bytes | None:
        from safegen.keys.passphrase import from_environment, from_file

        if file is not None:
            return from_file(file)
        return from_environment()

    return ask
