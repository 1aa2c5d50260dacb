"""Turn clips into counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from safegen.audit.schema import OTHER, UNKNOWN

Rows: TypeAlias = Sequence[tuple[int | str, Mapping[str, float]]]
"""For each clip: its prompt (whatever tells prompts apart) and the probabilities over classes."""


def count_classes(names: Sequence[str], rows: Rows) -> tuple[list[str], NDArray[np.float64], int]:
    """Classes, counts by prompt (prompts, K), and how many clips were ``unknown``.

    A clip counts for its likeliest class. What is none of *names* is ``other``, which appears only if seen.
    """
    prompts: dict[int | str, Counter[str]] = {}
    unknown = 0
    for prompt, probabilities in rows:
        value = max(probabilities, key=lambda k: probabilities[k])
        if value == UNKNOWN:
            unknown += 1
            continue
        prompts.setdefault(prompt, Counter())[value if value in names else OTHER] += 1
    classes = [*names, *([OTHER] if any(c[OTHER] for c in prompts.values()) else [])]
    counts = np.array([[c[k] for k in classes] for c in prompts.values()], np.float64)
    return classes, counts.reshape(len(prompts), len(classes)), unknown
