"""The word-vector half: vectors distilled from a sentence encoder, fine-tuned with a small network (PyTorch;
training only).

Every word piece of the encoder (``sentence-transformers/all-MiniLM-L6-v2``, Apache-2.0) is sent through it
alone; the pooled outputs, reduced to SIZE dimensions by principal components and weighted by rarity (SIF,
Arora et al. 2017), are the start; then vectors, gates and network learn the labels together.
"""

from __future__ import annotations

from collections.abc import Iterable
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
SIZE, HIDDEN, BATCH = 128, 96, 256
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
    """Gated bag of vectors -> hidden layer with a linear shortcut -> one decision value per label."""

    def __init__(self, vectors: NDArray[np.float32], gates: NDArray[np.float32]) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag.from_pretrained(
            torch.from_numpy(vectors), freeze=False, mode="sum", sparse=True
        )
        self.gates = nn.Parameter(torch.from_numpy(gates))
        self.hidden = nn.Linear(SIZE, HIDDEN)
        self.out = nn.Linear(HIDDEN, len(LABELS))
        self.shortcut = nn.Linear(SIZE, len(LABELS), bias=False)
        self.drop = nn.Dropout(0.3)

    def forward(self, flat: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Decision values (texts, labels) of concatenated piece rows."""
        gate = torch.sigmoid(self.gates[flat])
        lengths = torch.diff(torch.cat([offsets, torch.tensor([len(flat)])]))
        owner = torch.repeat_interleave(torch.arange(len(offsets)), lengths)
        total = torch.zeros(len(offsets)).index_add(0, owner, gate)
        x = self.drop(self.bag(flat, offsets, per_sample_weights=gate) / (total[:, None] + 1e-3) ** POWER)
        out: torch.Tensor = self.out(self.drop(torch.relu(self.hidden(x)))) + self.shortcut(x)
        return out


def _batch(ids: Iterable[list[int]], rng: np.random.Generator | None) -> tuple[torch.Tensor, torch.Tensor]:
    flat: list[int] = []
    offsets: list[int] = []
    for row in ids:
        offsets.append(len(flat))
        flat += row if rng is None or len(row) < 4 else [t for t in row if rng.random() > 0.1]
    return torch.tensor(flat, dtype=torch.long), torch.tensor(offsets)


def fit(
    net: Net, ids: Ids, rows: list[Row], weight: NDArray[np.float64], *, epochs: int = 6, seed: int = 0
) -> Net:
    """Train *net* in place (Adam, rates falling linearly); returns it in evaluation mode."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    y = torch.tensor(targets(rows), dtype=torch.float32)
    w = torch.tensor(weight, dtype=torch.float32)
    dense = [p for n, p in net.named_parameters() if n != "bag.weight"]
    optimisers: list[Any] = [
        torch.optim.SparseAdam([net.bag.weight]),
        torch.optim.Adam(dense, weight_decay=1e-5),
    ]
    rates, done = (3e-3, 2e-3), 0
    steps = epochs * -(-len(rows) // BATCH)
    net.train()
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(rows)), -(-len(rows) // BATCH)):
            for optimiser, rate in zip(optimisers, rates, strict=True):
                optimiser.param_groups[0]["lr"] = rate * (1 - done / steps)
                optimiser.zero_grad()
            done += 1
            z, truth = net(*_batch((ids[i] for i in part), rng)), y[part]
            loss = nn.functional.binary_cross_entropy_with_logits(z, truth, reduction="none")
            unsure = (truth[:, :1] > 0) & (truth == 0)
            unsure[:, 0] = False
            loss = loss * torch.where(unsure, 0.3, 1.0) * w[part][:, None]
            (loss[:, 0].mean() * 2 + loss[:, 1:].mean() * 4).backward()
            for optimiser in optimisers:
                optimiser.step()
    return net.eval()


@torch.no_grad()
def logits(net: Net, ids: Ids) -> NDArray[np.float32]:
    """Decision values (texts, labels)."""
    parts = [net(*_batch(ids[i : i + 512], None)).numpy() for i in range(0, len(ids), 512)]
    return np.concatenate(parts).astype(np.float32)


@torch.no_grad()
def arrays(net: Net, words: list[str]) -> dict[str, NDArray[Any]]:
    """What the run time unpacks: vectors in 8 bits with one scale per piece, the rest in float32 or
    float16.
    """
    vectors = net.bag.weight.numpy()
    scale = np.maximum(np.abs(vectors).max(axis=1) / 127, 1e-9).astype(np.float32)
    text = "\n".join(words).encode("utf-8")
    return {
        "vocabulary": np.frombuffer(text, np.uint8),
        "rows": np.clip(np.round(vectors / scale[:, None]), -127, 127).astype(np.int8),
        "row_scale": scale,
        "gate": torch.sigmoid(net.gates).numpy().astype(np.float16),
        "hidden": net.hidden.weight.numpy(),
        "hidden_bias": net.hidden.bias.numpy(),
        "out": net.out.weight.numpy(),
        "shortcut": net.shortcut.weight.numpy(),
        "out_bias": net.out.bias.numpy(),
    }
