"""Per language: is it recognised, and so held? ``python -m benchmarks.screening.languages``.

The classifier understands English. Prompts in other languages are held for a person, if the language is seen
to be another one: what is taken for English is judged as English.
"""

from __future__ import annotations

import random
from collections import defaultdict

import click

from safegen.policies import load
from safegen.screening._checks import language_of
from training.guard import benign, data


def texts(most: int, seed: int = 5) -> dict[str, list[str]]:
    """Up to *most* texts per language: Multilingual HateCheck, prompts of this project, English captions."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in [*data.train_rows(), *benign.rows()]:
        if row.lang != "en" or row.source in {"hatecheck", "fetv", "coco_captions", "overt_safe"}:
            found[row.lang].append(row.text)
    rng = random.Random(seed)
    return {lang: rng.sample(rows, min(most, len(rows))) for lang, rows in sorted(found.items())}


@click.command()
@click.option("--prompts", "most", default=600, show_default=True, help="Texts per language, at most.")
def main(most: int) -> None:
    """Print the table: recognised, taken for English, held under the default policy."""
    policy = load("default")
    supported = policy.languages.supported
    click.echo("| language | texts | recognised | taken for English | held for its language |")
    click.echo("|---|---|---|---|---|")
    for lang, rows in texts(most).items():
        codes = [language_of(t, policy).code for t in rows]
        shares = [
            sum(c == lang for c in codes),
            sum(c == "en" for c in codes),
            sum(c not in supported for c in codes),
        ]
        cells = " | ".join(f"{n / len(rows):.1%}" for n in shares)
        click.echo(f"| {lang} | {len(rows)} | {cells} |")


if __name__ == "__main__":
    main()
