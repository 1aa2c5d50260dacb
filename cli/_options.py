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
        help="Workspace folder (default: SAFEGEN_WORKSPACE, else the nearest safegen.toml, else your own).",
    )(function)


def as_json(function: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def plain(function: F) -> F:
    """``--plain``."""
    return click.option(
        "--plain", is_flag=True, help="No colours, boxes or animation, for screen readers (also: NO_COLOR)."
    )(function)


def manifest(function: F) -> F:
    """``--manifest WHERE``."""
    return click.option(
        "--manifest",
        metavar="WHERE",
        help="Where to put the credentials: embedded; sidecar (NAME.mp4.c2pa); or the https address "
        "where you will publish that file ({id}: the content id). Default: release.manifest in "
        "safegen.toml, else embedded.",
    )(function)


def label(function: F) -> F:
    """``--label TEXT``."""
    return click.option(
        "--label",
        metavar="TEXT",
        help='Visible label in every frame, such as "AI-generated" (default: from safegen.toml, else none).',
    )(function)


def access(function: F) -> F:
    """``--access/--no-access``."""
    return click.option(
        "--access/--no-access",
        default=None,
        help="Write captions, descriptions, chapters and a transcript with the clip (default: "
        "release.access in safegen.toml, else yes); without them, the record says so.",
    )(function)


def c2pa_list(function: F) -> F:
    """``--no-c2pa-list``."""
    return click.option(
        "--no-c2pa-list",
        is_flag=True,
        help="Do not trust the C2PA's trust lists, only your own workspace and what you pinned.",
    )(function)


def passphrase_file(function: F) -> F:
    """``--passphrase-file FILE``."""
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        help="File whose first line is the passphrase for the keys (or set SAFEGEN_KEY_PASSPHRASE; a key "
        "under [signing] may have its own: SAFEGEN_SIGNING_PASSPHRASE or passphrase_file there; "
        "never pass it on the command line).",
    )(function)


def passphrase(file: Path | None) -> Callable[[], bytes | None]:
    """Where the passphrase comes from: the file, else the environment."""

    def ask() -> bytes | None:
        from safegen.keys.passphrase import from_environment, from_file

        if file is not None:
            return from_file(file)
        return from_environment()

    return ask
