"""What the commands that make clips share: their options, and running the request that they build."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from safegen.cli import _options
from safegen.cli._setting_options import clip_options, setting_option
from safegen.request.settings import names_for

if TYPE_CHECKING:
    from safegen.api.options import ReleaseOptions
    from safegen.protocols import Progress
    from safegen.request.build import BuiltRequest, RequestSettings

_RELEASE = (
    setting_option("watermark"),
    setting_option("crf"),
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
    """The values of the shared options."""

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
        """How to release; *progress* receives the progress."""
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


def generate_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; it gets them as one ``options: GenerateOptions``."""

    @functools.wraps(function)
    def command(**values: Any) -> None:
        from safegen.generators.remote.origins import confirm

        settings = {name: values.pop(name) for name in names_for("clip")}
        settings["options"] = _parse_options(settings["options"])
        confirm(settings["model"])
        shared = {name: values.pop(name) for name in GenerateOptions.__annotations__ if name != "settings"}
        function(options=GenerateOptions(settings=settings, **shared), **values)  # type: ignore[arg-type]

    output = click.option(
        "-o", "--output", type=click.Path(path_type=Path), help="Output file (default: safegen-ID.mp4)."
    )
    given: Callable[..., None] = command
    for option in reversed((output, *clip_options(), *_RELEASE)):
        given = option(given)
    return given


def _parse_options(options: Sequence[str]) -> dict[str, Any]:
    """``NAME=VALUE`` options by name."""
    from safegen.generators.option_values import parse_name_values

    return parse_name_values(options)


def run_generation(built: BuiltRequest, options: GenerateOptions) -> None:
    """Plan, make one, or make variations of *built*, and show the outcome."""
    from safegen.errors import UsageError

    if options.dry_run and options.approval is not None:
        raise UsageError("an approval is spent when it is used", hint="omit --approval or --dry-run")
    if options.resume and None in (options.variations, options.output, options.settings["seed"]):
        raise UsageError("nothing to resume", hint="give --variations, --seed and -o as in the earlier run")
    if options.dry_run:
        _plan(built, options)
    elif options.variations is not None:
        _vary(built, options, options.variations)
    else:
        _one(built, options)


def _plan(built: BuiltRequest, options: GenerateOptions) -> None:
    """What would be made."""
    from safegen.api.generation import plan
    from safegen.cli._output import console, print_json

    planned = plan(built.request, options.output, workspace=options.workspace, notes=built.notes)
    if options.variations is not None:
        planned["variations"] = options.variations
    if options.as_json:
        print_json(planned)
        return
    for name, value in planned.items():
        console(options.plain).print(f"{name:<12}{value}")


def _one(built: BuiltRequest, options: GenerateOptions) -> None:
    """One clip."""
    from safegen.api.generation import release_request
    from safegen.cli._output import ProgressBar
    from safegen.cli._release import show_release

    with ProgressBar(quiet=options.as_json, plain=options.plain) as bar:
        made = release_request(built, options.output, **options.release_options(bar))
    show_release(made, as_json=options.as_json, plain=options.plain)


def _vary(built: BuiltRequest, options: GenerateOptions, count: int) -> None:
    """Several clips; those that failed are named at the end (exit 8)."""
    from safegen.api.generation import variations
    from safegen.cli._output import ProgressBar, print_json
    from safegen.cli._release import show_variation
    from safegen.errors import BatchFailed
    from safegen.request.variations import SCHEMA, failed_variations

    items = []
    with ProgressBar(quiet=options.as_json, plain=options.plain) as bar:
        for item in variations(
            built, options.output, count, resume=options.resume, **options.release_options(bar)
        ):
            items.append(item)
            if not options.as_json:
                show_variation(item, plain=options.plain)
    bad = failed_variations(items)
    if options.as_json:
        shown = [item.to_dict() for item in items]
        print_json({"schema": SCHEMA, "seed": built.request.seed, "failed": len(bad), "items": shown})
        click.get_current_context().exit(BatchFailed.exit_code if bad else 0)
    if bad:
        raise BatchFailed(
            f"{len(bad)} of {count} variations failed",
            hint=f"the others are released; retry these with --seed {built.request.seed} --resume",
        )
