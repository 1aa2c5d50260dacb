"""``python -m training.guard train`` writes the weights, ``thresholds`` and ``evaluate`` print tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from safegen.detectors.prompt.encoder import MODEL


@click.group()
def main() -> None:
    """Train and evaluate the embedded prompt classifier."""


@main.command()
@click.option("--encoder", default="", help="Folder of the sentence encoder; default: its hub id.")
@click.option("--keep", type=click.Path(path_type=Path), help="Save held-out probabilities here.")
@click.option(
    "--ngrams",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take the n-gram half from these weights instead of fitting it.",
)
def train(encoder: str, keep: Path | None, ngrams: Path | None) -> None:
    """Fit, calibrate and export (about five minutes on one core)."""
    from training.guard.train import train as run
    from training.guard.vectors import ENCODER

    card = run(encoder or ENCODER, keep=keep, ngrams=ngrams, say=lambda line: click.echo(line, err=True))
    click.echo(f"{card['rows']} rows, sha256 {card['sha256']}")


@main.command()
@click.argument("kept", type=click.Path(exists=True, path_type=Path))
def thresholds(kept: Path) -> None:
    """Print thresholds from the held-out probabilities in KEPT."""
    from training.guard.thresholds import table

    click.echo(table(kept))


@main.command()
@click.option(
    "--model", default=MODEL, show_default=True, help="Folder of the encoder, or a downloaded hub id."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the heads; default: the shipped ones."
)
@click.option("--rows", "limit", type=click.IntRange(min=100), help="Use at most so many rows.")
def encoder(model: str, out: Path | None, limit: int | None) -> None:
    """Train heads over a sentence encoder (five minutes on one core for the default encoder)."""
    from training.guard.encoder import HEADS
    from training.guard.encoder import train as run

    card = run(model, out or HEADS, limit=limit, say=lambda line: click.echo(line, err=True))
    click.echo(f"{card['rows']} rows, sha256 {card['sha256']}")


@main.command()
def evaluate() -> None:
    """Report on sources that training never saw."""
    from training.guard.evaluate import table

    click.echo(table())


if __name__ == "__main__":
    sys.exit(main())
