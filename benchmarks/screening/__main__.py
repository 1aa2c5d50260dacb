"""Print the table: one column per system, on the development sets of the prompt corpus."""

from __future__ import annotations

import click

from benchmarks.screening.measure import figures
from benchmarks.screening.systems import available


@click.command()
@click.option("--system", "only", multiple=True, help="Only these systems.")
def main(only: tuple[str, ...]) -> None:
    """Measure every system that is installed."""
    systems = {n: s for n, s in available().items() if not only or n in only}
    columns = {name: figures(system) for name, system in systems.items()}
    click.echo("| | " + " | ".join(columns) + " |\n|---" * 1 + "|---" * len(columns) + "|")
    for row in next(iter(columns.values())):
        cells = " | ".join(f"{c[row]:.3f}" if "ms" not in row else f"{c[row]:.1f}" for c in columns.values())
        click.echo(f"| {row} | {cells} |")


if __name__ == "__main__":
    main()
