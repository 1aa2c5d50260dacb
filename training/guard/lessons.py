"""What the tuned encoder teaches the small transformer: its decision values and vectors for many texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from safegen.detectors.prompt._vectorise import feature_words
from safegen.detectors.prompt._wordpieces import Pieces
from safegen.detectors.prompt.normalise import plain_view
from training.guard import tune, unlabelled
from training.guard.data import Row
from training.guard.model import LABELS, targets
from training.guard.reader import Ids, Lessons

CHUNK = 20_000
"""Texts that the teacher answers before they are written down."""
SUBTLE = frozenset(("overt_safe", "overt_unsafe", "catqa", "advbench"))
"""Sources whose rows differ in little that makes all the difference; they get texts of their own."""
Floats = NDArray[np.float32]


def lessons(
    teacher: tune.Tuned,
    folder: Path,
    words: Sequence[str],
    rows: Sequence[Row],
    weight: NDArray[np.float64],
    *,
    more: int,
    state: Path,
    say: Callable[[str], None] = lambda _: None,
) -> Lessons:
    """Lessons on *rows* and on *more* texts without labels.

    *folder* is the encoder's, *words* its vocabulary; answers are kept in the folder *state*, so that an
    interrupted run goes on.
    """
    subtle = [r for r in rows if r.source.split("+")[0] in SUBTLE]
    texts = [r.text for r in rows] + unlabelled.texts(rows, more * 3 // 5)
    texts += unlabelled.texts(subtle, more * 2 // 5, seed=43, templates=False) if subtle else []
    answers = []
    for start in range(0, len(texts), CHUNK):
        path = state / f"answers-{start}.npz"
        if not path.exists():
            soft, vectors = _answers(teacher, tune.token_ids(folder, texts[start : start + CHUNK]))
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, soft=soft, vectors=vectors)
        with np.load(path) as kept:
            answers.append((kept["soft"], kept["vectors"]))
        say(f"{min(start + CHUNK, len(texts))} of {len(texts)} texts answered")
    return Lessons(
        pieces_of(words, texts),
        np.concatenate([a[0] for a in answers]),
        np.concatenate([a[1] for a in answers]),
        targets(list(rows)),
        weight.astype(np.float32),
    )


def pieces_of(words: Sequence[str], texts: Sequence[str]) -> Ids:
    """Piece rows of every text, as the run time cuts them."""
    pieces = Pieces({w: i for i, w in enumerate(words)})
    return [pieces.ids(feature_words(plain_view(t).text)) for t in texts]


@torch.no_grad()
def _answers(teacher: tune.Tuned, ids: Ids) -> tuple[Floats, NDArray[np.float16]]:
    """Decision values (texts, labels) and unit vectors (texts, size)."""
    teacher.eval()
    soft = np.zeros((len(ids), len(LABELS)), np.float32)
    vectors = np.zeros((len(ids), teacher.hidden.in_features), np.float16)
    for part in tune.batches(ids, np.random.default_rng(0), 4096):
        pooled = teacher.pooled(tune.padded([ids[i] for i in part], teacher.none)).float()
        soft[part] = teacher.decided(pooled).numpy()
        vectors[part] = pooled.numpy()
    return soft, vectors
