"""The word-vector half: vectors distilled from a sentence encoder, fine-tuned with a small network (PyTorch;
training only).

Every word piece of the encoder (``sentence-transformers/all-MiniLM-L6-v2``, Apache-2.0) is sent through it
alone; the pooled outputs, reduced to SIZE dimensions by principal components and weighted by rarity (SIF,
Arora et al. 2017), are the start; then vectors, gates and network learn the labels together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from safegen.detectors.prompt._pieces import Pieces
from safegen.detectors.prompt._vectorise import words_of
from safegen.detectors.prompt._vectors import POWER
from safegen.detectors.prompt.normalise import plain
from training.guard.data import Row
from training.guard.model import LABELS, targets

ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
SIZE, FILTERS, HIDDEN, BATCH = 128, 128, 96, 256
MOST = 160
"""Pieces of a text that training looks at."""
Ids = list[list[int]]


@torch.no_grad()
def piece_vectors(encoder: str = ENCODER) -> tuple[list[str], NDArray[np.float32]]:
    """Word pieces of *encoder* (hub id or folder) and their pooled vectors (pieces, 384)."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModel.from_pretrained(encoder).eval()
    words = [w for w, _ in sorted(tokenizer.get_vocab().items(), key=lambda kv: kv[1])]
    texts = [w.removeprefix("##") for w in words]
    out = []
    for i in range(0, len(texts), 256):
        batch = tokenizer(
            texts[i : i + 256], padding=True, truncation=True, max_length=8, return_tensors="pt"
        )
        states, mask = model(**batch).last_hidden_state, batch["attention_mask"][..., None]
        pooled = (states * mask).sum(1) / mask.sum(1)
        out.append(nn.functional.normalize(pooled).numpy())
    return words, np.concatenate(out).astype(np.float32)


def ids_of(words: list[str], rows: Iterable[Row]) -> Ids:
    """Piece rows of every text, as the run time cuts them."""
    pieces = Pieces({w: i for i, w in enumerate(words)})
    return [pieces.ids(words_of(plain(r.text).text)) for r in rows]


def start(vectors: NDArray[np.float32], ids: Ids) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reduced vectors (pieces, SIZE) and the gates' logits (pieces,)."""
    counts = np.bincount(np.concatenate([np.array(i, int) for i in ids]), minlength=len(vectors))
    share = (counts + 1) / (counts.sum() + len(vectors))
    gate = 1e-3 / (1e-3 + share)
    centred = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred[counts > 0], full_matrices=False)
    reduced = centred @ axes[:SIZE].T
    return (reduced / reduced.std()).astype(np.float32), np.log(gate / (1 - gate)).astype(np.float32)


