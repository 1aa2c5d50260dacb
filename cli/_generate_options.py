"""What the commands that make clips share: their options, and carrying out what was asked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from safegen.cli import _options

if TYPE_CHECKING:
    from safegen.api.generation import ReleaseOptions
    from safegen.protocols import Progress
    from safegen.request.build import BuiltRequest, RequestSettings

_SETTINGS = (
    click.option("--model", default="tiny", show_default=True, help="Model name, local folder or hub id."),
    click.option("--policy", default="default", show_default=True, help="Policy name or YAML file."),
    click.option("--negative-prompt", default="", help="What the video should not show."),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**63 - 1),
        help="The same seed gives the same clip (default: random).",
    ),
    click.option(
        "--size", help="Size, such as 480p, 720p (short side; 16:9 unless --aspect is given) or 832x480."
    ),
    click.option("--aspect", metavar="W:H", help="Aspect ratio: 16:9, 9:16, 1:1, ..."),
    click.option("--width", type=click.IntRange(16, 8192), help="Pixels (default: the model's choice)."),
    click.option("--height", type=click.IntRange(16, 8192), help="Pixels (default: the model's choice)."),
    click.option(
        "--seconds",
        type=click.FloatRange(0.1, 600),
        help="Total duration in seconds (default: the model's choice).",
    ),
    click.option(
        "--fps", type=click.IntRange(1, 120), help="Frames per second (default: the model's choice)."
    ),
    click.option(
        "--steps", type=click.IntRange(1, 1000), help="Denoising steps (default: the model's choice)."
    ),
    click.option(
        "--guidance", type=click.FloatRange(0, 50), help="Guidance scale (default: the model's choice)."
    ),
    click.option(
        "--option",
        "options",
        multiple=True,
        metavar="NAME=VALUE",
        help="A model-specific setting (see `safegen models show MODEL`; repeatable).",
    ),
)
_SETTING_NAMES = (
    "model",
    "policy",
    "negative_prompt",
    "seed",
    "size",
    "aspect",
    "width",
    "height",
    "seconds",
    "fps",
    "steps",
    "guidance",
    "options",
)
_RELEASING = (
    click.option("--watermark", default="tile", show_default=True, help="Watermark scheme."),
    click.option("--crf", type=click.IntRange(0, 51), default=18, show_default=True, help="H.264 quality."),
    _options.manifest,
    _options.label,
    _options.access,
    click.option("--force", is_flag=True, help="Replace an existing output."),
    click.option(
        "--approval",
        type=click.IntRange(0),
        metavar="INDEX",
        help="Number of a held decision that a person approved: lets the same request, or that clip, "
        "pass once.",
    ),
    click.option(
        "--variations",
        type=click.IntRange(1, 100),
        metavar="N",
        help="Make N clips with seeds derived from one: NAME-1.mp4, NAME-2.mp4, ... Exit 8: some failed.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="With --variations: keep those that already exist (give --seed and -o).",
    ),
    click.option(
        "--dry-run", is_flag=True, help="Screen the request and show what would be made, without making it."
    ),
    _options.passphrase_file,
    _options.workspace,
    _options.as_json,
    _options.plain,
)


@dataclass(frozen=True)
class GenerateOptions:
    """What was said with the shared options."""

    output: Path | None
    settings: RequestSettings
    force: bool
    watermark: str
    crf: int
    manifest: str | None
    label: str | None
    access: bool | None
    approval: int | None
    variations: int | None
    resume: bool
    dry_run: bool
    passphrase_file: Path | None
    workspace: Path | None
    as_json: bool
    plain: bool

    def with_defaults(self, settings: RequestSettings) -> GenerateOptions:
        """*settings* where the command line says nothing of its own."""
        source = click.get_current_context().get_parameter_source
        own = {k: v for k, v in self.settings.items() if source(k) is not ParameterSource.DEFAULT}
        merged = cast("RequestSettings", {**self.settings, **settings, **own})
        return replace(self, settings=merged)

    def release_options(self, progress: Progress) -> ReleaseOptions:
        """How to release, saying how far it is on *progress*."""
        return {
            "progress": progress,
            "watermark": self.watermark,
            "crf": self.crf,
            "manifest": self.manifest,
            "label": self.label,
            "access": self.access,
            "overwrite": self.force,
            "workspace": self.workspace,
            "passphrase": _options.passphrase(self.passphrase_file),
            "approval": self.approval,
        }


def options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; it gets them as one ``making: Making``."""

    @functools.wraps(function)
    def command(**values: Any) -> None:
        settings = {name: values.pop(name) for name in _SETTING_NAMES}
        settings["options"] = _parse_options(settings["options"])
        shared = {name: values.pop(name) for name in GenerateOptions.__annotations__ if name != "settings"}
        function(making=GenerateOptions(settings=settings, **shared), **values)  # type: ignore[arg-type]

    output = click.option(
        "-o", "--output", type=click.Path(path_type=Path), help="Output file (default: safegen-ID.mp4)."
    )
    given: Callable[..., None] = command
    for option in reversed((output, *_SETTINGS, *_RELEASING)):
        given = option(given)
    return given


