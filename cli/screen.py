"""``safegen screen``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen._text import one_line
from safegen.cli import _options
from safegen.cli._output import print_json, say
from safegen.cli._setting_options import setting_option

if TYPE_CHECKING:
    from safegen.cli._output import Screen
    from safegen.types import Decision


@click.command(
    "screen", epilog="Exit codes: 0 allowed, 3 refused, 7 held for a person, 4 a check could not run."
)
@click.argument("prompt", required=False)
@setting_option("policy")
@setting_option("negative_prompt")
@click.option(
    "--jsonl",
    type=click.Path(path_type=Path, allow_dash=True),
    help='Read prompts from a file of {"id", "text"} lines ("-": stdin); prints one answer per line, '
    "in order.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Number of processes for --jsonl.",
)
@click.option(
    "--private", is_flag=True, help="Omit anything from the answers that could repeat words of the prompt."
)
@_options.as_json
@_options.plain
@click.pass_context
def command(
    ctx: click.Context,
    prompt: str | None,
    policy: str,
    negative_prompt: str,
    jsonl: Path | None,
    workers: int,
    private: bool,
    as_json: bool,
    plain: bool,
) -> None:
    """Check PROMPT against the policy; nothing is generated or recorded. Use "-" to read it from stdin."""
    if (prompt is None) == (jsonl is None):
        raise click.UsageError("give a prompt, or --jsonl FILE")
    if jsonl is not None:
        failed = _lines(jsonl, policy, workers=workers, private=private)
        ctx.exit(8 if failed else 0)
    from safegen.api import screen
    from safegen.cli._output import console

    text = _stdin() if prompt == "-" else str(prompt)
    decision = screen(text, policy=policy, negative_prompt=negative_prompt)
    if as_json:
        print_json(decision.to_dict(private=private))
    else:
        _show(decision, text, console(plain), private=private)
    ctx.exit(decision.outcome.exit_code)


def _stdin() -> str:
    """The prompt on standard input. Raises UsageError for what is no text."""
    from safegen.errors import UsageError

    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("standard input is not text in UTF-8", hint="give the prompt as text") from error


def _show(decision: Decision, text: str, console: Screen, *, private: bool) -> None:
    """Outcome, reasons, and the words they point at."""
    style = {"allow": "bold green", "review": "bold yellow", "block": "bold red"}[decision.outcome]
    word = {"allow": "ALLOWED", "review": "HELD", "block": "REFUSED"}[decision.outcome]
    console.print((word, style), f"  policy {decision.policy.name}, score {decision.score:.2f}")
    for finding in decision.findings[:10]:
        words = f' "{one_line(text[slice(*finding.span)], 80)}"' if finding.span else ""
        why = "" if private else f": {finding.reason}{words}"
        console.print(f"  - {finding.category}{why} ({finding.score:.2f})")
    ran = ", ".join(c.name for c in decision.checks)
    console.print(f"  ran: {ran}; policy {decision.policy.digest[:12]}")


def _lines(source: Path, policy: str, *, workers: int, private: bool) -> bool:
    """Screen a JSONL stream; whether any line was an error."""
    from safegen.errors import UnreadableInput
    from safegen.screening.jsonl import read_bounded_lines, screen_jsonl

    failed = read = 0
    try:
        stream = sys.stdin.buffer if str(source) == "-" else source.open("rb")
    except OSError as error:
        raise UnreadableInput(f"{source}: {error.strerror}", hint="check the path") from error
    with stream:
        ready = source.is_file()
        answers = screen_jsonl(
            read_bounded_lines(stream), policy=policy, workers=workers, private=private, ready=ready
        )
        for answer in answers:
            read += 1
            failed += "error" in answer
            print_json(answer, indent=None)
    if failed:
        have = "line has" if failed == read == 1 else "lines has" if failed == 1 else "lines have"
        say(f"hint:  {failed} of {read} {have} no decision: see `error`, and screen again", err=True)
    return failed > 0
