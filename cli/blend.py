"""``safegen blend``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli._generate_options import GenerateOptions, generate_options, run_generation


@click.command("blend")
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("next_video", type=click.Path(path_type=Path))
@click.argument("prompt", required=False)
@generate_options
def command(video: Path, next_video: Path, prompt: str | None, options: GenerateOptions) -> None:
    """Make a clip that turns VIDEO into NEXT_VIDEO.

    Without PROMPT, uses the one the workspace kept for either video, if any. Refused (exit 3) if the
    credentials of either do not allow generative use or do not match it.
    """
    from safegen.pipeline.kept_prompt import prompt_or_kept
    from safegen.request.build import blend
    from safegen.workspace.config import find_workspace

    workspace = find_workspace(options.workspace)
    text, notes = prompt_or_kept(prompt, [video, next_video], workspace)
    run_generation(blend(video, next_video, text, notes=notes, **options.settings), options)
