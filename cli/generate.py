"""``safegen generate``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli._generate_options import GenerateOptions, generate_options, run_generation
from safegen.cli._release import release_json as release_json
from safegen.cli._release import show_release as show_release


@click.command("generate")
@click.argument("prompt")
@click.option("--image", type=click.Path(path_type=Path), help="Picture that the video begins with.")
@click.option(
    "--last-image",
    type=click.Path(path_type=Path),
    help="Picture that the video ends with (if the model supports it).",
)
@generate_options
def command(prompt: str, image: Path | None, last_image: Path | None, options: GenerateOptions) -> None:
    """Generate a video from PROMPT: screened, marked, signed, recorded, then released.

    The file appears only when every step has succeeded. Exit 3: refused; 7: held for a person.
    """
    from safegen.request.build import generate

    run_generation(generate(prompt, image=image, last_image=last_image, **options.settings), options)
