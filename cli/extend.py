"""``safegen extend``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli._generate_options import GenerateOptions, generate_options, run_generation


@click.command("extend")
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("prompt", required=False)
@click.option("--backwards", is_flag=True, help="Make what comes before it instead.")
@generate_options
def command(video: Path, prompt: str | None, backwards: bool, options: GenerateOptions) -> None:
    """Make what comes after VIDEO; the result contains both, and --seconds is its total length.

    Without PROMPT, uses the one the workspace kept for VIDEO, if any. Refused (exit 3) if its credentials do
    not allow generative use or do not match it.
    """
    from safegen.pipeline.kept_prompt import prompt_or_kept
    from safegen.request.build import extend
    from safegen.workspace.config import find_workspace

    workspace = find_workspace(options.workspace)
    text, notes = prompt_or_kept(prompt, [video], workspace, shot="first" if backwards else "last")
    run_generation(extend(video, text, backwards=backwards, notes=notes, **options.settings), options)
