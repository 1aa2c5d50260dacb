"""``safegen audit data``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safegen.cli import _options
from safegen.cli._output import say

if TYPE_CHECKING:
    from safegen.audit.data import DataAudit


@click.command("data")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--lexicon", default="people", show_default=True, help="people, world, or a YAML file.")
@click.option(
    "--text", metavar="COLUMN", help="Field that holds the text (default: text, prompt or caption)."
)
@click.option("--label", metavar="COLUMN", help="Field that holds the label (default: label).")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Folder to write the report to."
)
@_options.as_json
@_options.plain
def command(
    files: tuple[Path, ...],
    lexicon: str,
    text: str | None,
    label: str | None,
    output: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Report who and what the captions or labelled prompts in FILES mention, and how labels are distributed.

    FILES: .txt (one text per line), .jsonl or .csv. Identical texts with identical labels count once.
    """
    from safegen.audit import api, texts_report
    from safegen.cli._output import print_json

    found, subject = api.data(files, output, lexicon=lexicon, text=text, label=label)
    if as_json:
        print_json(texts_report.to_json(found, subject))
        return
    _show(found, plain)
    if output is not None:
        say()
        say(f"report    {output / 'report.html'}")


def _show(found: DataAudit, plain: bool) -> None:
    from safegen.cli._audit_view import coloured

    say(f"{found.texts} texts, {found.duplicates} duplicates ignored")
    for cell in found.audit.cells:
        speaking = found.speaking[cell.attribute]
        say()
        say(f"{cell.attribute}: {speaking} texts ({speaking / found.texts:.1%})")
        for s in sorted(cell.shares, key=lambda s: s.count, reverse=True):
            if s.count:
                say(f"  {s.name:<18}{s.count:>7}  {s.share:.1%} ({s.low:.1%} to {s.high:.1%})")
        if cell.n:
            head, why = f"  distance from equal shares {cell.corrected:.3f}: ", cell.why and f": {cell.why}"
            say(head, coloured(cell.verdict), why, plain=plain)
    _show_labels(found)


def _show_labels(found: DataAudit) -> None:

    if not found.rates:
        return
    differing = [r for r in found.rates if r.differs]
    say()
    say(f"labels: {len(differing)} of {len(found.rates)} rates differ from those of the other texts")
    for r in sorted(differing, key=lambda r: abs(r.rate - r.others_rate), reverse=True):
        mine, others = f"{r.rate:.1%} of {r.n}", f"others {r.others_rate:.1%} of {r.others}"
        between = f"{r.low:+.1%} to {r.high:+.1%}"
        say(f"  {r.label}, {r.dimension}: {r.name:<18}{mine}, {others} ({between})")
