"""``python -m training.guard encoder``, then ``train`` write weights; the other commands print tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from safegen.detectors.prompt.encoder import MODEL

STATE = Path("out/guard")
_model = click.option(
    "--model", default=MODEL, show_default=True, help="Folder of the encoder, or a downloaded hub id."
)
_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=STATE,
    show_default=True,
    help="Where training stands; an interrupted run goes on there.",
)


@click.group()
def main() -> None:
    """Train and evaluate the embedded prompt classifier and the encoder tier."""


@main.command()
@_model
@_state
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for adapters and heads; default: STATE/heads."
)
@click.option("--rows", "limit", type=click.IntRange(min=100), help="Use at most so many rows.")
def encoder(model: str, state: Path, out: Path | None, limit: int | None) -> None:
    """Tune a sentence encoder: adapters and heads (half an hour on one core for the default encoder)."""
    from training.guard.encoder import train as run

    card = run(
        model, out or state / "heads", state=state / "encoder.pt", limit=limit,
        say=lambda line: click.echo(line, err=True),
    )  # fmt: skip
    click.echo(f"{card['rows']} rows, sha256 {card['sha256']}")


@main.command()
@_model
@_state
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the weights; default: STATE/weights."
)
@click.option("--keep", type=click.Path(path_type=Path), help="Save held-out probabilities here.")
@click.option(
    "--ngrams",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take the n-gram half from these weights instead of fitting it.",
)
def train(model: str, state: Path, out: Path | None, keep: Path | None, ngrams: Path | None) -> None:
    """Train the embedded classifier, taught by the encoder that was tuned in STATE (an hour on one core)."""
    from training.guard.train import train as run

    card = run(
        model, out or state / "weights", state=state, keep=keep, ngrams=ngrams,
        say=lambda line: click.echo(line, err=True),
    )  # fmt: skip
    click.echo(f"{card['rows']} rows, sha256 {card['sha256']}")


@main.command()
@click.argument("kept", type=click.Path(exists=True, path_type=Path))
def thresholds(kept: Path) -> None:
    """Print thresholds from the held-out probabilities in KEPT."""
    from training.guard.thresholds import table

    click.echo(table(kept))


@main.command()
def evaluate() -> None:
    """Report on sources that training never saw."""
    from training.guard.evaluate import table

    click.echo(table())


if __name__ == "__main__":
    sys.exit(main())
