"""``safegen generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen.cli import _options

if TYPE_CHECKING:
    from safegen.types import Release


@click.command("generate")
@click.argument("prompt")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Final path (default: safegen-ID.mp4).")
@click.option("--model", default="tiny", show_default=True, help="Model name, local folder or hub id.")
@click.option("--policy", default="default", show_default=True, help="Policy name or YAML file.")
@click.option("--negative-prompt", default="", help="What should not be there.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Same seed, same clip (default: random).")
@click.option("--width", type=click.IntRange(16, 8192), help="Pixels (default: the model's choice).")
@click.option("--height", type=click.IntRange(16, 8192), help="Pixels (default: the model's choice).")
@click.option("--seconds", type=click.FloatRange(0.1, 600), help="Duration (default: the model's choice).")
@click.option("--fps", type=click.IntRange(1, 120), help="Frames per second (default: the model's choice).")
@click.option("--steps", type=click.IntRange(1, 1000), help="Denoising steps (default: the model's choice).")
@click.option(
    "--guidance", type=click.FloatRange(0, 50), help="Guidance scale (default: the model's choice)."
)
@click.option("--watermark", default="tile", show_default=True, help="Watermark scheme.")
@click.option("--crf", type=click.IntRange(0, 51), default=18, show_default=True, help="H.264 quality.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option(
    "--approval",
    type=click.IntRange(0),
    metavar="INDEX",
    help="A held decision that a person approved: lets exactly the same request pass, once.",
)
@click.option("--dry-run", is_flag=True, help="Screen, say what would be made, make nothing.")
@_options.passphrase_file
@_options.workspace
@_options.as_json
@_options.plain
def command(
    prompt: str,
    output: Path | None,
    model: str,
    policy: str,
    negative_prompt: str,
    seed: int | None,
    width: int | None,
    height: int | None,
    seconds: float | None,
    fps: int | None,
    steps: int | None,
    guidance: float | None,
    watermark: str,
    crf: int,
    force: bool,
    approval: int | None,
    dry_run: bool,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Generate a video from PROMPT: screened, marked, signed, recorded, then released.

    The file appears only when every step has succeeded. Exit 3: refused; 7: held for a person.
    """
    from safegen.api import generate_request, new_seed, plan
    from safegen.cli._output import Bar, console, print_json
    from safegen.types import Request

    request = Request(
        prompt=prompt,
        negative_prompt=negative_prompt,
        model=model,
        policy=policy,
        seed=new_seed() if seed is None else seed,
        width=width,
        height=height,
        seconds=seconds,
        fps=fps,
        steps=steps,
        guidance=guidance,
    )
    if dry_run and approval is not None:
        from safegen.errors import UsageError

        raise UsageError("an approval is spent when it is used", hint="leave --approval or --dry-run out")
    if dry_run:
        would = plan(request, output, workspace=workspace)
        if as_json:
            print_json(would)
        else:
            for name, value in would.items():
                console(plain).print(f"{name:<12}{value}")
        return
    with Bar(quiet=as_json, plain=plain) as bar:
        release = generate_request(
            request,
            output,
            watermark=watermark,
            crf=crf,
            overwrite=force,
            workspace=workspace,
            passphrase=_options.passphrase(passphrase_file),
            progress=bar,
            approval=approval,
        )
    show_release(release, as_json=as_json, plain=plain)


def show_release(release: Release, *, as_json: bool, plain: bool) -> None:
    """What was released, for people or programs."""
    from safegen.cli._output import console, print_json
    from safegen.cli._text import plain as clean

    if as_json:
        print_json(release_json(release))
        return
    out = console(plain)
    for warning in release.warnings:
        click.echo(click.style("note: ", fg="yellow") + clean(warning), err=True)
    out.print(f"released   {clean(_short(release.path))}")
    out.print(f"id         {release.content_id:016x} (hidden in the pictures)")
    out.print(f"manifest   {clean(release.manifest_id)}")
    out.print(f"ledger     entry {release.index}, proof in {clean(release.sidecars[0].name)}")
    shown = ", ".join(f"{a.name} {a.value}" for a in release.attributes)
    if shown:
        out.print(f"shows      {clean(shown)}")
    out.print(f"took       {sum(release.timings.values()):.1f} s")


def _short(path: Path) -> str:
    """*path* from the current folder, where it lies in it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def release_json(release: Release) -> dict[str, object]:
    """A release as JSON (``safegen.release/1``)."""
    return {
        "schema": "safegen.release/1",
        "path": str(release.path),
        "sha256": release.sha256,
        "content_id": f"{release.content_id:016x}",
        "manifest_id": release.manifest_id,
        "ledger_index": release.index,
        "sidecars": [str(s) for s in release.sidecars],
        "checks": [{k: v for k, v in vars(c).items() if v is not None} for c in release.checks],
        "attributes": {a.name: dict(a.probabilities) for a in release.attributes},
        "warnings": list(release.warnings),
        "timings": {k: round(v, 3) for k, v in release.timings.items()},
    }
