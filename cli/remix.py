"""``safegen remix``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli._generate_options import GenerateOptions, generate_options, run_generation
from safegen.cli._setting_options import setting_option


@click.command("remix")
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("prompt")
@setting_option("strength")
@generate_options
def command(video: Path, prompt: str, strength: float | None, options: GenerateOptions) -> None:
    """Remake VIDEO from PROMPT; its credentials are kept as those of the source.

    Refused (exit 3) if its credentials do not allow generative use or do not match it.
    """
    from safegen.request.build import remix

    run_generation(remix(video, prompt, strength=strength, **options.settings), options)
