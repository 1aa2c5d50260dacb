"""Print the table: one column per system, on the development sets of the prompt corpus or on a file."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.screening import labelled
from benchmarks.screening.measure import figures
from benchmarks.screening.systems import available


@click.command()
@click.option("--system", "only", multiple=True, help="Only these systems.")
@click.option(
    "--data",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Labelled prompts instead, {"text", "label": "safe" or "unsafe"} a line; may be given again.',
)
@click.option("--guard", help="Also measure this guard (a folder, or a hub id that was downloaded).")
@click.option(
    "--encoder", help="Also measure this sentence encoder (a folder, or a hub id that was downloaded)."
)
@click.option("--heads", help="The folder of heads for the encoder.")
def main(
    only: tuple[str, ...], files: tuple[Path, ...], guard: str | None, encoder: str | None, heads: str | None
) -> None:
    """Measure every system that is installed."""
    installed = available(guard, encoder, heads)
    systems = {n: s for n, s in installed.items() if not only or n in only}
    if not systems:
        raise click.UsageError(f"no such system; installed: {', '.join(installed)}")
    if not files:
        found = {name: figures(system) for name, system in systems.items()}
        shown = {
            name: {k: f"{v:.1f}" if "ms" in k else f"{v:.3f}" for k, v in column.items()}
            for name, column in found.items()
        }
        _table("development sets", shown)
    for file in files:
        _table(file.name, {name: labelled.figures(system, file) for name, system in systems.items()})


def _table(title: str, columns: dict[str, dict[str, str]]) -> None:
    """One Markdown table."""
    click.echo(f"| {title} | " + " | ".join(columns) + " |\n|---" + "|---" * len(columns) + "|")
    for row in next(iter(columns.values())):
        click.echo(f"| {row} | " + " | ".join(c[row] for c in columns.values()) + " |")


if __name__ == "__main__":
    main()
