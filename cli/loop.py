"""``safegen loop``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli._generate_options import GenerateOptions, generate_options, run_generation


@click.command("loop")
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("prompt", required=False)
@generate_options
def command(video: Path, prompt: str | None, options: GenerateOptions) -> None:
    """Make VIDEO end where it begins, so that it plays as a seamless loop.

    Without PROMPT, uses the one the workspace kept for VIDEO, if any. Refused (exit 3) if its credentials do
    not allow generative use or do not match it.
    """
    from safegen.pipeline.kept_prompt import prompt_or_kept
    from safegen.request.build import loop
    from safegen.workspace.config import find_workspace

    workspace = find_workspace(options.workspace)
    text, notes = prompt_or_kept(prompt, [video], workspace)
    run_generation(loop(video, text, notes=notes, **options.settings), options)
