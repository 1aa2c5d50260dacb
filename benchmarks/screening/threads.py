"""What one BLAS thread is worth: ``python -m benchmarks.screening.threads``. Both ways in turn, in one run.

Wall time, because threads that wait for each other cost that; how much depends on what else the machine does.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence

import click

from safegen.detectors.prompt.classifier import Classifier

PROMPTS = (
    "a red ball rolling left to right over green grass",
    "a busy street market at night, people walking under colourful lanterns, cinematic, slow motion",
)


def compare(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds for one prompt, sorted: with as many threads as numpy chooses, and as shipped."""
    classifier = Classifier()
    many: Callable[[Classifier, Sequence[str]], object] = Classifier.run_many.__wrapped__  # type: ignore[attr-defined]
    ways = (many, Classifier.run_many)
    taken: tuple[list[float], list[float]] = ([], [])
    for way in ways:
        way(classifier, PROMPTS)
    for i in range(rounds):
        for way, times in zip(ways, taken, strict=True):
            start = time.perf_counter()
            way(classifier, [PROMPTS[i % len(PROMPTS)]])
            times.append(time.perf_counter() - start)
    return sorted(taken[0]), sorted(taken[1])


@click.command()
@click.option("--rounds", default=200, show_default=True, help="Prompts each way.")
def main(rounds: int) -> None:
    """Print median and 90th percentile of both, and their ratio."""
    several, one = compare(rounds)
    for name, times in (("as numpy chooses", several), ("one thread", one)):
        high = times[len(times) * 9 // 10]
        click.echo(f"{name}: median {statistics.median(times) * 1000:.1f} ms, 90% {high * 1000:.1f} ms")
    click.echo(f"ratio of the medians: {statistics.median(several) / statistics.median(one):.1f}")
    if hasattr(os, "getloadavg"):
        click.echo(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    main()
