"""``safegen remix``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli._generate_options import GenerateOptions, options, run_generation


@click.command("remix")
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("prompt")
@click.option(
    "--strength",
    type=click.FloatRange(0, 1, min_open=True),
    help="How far the result may depart from VIDEO: near 0 barely, 1 made from scratch (default: the "
    "model's choice).",
)
@options
def command(video: Path, prompt: str, strength: float | None, making: GenerateOptions) -> None:
    """Remake VIDEO from PROMPT; its credentials are kept as those of the source.

    Refused (exit 3) if its credentials do not allow generative use or do not match it.
    """
    from safegen.request.build import remix

    run_generation(remix(video, prompt, strength=strength, **making.settings), making)
