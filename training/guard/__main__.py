"""``python -m training.guard train`` writes the weights; ``evaluate`` prints the table on the development sets."""

from __future__ import annotations

import sys

import click


@click.group()
def main() -> None:
    """Train and evaluate the embedded prompt classifier."""


@main.command()
def train() -> None:
    """Fit, calibrate and export (minutes on one core)."""
    from training.guard.train import train as run

    card = run()
    click.echo(f"{card['rows']} rows, sha256 {card['sha256']}")


@main.command()
def evaluate() -> None:
    """Report on sources that training never saw."""
    from training.guard.evaluate import table

    click.echo(table())


if __name__ == "__main__":
    sys.exit(main())
