"""The command line: one file per command, no logic.

Commands are imported when they are used, so that ``safegen --help`` costs little more than click.
"""

from __future__ import annotations

import importlib

import click

from safegen.cli._help import fit
from safegen.cli._logging import add_verbose
from safegen.cli._output import say

_COMMANDS = {
    "generate": "Generate a screened, marked, signed and recorded video.",
    "remix": "Remake a video from a prompt.",
    "extend": "Extend a video forwards or backwards.",
    "loop": "Make a video loop seamlessly.",
    "blend": "Make a clip that turns one video into another.",
    "storyboard": "Make one clip from several prompts on a timeline.",
    "reproduce": "Generate a release again and compare the frames.",
    "template": "Make clips from templates, one for each row of a table.",
    "verify": "Find out where a file comes from: one verdict from every layer.",
    "describe": "Write captions, descriptions and a transcript for a video.",
    "detect": "Look only for the watermark: where it is and how certain that is.",
    "moderate": "Report what a video shows, second by second, and whether it may be released.",
    "comply": "Check a file against a disclosure rule.",
    "screen": "Check a prompt against the policy; nothing is generated.",
    "protect": "Mark, sign and record a video made elsewhere.",
    "review": "Decide on requests that the policy held.",
    "consent": "Record who agreed to the use of their likeness, and until when.",
    "log": "Inspect the tamper-evident ledger.",
    "keys": "Manage the workspace's signing identity.",
    "workspace": "Back up, restore and move workspaces; say which may be used where found.",
    "trust": "Manage whose signatures and ledgers you trust.",
    "policy": "List, show, write, compare, test and check policies.",
    "audit": "Measure what models, training data and screens prefer.",
    "models": "List, describe, pull and verify the models.",
    "doctor": "Check the installation and report what is missing.",
}


class _LazyGroup(click.Group):
    """A group whose commands live in modules of their own, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; its object is called ``command``."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"safegen.cli.{cmd_name}").command
        return fit(add_verbose(command))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with a near miss named."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            also = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{also}")
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Print the version and stop."""
    if value and not ctx.resilient_parsing:
        from safegen._version import __version__

        say(f"safegen {__version__}")
        ctx.exit()


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 usage, 3 refused, 4 a check could not run, 5 generation failed, 6 "
    "nothing released, 7 held for review, 8 some of a batch failed, 9 a gate failed; verify: "
    "10-40, see `safegen verify --help`.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
def group() -> None:
    """Generate video you can prove: screened, watermarked, signed, recorded - and verified anywhere."""


fit(add_verbose(group))


def main() -> None:
    """The console script: runs the group; every deliberate error becomes one line and its exit code."""
    from safegen.cli._run import run

    run(group)