class Net(nn.Module):
    """Gated bag of vectors and filters over threes -> hidden layer, with a linear shortcut from the bag ->
    one decision value per label.
    """

    def __init__(self, vectors: NDArray[np.float32], gates: NDArray[np.float32]) -> None:
        super().__init__()
        pad = torch.zeros(1, vectors.shape[1])
        self.pieces = nn.Embedding.from_pretrained(
            torch.cat([torch.from_numpy(vectors), pad]), freeze=False, sparse=True
        )
        self.gates = nn.Parameter(torch.from_numpy(gates))
        self.filters = nn.Linear(3 * SIZE, FILTERS)
        self.hidden = nn.Linear(SIZE + FILTERS, HIDDEN)
        self.out = nn.Linear(HIDDEN, len(LABELS))
        self.shortcut = nn.Linear(SIZE, len(LABELS), bias=False)
        self.drop = nn.Dropout(0.3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Decision values (texts, labels) of padded piece rows (texts, longest); the row after the last one
        stands for nothing.
        """
        none = len(self.gates)
        real = (ids < none).float()
        x = self.pieces(ids) * real[..., None]
        gate = torch.sigmoid(self.gates)[ids.clamp(max=none - 1)] * real
        mean = (gate[..., None] * x).sum(1) / (gate.sum(1, keepdim=True) + 1e-3) ** POWER
        padded = nn.functional.pad(x, (0, 0, 1, 1))
        threes = torch.cat([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], dim=2)
        seen = (threes @ self.filters.weight.T).masked_fill(real[..., None] == 0, -1e4)
        most = torch.relu(seen.amax(1).clamp(min=-1e3) + self.filters.bias)
        h = torch.relu(self.hidden(self.drop(torch.cat([mean, most], dim=1))))
        out: torch.Tensor = self.out(self.drop(h)) + self.shortcut(self.drop(mean))
        return out


def _batch(ids: list[list[int]], none: int, rng: np.random.Generator | None) -> torch.Tensor:
    """Padded piece rows; with *rng* a tenth of the pieces is left out."""
    cut = [
        (row if rng is None or len(row) < 4 else [t for t in row if rng.random() > 0.1])[:MOST] for row in ids
    ]
    longest = max(1, max(len(row) for row in cut))
    return torch.tensor([row + [none] * (longest - len(row)) for row in cut], dtype=torch.long)


def _batches(ids: Ids, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Batches of texts of like length, in random order."""
    lengths = np.array([len(i) for i in ids]) + rng.random(len(ids)) * 4
    parts = np.array_split(np.argsort(lengths), -(-len(ids) // BATCH))
    return [parts[i] for i in rng.permutation(len(parts))]


def fit(
    net: Net,
    ids: Ids,
    rows: list[Row],
    weight: NDArray[np.float64],
    *,
    epochs: int = 4,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Net:
    """Train *net* in place (Adam, rates falling linearly); returns it in evaluation mode."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    y = torch.tensor(targets(rows), dtype=torch.float32)
    w = torch.tensor(weight, dtype=torch.float32)
    dense = [p for n, p in net.named_parameters() if n != "pieces.weight"]
    optimisers: list[Any] = [
        torch.optim.SparseAdam([net.pieces.weight]),
        torch.optim.Adam(dense, weight_decay=1e-5),
    ]
    rates, done = (3e-3, 2e-3), 0
    steps = epochs * -(-len(rows) // BATCH)
    net.train()
    for epoch in range(epochs):
        total = 0.0
        for part in _batches(ids, rng):
            for optimiser, rate in zip(optimisers, rates, strict=True):
                optimiser.param_groups[0]["lr"] = rate * (1 - done / steps)
                optimiser.zero_grad()
            done += 1
            z = net(_batch([ids[i] for i in part], len(net.gates), rng))
            loss = _loss(z, y[part], w[part])
            loss.backward()
            total += float(loss.detach())
            for optimiser in optimisers:
                optimiser.step()
        say(f"epoch {epoch + 1}: loss {total / (steps / epochs):.3f}")
    return net.eval()


def _loss(z: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Cross-entropy; another category of an unsafe row is only a weak negative."""
    loss = nn.functional.binary_cross_entropy_with_logits(z, truth, reduction="none")
    unsure = (truth[:, :1] > 0) & (truth == 0)
    unsure[:, 0] = False
    loss = loss * torch.where(unsure, 0.3, 1.0) * weight[:, None]
    return loss[:, 0].mean() * 2 + loss[:, 1:].mean() * 4


@torch.no_grad()
def logits(net: Net, ids: Ids) -> NDArray[np.float32]:
    """Decision values (texts, labels)."""
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out = np.zeros((len(ids), len(LABELS)), np.float32)
    for start in range(0, len(order), 512):
        part = order[start : start + 512]
        out[part] = net(_batch([ids[i] for i in part], len(net.gates), None)).numpy()
    return out


@torch.no_grad()
def arrays(net: Net, words: list[str]) -> dict[str, NDArray[Any]]:
    """What the run time unpacks: vectors in 8 bits with one scale per piece, the rest in float16."""
    vectors = net.pieces.weight.numpy()[:-1]
    scale = np.maximum(np.abs(vectors).max(axis=1) / 127, 1e-9).astype(np.float32)
    text = "\n".join(words).encode("utf-8")
    layers = {
        "gate": torch.sigmoid(net.gates),
        "filters": net.filters.weight,
        "filters_bias": net.filters.bias,
        "hidden": net.hidden.weight,
        "hidden_bias": net.hidden.bias,
        "out": net.out.weight,
        "shortcut": net.shortcut.weight,
        "out_bias": net.out.bias,
    }
    return {
        "vocabulary": np.frombuffer(text, np.uint8),
        "rows": np.clip(np.round(vectors / scale[:, None]), -127, 127).astype(np.int8),
        "row_scale": scale,
        **{name: layer.numpy().astype(np.float16) for name, layer in layers.items()},
    }
