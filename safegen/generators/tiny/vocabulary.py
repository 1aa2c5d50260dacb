"""The embedded model's words, grouped by what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files


def group_vocabulary(words: Sequence[str]) -> dict[str, list[str]]:
    """The words of the embedded model by what they are about; those that only join others are left out."""
    known = set(words)
    return {group: found for group, names in _groups().items() if (found := [w for w in names if w in known])}


@cache
def _groups() -> dict[str, list[str]]:
    import yaml

    data = yaml.safe_load(files(__package__).joinpath("vocabulary.yaml").read_text(encoding="utf-8"))
    return {str(group): [str(w) for w in names] for group, names in data.items()}
