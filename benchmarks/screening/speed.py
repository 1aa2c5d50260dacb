"""How fast: ``python -m benchmarks.screening.speed``. Beside a plain TF-IDF of scikit-learn, in the same run.

Seconds of processor time count, which other work on the machine does not lengthen; wall time is printed too.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import click

from safegen.detectors.prompt.classifier import Classifier
from safegen.screening import screen_many
from training.guard import data

_FIRST = """
import time
from safegen.screening import screen
from safegen.types import Request
screen(Request("a red ball"))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time(), int(peak.split()[1]) / 1024)
"""


def tfidf(rows: Sequence[data.Row]) -> Callable[[Sequence[str]], object]:
    """Word and character TF-IDF with logistic regression, fitted on *rows*; gives probabilities."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True),
    )
    model = make_pipeline(features, LogisticRegression(max_iter=200))
    model.fit([r.text for r in rows], [r.unsafe for r in rows])
    return lambda texts: model.predict_proba(list(texts))


def rate(
    work: Callable[[Sequence[str]], object], texts: Sequence[str], repeats: int = 3
) -> tuple[float, float]:
    """(prompts per second of processor time, per second), the best of *repeats* passes."""
    best, wall = 0.0, 0.0
    work(texts[:20])
    for _ in range(repeats):
        cpu, clock = time.process_time(), time.perf_counter()
        work(texts)
        best = max(best, len(texts) / max(1e-9, time.process_time() - cpu))
        wall = max(wall, len(texts) / max(1e-9, time.perf_counter() - clock))
    return best, wall


@click.command()
@click.option("--prompts", "count", default=1000, show_default=True, help="Prompts per set.")
@click.option("--workers", default=2, show_default=True, help="Processes of the row that uses several.")
def main(count: int, workers: int) -> None:
    """Print the table."""
    rng = random.Random(7)
    fitted = tfidf(rng.sample(data.train_rows(), 4000))
    classifier = Classifier()
    systems: dict[str, Callable[[Sequence[str]], object]] = {
        "TF-IDF + logistic regression (scikit-learn), a batch": fitted,
        "TF-IDF + logistic regression (scikit-learn), one by one": lambda ts: [fitted([t]) for t in ts],
        "embedded classifier, 64 together": lambda ts: [
            classifier.run_many(ts[i : i + 64]) for i in range(0, len(ts), 64)
        ],
        "embedded classifier, one by one": lambda ts: [classifier.run(t) for t in ts],
        "screen_many: rules + classifier + policy": lambda ts: list(screen_many(ts)),
    }
    click.echo("| set | system | per CPU second | per second here | ratio to TF-IDF, batch |")
    click.echo("|---|---|---|---|---|")
    for name in ("vbench", "jdb_diffusiondb_benign"):
        rows = data.dev_rows(name)
        texts = [r.text[:2000] for r in rng.sample(rows, min(count, len(rows)))]
        base = 0.0
        for system, work in systems.items():
            cpu, wall = rate(work, texts)
            base = base or cpu
            click.echo(f"| {name} | {system} | {cpu:.0f} | {wall:.0f} | {cpu / base:.2f} |")
        clock = time.perf_counter()
        list(screen_many(texts * 4, workers=workers))
        wall = 4 * len(texts) / (time.perf_counter() - clock)
        click.echo(f"| {name} | screen_many, {workers} processes, start-up included | | {wall:.0f} | |")
    first, memory = subprocess.run(
        [sys.executable, "-c", _FIRST], capture_output=True, text=True, check=True
    ).stdout.split()
    click.echo(f"first answer after {float(first):.2f} CPU seconds, {float(memory):.0f} MB at most")


if __name__ == "__main__":
    main()
