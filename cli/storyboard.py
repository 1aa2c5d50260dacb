"""``safegen storyboard``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli._generate_options import GenerateOptions, generate_options, run_generation


@click.command("storyboard")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--shot",
    "shots",
    multiple=True,
    metavar="SECONDS:PROMPT",
    help='A shot that starts at that time, such as --shot 0:"a red ball" (repeatable; instead of FILE).',
)
@generate_options
def command(file: Path | None, shots: tuple[str, ...], options: GenerateOptions) -> None:
    """Make one clip from several prompts on a timeline: FILE (YAML or JSON), or --shot for each.

    FILE contains `shots`, each with `at` (seconds) and `prompt`, and optionally settings such as `seconds` or
    `model`; options given on the command line take precedence.
    """
    from safegen.request.build import storyboard
    from safegen.request.storyboard import load_storyboard

    board = load_storyboard(file, shots)
    options = options.with_defaults(board.settings)
    run_generation(storyboard(board.shots, **options.settings), options)
