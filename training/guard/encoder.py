"""Heads for the encoder tier: a small network over a sentence encoder's vectors (PyTorch; training only).

Another encoder needs other heads: ``python -m training.guard encoder --model FOLDER --out FOLDER``.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from safegen.detectors.prompt import _vectorise
from safegen.detectors.prompt._sentences import Sentences, wording
from safegen.detectors.prompt.encoder import HEADS, KIND
from safegen.detectors.prompt.guards._files import folder_of
from safegen.detectors.prompt.normalise import plain
from training.guard import benign, data, model, unsafe
from training.guard.data import Row

HIDDEN, BATCH, EPOCHS = 96, 128, 12
VERSION = "1"
AT_MOST = {
    "chronomagic": 600, "coco_captions": 1500, "coprov2": 8000, "multi_hatecheck": 0, "gen_video": 400,
    "gen_tags": 800, "gen_instructions": 900, "gen_world": 50, "gen_short": 800, "gen_harmless": 400,
    "gen_unsafe": 1500, "gen_unsafe_ask": 900, "gen_foreign": 0,
}  # fmt: skip
"""Rows per source; sources that are not named count whole."""
Floats = NDArray[np.float32]


def chosen(rows: Sequence[Row], at_most: Mapping[str, int] = AT_MOST, seed: int = 3) -> list[Row]:
    """*rows* in random order, of each source as many as it may have."""
    mixed = list(rows)
    random.Random(seed).shuffle(mixed)
    seen: Counter[str] = Counter()
    out = []
    for row in mixed:
        seen[row.source] += 1
        if seen[row.source] <= at_most.get(row.source, len(mixed)):
            out.append(row)
    return out


def train(
    encoder: str,
    out: Path = HEADS,
    *,
    limit: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Encode (at most *limit*) rows, fit, calibrate on held-out sources, write heads and card into *out*.

    *encoder* is a folder or a hub id that was downloaded. Returns the card.
    """
    folder, version = folder_of(encoder, None, "sentence encoder")
    sentences = Sentences(folder)
    rows = chosen([*data.train_rows(), *benign.rows(), *unsafe.rows()])[:limit]
    say(f"{len(rows)} rows to encode")
    parts = [encoded(sentences, rows[i : i + 2048]) for i in range(0, len(rows), 2048)]
    arrays = heads(np.concatenate(parts), rows, say=say)
    name = encoder if version != "local" else "a local folder"
    return export(out, arrays, sentences.digest, encoder=name, rows=len(rows))


def encoded(sentences: Sentences, rows: Sequence[Row]) -> Floats:
    """Vectors of *rows* as the run time makes them, shape (rows, size)."""
    return sentences.vectors([wording(_vectorise.words_of(plain(r.text).text)) for r in rows])


def heads(
    vectors: Floats, rows: list[Row], *, epochs: int = EPOCHS, say: Callable[[str], None] = lambda _: None
) -> dict[str, Floats]:
    """One hidden layer per encoder, one output per label, trained on the rows that are not held out."""
    kept = np.array([data.is_held_out(r) for r in rows])
    learn = [r for r, k in zip(rows, kept, strict=True) if not k]
    say(f"{len(learn)} to learn from, {int(kept.sum())} held out")
    arrays = _fit(vectors[~kept], learn, epochs)
    h = np.maximum(vectors[kept] @ arrays["hidden"].T + arrays["hidden_bias"], 0)
    z = h @ arrays["out"].T + arrays["out_bias"]
    slope, shift = _platt(z, [r for r, k in zip(rows, kept, strict=True) if k])
    return {**arrays, "slope": slope, "shift": shift}


def _fit(vectors: Floats, rows: list[Row], epochs: int, seed: int = 0) -> dict[str, Floats]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    y = torch.tensor(model.targets(rows), dtype=torch.float32)
    x = torch.from_numpy(vectors)
    w = torch.tensor([0.5 if r.source == "coprov2" else 1.0 for r in rows])[:, None]
    net = nn.Sequential(
        nn.Dropout(0.1), nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(HIDDEN, len(model.LABELS)),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    steps, done = epochs * -(-len(rows) // BATCH), 0
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(rows)), -(-len(rows) // BATCH)):
            optimiser.param_groups[0]["lr"] = 3e-3 * (1 - done / steps)
            done += 1
            optimiser.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(net(x[part]), y[part], reduction="none")
            unsure = (y[part][:, :1] > 0) & (y[part] == 0)
            unsure[:, 0] = False
            loss = loss * torch.where(unsure, 0.3, 1.0) * w[part]
            (loss[:, 0].mean() * 2 + loss[:, 1:].mean() * 4).backward()
            optimiser.step()
    first, last = net[1], net[4]
    named = {"hidden": first.weight, "hidden_bias": first.bias, "out": last.weight, "out_bias": last.bias}
    return {k: np.asarray(v.detach().numpy(), np.float32) for k, v in named.items()}


def _platt(z: Floats, rows: list[Row]) -> tuple[Floats, Floats]:
    """Slope and shift per label (Platt 1999); categories against benign rows. One and zero where few are."""
    y = model.targets(rows) if rows else np.zeros((0, len(model.LABELS)), bool)
    slope, shift = np.ones(len(model.LABELS), np.float32), np.zeros(len(model.LABELS), np.float32)
    for j in range(len(model.LABELS)):
        use = (y[:, j] | ~y[:, 0]) if j else np.ones(len(y), bool)
        if y[use, j].sum() < 5 or (~y[use, j]).sum() < 5:
            continue
        fitted = LogisticRegression(C=100.0).fit(z[use][:, j : j + 1], y[use, j])
        slope[j], shift[j] = max(float(fitted.coef_[0, 0]), 0.05), fitted.intercept_[0]
    return slope, shift


def export(
    folder: Path, arrays: Mapping[str, Floats], digest: str, *, encoder: str, rows: int
) -> dict[str, Any]:
    """Write ``heads.npz`` (float16) and ``card.json``; *digest* says for which encoder they are."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "heads.npz"
    small: dict[str, Any] = {k: v.astype(np.float16) for k, v in arrays.items()}
    np.savez(path, **small)
    card: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "vectoriser": _vectorise.VERSION,
        "encoder": encoder,
        "encoder_sha256": digest,
        "labels": list(model.LABELS),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": rows,
    }
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card
