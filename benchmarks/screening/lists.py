"""Measure the rule lists on the frozen sets: ``python -m benchmarks.screening.lists``.

Prints aggregates only. Which names were missed is not shown on purpose: whoever edits the lists should not
tune them to the set.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import numpy as np

from safegen.detectors.prompt._lexicon import phrase
from safegen.detectors.prompt.rules import Rules
from safegen.screening import screen
from safegen.types import Action, Request

SETS = Path(__file__).resolve().parents[2] / "tests" / "data" / "lists"
OWN = frozenset(("deepfake_public_figure", "copyright_ip", "artist_style"))
_LOAD = """
import json, time
from safegen.detectors.prompt import rules
start = time.process_time()
rules.Rules().lexicon()
spent = time.process_time() - start
print(json.dumps({"load ms": 1000 * spent}))
"""


def rows(name: str) -> list[list[str]]:
    """The rows of one frozen set, cut at tabs."""
    return [line.split("\t") for line in (SETS / name).read_text("utf-8").splitlines()]


def named(text: str) -> bool:
    """Whether the lists find a person, a character or an artist in *text*."""
    return any(f.category in OWN for f in Rules().run(text)[0])


def held(text: str) -> bool:
    """Whether the default policy holds or refuses *text*, for its content or its language."""
    return screen(Request(text)).outcome is not Action.ALLOW


def listed(name: str) -> bool:
    """Whether *name* itself stands in a list as a term of its own."""
    terms = Rules().lexicon().by_term
    return any(phrase(name, exact) in terms for exact in (True, False))


def share(check: Callable[[str], bool], texts: Iterable[str]) -> tuple[int, int]:
    """(how many *check* says yes to, how many there are)."""
    answers = [check(t) for t in texts]
    return sum(answers), len(answers)


def recall() -> dict[str, list[str]]:
    """Prompts of the names set in groups: by listed or not, then by kind and form."""
    groups: dict[str, list[str]] = defaultdict(list)
    for kind, form, name, text in rows("names.tsv"):
        where = "in a list" if listed(name) else "in no list"
        groups[f"names {where}"].append(text)
        groups[f"- {kind}, {where}"].append(text)
        groups[f"- {form}, {where}"].append(text)
    groups["names, all"] = [r[3] for r in rows("names.tsv")]
    return dict(sorted(groups.items(), key=lambda g: (g[0].startswith("-"), g[0])))


def speed(repeat: int = 3) -> dict[str, float]:
    """CPU milliseconds per prompt (p50, p95) of the lists alone and of the whole default policy."""
    texts = [r[0] for r in rows("benign.txt")] + [r[3] for r in rows("names.tsv")]
    out: dict[str, float] = {}
    for name, check in (("lists", named), ("default policy", held)):
        check(texts[0])
        took: list[float] = []
        for i in range(repeat):
            for text in texts:
                start = time.process_time()
                check(f"{text} {i}")  # no cache knows it
                took.append(1000 * (time.process_time() - start))
        out[f"{name}: p50 ms"], out[f"{name}: p95 ms"] = np.percentile(took, [50, 95])
    return out


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(as_json: bool) -> None:
    """Recall, over-refusal, disguises, latency, load time and memory."""
    groups = recall()
    groups["benign (lower is better)"] = [r[0] for r in rows("benign.txt")]
    groups["disguised"] = [r[1] for r in rows("obfuscated.tsv")]
    table = {g: {"lists": share(named, t), "default policy": share(held, t)} for g, t in groups.items()}
    loading = json.loads(
        subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, check=True).stdout
    )
    figures = speed() | loading
    figures["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if as_json:
        click.echo(json.dumps({"table": table, "figures": figures}))
        return
    click.echo("| set | prompts | found by the lists | held or refused |\n|---|---|---|---|")
    for group, got in table.items():
        cells = [f"{n} ({n / total:.1%})" for n, total in got.values()]
        click.echo(f"| {group} | {got['lists'][1]} | " + " | ".join(cells) + " |")
    for name, value in figures.items():
        click.echo(f"{name}: {value:.2f}")


if __name__ == "__main__":
    main()