def _parse_options(options: Sequence[str]) -> dict[str, Any]:
    """``NAME=VALUE`` options by name."""
    from safegen.generators.option_values import parse_name_values

    return parse_name_values(options)


def run_generation(asked: BuiltRequest, options: GenerateOptions) -> None:
    """Plan, make one, or make variations of what was *asked*, and show what became of it."""
    from safegen.errors import UsageError

    if options.dry_run and options.approval is not None:
        raise UsageError("an approval is spent when it is used", hint="omit --approval or --dry-run")
    if options.resume and None in (options.variations, options.output, options.settings["seed"]):
        raise UsageError("nothing to resume", hint="give --variations, --seed and -o as in the earlier run")
    if options.dry_run:
        _plan(asked, options)
    elif options.variations is not None:
        _vary(asked, options, options.variations)
    else:
        _one(asked, options)


def _plan(asked: BuiltRequest, making: GenerateOptions) -> None:
    """What would be made."""
    from safegen.api.generation import plan
    from safegen.cli._output import console, print_json
    from safegen.cli._text import printable

    would = plan(asked.request, making.output, workspace=making.workspace, notes=asked.notes)
    if making.variations is not None:
        would["variations"] = making.variations
    if making.as_json:
        print_json(would)
        return
    for name, value in would.items():
        console(making.plain).print(f"{name:<12}{printable(str(value))}")


def _one(asked: BuiltRequest, making: GenerateOptions) -> None:
    """One clip."""
    from safegen.api.generation import release_request
    from safegen.cli._output import ProgressBar
    from safegen.cli._release import show_release

    with ProgressBar(quiet=making.as_json, plain=making.plain) as bar:
        made = release_request(asked, making.output, **making.release_options(bar))
    show_release(made, as_json=making.as_json, plain=making.plain)


def _vary(asked: BuiltRequest, making: GenerateOptions, count: int) -> None:
    """Several clips; those that failed are named at the end (exit 8)."""
    from safegen.api.generation import variations
    from safegen.cli._output import ProgressBar, print_json
    from safegen.cli._release import release_json, show_variation
    from safegen.errors import BatchFailed
    from safegen.request.variations import SCHEMA, failed_variations, variation_json

    items = []
    with ProgressBar(quiet=making.as_json, plain=making.plain) as bar:
        for item in variations(
            asked, making.output, count, resume=making.resume, **making.release_options(bar)
        ):
            items.append(item)
            if not making.as_json:
                show_variation(item, plain=making.plain)
    bad = failed_variations(items)
    if making.as_json:
        shown = [variation_json(item, release_json) for item in items]
        print_json({"schema": SCHEMA, "seed": asked.request.seed, "failed": len(bad), "items": shown})
        click.get_current_context().exit(BatchFailed.exit_code if bad else 0)
    if bad:
        raise BatchFailed(
            f"{len(bad)} of {count} variations failed",
            hint=f"the others are released; retry these with --seed {asked.request.seed} --resume",
        )
