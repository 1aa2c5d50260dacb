"""The small transformer of the classifier, taught by the tuned encoder (PyTorch; training only).

It starts as the encoder's lowest layers, of whose inner units only the most active ones are kept. It learns
three things at once: the labels of the rows that have some, the teacher's decision values on all texts, and
the direction of the teacher's sentence vector (Hinton et al. 2015; Sanh et al. 2019).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from safegen.detectors.prompt._transformer import HEAD, MAX_PIECES, PARTS, nibbles
from training.guard.model import LABELS
from training.guard.tune import batches, loss_of
from training.tiny import state as checkpoints

WIDE, LAYERS, HIDDEN, TOGETHER, LONGEST = 768, 3, 128, 3072, 72
"""Inner units and number of layers, units of the hidden layer, pieces in a batch, pieces read of a text."""
LEFT_OUT = 0.1
RATES = (5e-4, 1.5e-3)
"""Of the layers, of what is new."""
Floats = NDArray[np.float32]
Ids = list[list[int]]


@dataclass(frozen=True)
class Lessons:
    """What the pupil learns from. ``ids``: pieces of every text; ``soft`` (texts, labels): the teacher's
    decision values; ``vectors`` float16 (texts, teacher's size): its unit vectors.

    The first texts are the labelled rows: ``truth`` (rows, labels) and ``weight`` (rows,).
    """

    ids: Ids
    soft: Floats
    vectors: NDArray[np.float16]
    truth: NDArray[np.bool_]
    weight: Floats


class Block(nn.Module):
    """A layer of the encoder with fewer inner units; normalised after each part."""

    def __init__(self, layer: Any, keep: torch.Tensor) -> None:
        super().__init__()
        own, self.first = layer.attention.self, layer.attention.output.LayerNorm
        self.ask, self.join = _stacked(own.query, own.key, own.value), layer.attention.output.dense
        self.wide = _linear(layer.intermediate.dense.weight[keep], layer.intermediate.dense.bias[keep])
        self.narrow = _linear(layer.output.dense.weight[:, keep], layer.output.dense.bias)
        self.second = layer.output.LayerNorm

    def forward(self, x: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """States (texts, pieces, width); *hidden* (texts, 1, 1, pieces) is added before the softmax."""
        texts, n, width = x.shape
        asked = self.ask(x).view(texts, n, 3, width // HEAD, HEAD).permute(2, 0, 3, 1, 4)
        match = torch.softmax(asked[0] @ asked[1].transpose(2, 3) * HEAD**-0.5 + hidden, dim=3)
        x = self.first(x + self.join((match @ asked[2]).transpose(1, 2).reshape(texts, n, width)))
        inner = self.wide(x)
        out: torch.Tensor = self.second(x + self.narrow(inner * torch.sigmoid(1.702 * inner)))
        return out


class Net(nn.Module):
    """Padded pieces -> decision values and, for training, a vector to compare with the teacher's.

    *encoder* is the teacher's own network (BERT's architecture, heads of HEAD numbers), adapters merged;
    *busy* (layers, inner units) says how much each unit matters. The pieces' vectors are those of the encoder
    in 4 bits, and stay.
    """

    def __init__(self, encoder: Any, busy: torch.Tensor) -> None:
        super().__init__()
        e = encoder.embeddings
        packed, scale = four_bits(e.word_embeddings.weight.detach().numpy())
        width = e.word_embeddings.weight.shape[1]
        self.packed, self.none = packed, len(packed)
        rows = torch.from_numpy(nibbles(packed) * scale[:, None])
        self.register_buffer("scale", torch.from_numpy(scale))
        self.pieces = nn.Embedding.from_pretrained(torch.cat([rows, torch.zeros(1, width)]))
        places = e.position_embeddings.weight[1 : MAX_PIECES + 1] + e.token_type_embeddings.weight[:1]
        self.places = nn.Parameter(places.detach().clone())
        self.start = e.LayerNorm
        kept = [b.topk(min(WIDE, len(b))).indices for b in busy[:LAYERS]]
        self.blocks = nn.ModuleList(
            Block(layer, keep) for layer, keep in zip(encoder.encoder.layer[:LAYERS], kept, strict=True)
        )
        self.hidden, self.out = nn.Linear(2 * width, HIDDEN), nn.Linear(HIDDEN, len(LABELS))
        self.like = nn.Linear(2 * width, width)
        self.drop = nn.Dropout(0.1)

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Decision values (texts, labels) and vectors (texts, width) of *ids* (texts, longest)."""
        real = (ids < self.none)[..., None].float()
        x = self.start(self.pieces(ids) + self.places[: ids.shape[1]])
        hidden = (real - 1).transpose(1, 2)[:, None] * 1e4
        for block in self.blocks:
            x = block(x, hidden)
        x = x.float()
        most = torch.where(real.sum(1) > 0, x.masked_fill(real == 0, -1e4).amax(1), 0.0)
        pooled = self.drop(torch.cat([(x * real).sum(1) / real.sum(1).clamp(min=1), most], dim=1))
        return self.out(self.drop(torch.relu(self.hidden(pooled)))), self.like(pooled)


@torch.no_grad()
def busyness(encoder: Any, ids: torch.Tensor, none: int) -> torch.Tensor:
    """How much each inner unit adds to the states on average, (layers, units); *ids* are token ids."""
    found: list[torch.Tensor] = []

    def note(layer: Any, inputs: Any, output: torch.Tensor) -> None:
        found.append(output[ids != none].abs().mean(0))

    hooks = [layer.intermediate.register_forward_hook(note) for layer in encoder.encoder.layer]
    encoder(input_ids=ids, attention_mask=(ids != none).long())
    for hook in hooks:
        hook.remove()
    norms = [layer.output.dense.weight.norm(dim=0) for layer in encoder.encoder.layer]
    return torch.stack([f * n for f, n in zip(found, norms, strict=True)])


def four_bits(rows: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """*rows* in 4 bits, two numbers a byte, and their scales; of some scales the one with the least error."""
    best, scale = np.full(len(rows), np.inf, np.float32), np.ones(len(rows), np.float32)
    for share in (1.0, 0.9, 0.8, 0.7, 0.6):
        tried = np.maximum(np.abs(rows).max(axis=1) * share / 7, 1e-9).astype(np.float32)
        off = ((np.clip(np.round(rows / tried[:, None]), -8, 7) * tried[:, None] - rows) ** 2).sum(axis=1)
        scale, best = np.where(off < best, tried, scale), np.minimum(off, best)
    cut = (np.clip(np.round(rows / scale[:, None]), -8, 7) + 8).astype(np.uint8)
    return np.left_shift(cut[:, ::2], 4, dtype=np.uint8) | cut[:, 1::2], scale


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0])
    made.load_state_dict({"weight": weight.detach().float(), "bias": bias.detach().float()})
    return made


def _stacked(*parts: nn.Linear) -> nn.Linear:
    return _linear(torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts]))


def padded(ids: Ids, none: int, rng: np.random.Generator | None = None) -> torch.Tensor:
    """Padded pieces; with *rng* some are left out."""
    cut = [
        (row if rng is None or len(row) < 4 else [t for t in row if rng.random() > LEFT_OUT])[:LONGEST]
        for row in ids
    ]
    longest = max(1, *(len(row) for row in cut))
    return torch.tensor([row + [none] * (longest - len(row)) for row in cut], dtype=torch.long)


def fit(
    net: Net,
    lessons: Lessons,
    *,
    state: Path,
    epochs: int = 2,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Net:
    """Train *net* in place; *state* keeps where it stands, an interrupted run goes on there."""
    torch.manual_seed(seed)
    truth = torch.from_numpy(lessons.truth.astype(np.float32))
    weight, soft = torch.from_numpy(lessons.weight), torch.from_numpy(lessons.soft)
    new = [p for part in (net.hidden, net.out, net.like) for p in part.parameters()]
    known = {id(p) for p in new}
    old = [p for p in net.parameters() if p.requires_grad and id(p) not in known]
    optimiser = torch.optim.AdamW([{"params": old}, {"params": new}], weight_decay=1e-2)
    orders = [np.random.default_rng(seed + 101 * epoch) for epoch in range(epochs)]
    plan = [part for order in orders for part in batches(lessons.ids, order, TOGETHER)]
    done = _resume(net, optimiser, state)
    started, total = time.monotonic(), np.zeros(3)
    net.train()
    for step in range(done, len(plan)):
        part, rng = plan[step], np.random.default_rng(seed * 1_000_003 + step)
        for group, top in zip(optimiser.param_groups, RATES, strict=True):
            group["lr"] = top * min(1.0, (step + 1) / 200) * (1 - step / len(plan))
        optimiser.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            z, v = net(padded([lessons.ids[i] for i in part], net.none, rng))
        like = torch.from_numpy(lessons.vectors[part].astype(np.float32))
        parts = _losses(z.float(), v.float(), part, truth, weight, soft[part], like)
        (parts[0] + parts[1] + parts[2]).backward()
        nn.utils.clip_grad_norm_([*old, *new], 1.0)
        optimiser.step()
        total += [float(p.detach()) for p in parts]
        if (step + 1) % 100 == 0:
            losses = " ".join(f"{v:.3f}" for v in total / 100)
            say(f"step {step + 1}/{len(plan)}: {losses}, {time.monotonic() - started:.0f} s")
            total[:] = 0
        if (step + 1) % 500 == 0 or step + 1 == len(plan):
            _save(net, optimiser, state, step + 1)
    net.eval()
    return net


def _losses(
    z: torch.Tensor, v: torch.Tensor, part: NDArray[np.int64], truth: torch.Tensor, weight: torch.Tensor,
    soft: torch.Tensor, like: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """From the labels, the teacher's decisions, the teacher's vectors."""
    labelled = torch.from_numpy(np.nonzero(part < len(truth))[0])
    own = part[part < len(truth)]
    hard = loss_of(z[labelled], truth[own], weight[own]) if len(own) else z.sum() * 0
    wanted = torch.sigmoid(soft)
    bce = nn.functional.binary_cross_entropy_with_logits(z, wanted, reduction="none")
    off = nn.functional.smooth_l1_loss(z.clamp(-9, 9), soft.clamp(-9, 9), reduction="none")
    taught = bce[:, 0].mean() * 2 + bce[:, 1:].mean() * 4 + 0.2 * off[:, 0].mean() + 0.1 * off[:, 1:].mean()
    alike = 1 - nn.functional.cosine_similarity(v, like).mean()
    return 0.5 * hard, taught, alike


def _save(net: Net, optimiser: torch.optim.Optimizer, state: Path, step: int) -> None:
    checkpoints.save(state, {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "step": step})


def _resume(net: Net, optimiser: torch.optim.Optimizer, state: Path) -> int:
    saved = checkpoints.load(state)
    if saved is None:
        return 0
    net.load_state_dict(saved["net"])
    optimiser.load_state_dict(saved["optimiser"])
    return int(saved["step"])


@torch.no_grad()
def logits(net: Net, ids: Ids) -> Floats:
    """Decision values (texts, labels)."""
    net.eval()
    out = np.zeros((len(ids), len(LABELS)), np.float32)
    for part in batches(ids, np.random.default_rng(0), 16384):
        out[part] = net(padded([ids[i] for i in part], net.none))[0].numpy()
    return out


@torch.no_grad()
def arrays(net: Net, words: list[str]) -> dict[str, NDArray[Any]]:
    """What the run time unpacks: pieces in 4 bits, matrices in 8 with a scale per row, the rest as floats."""
    out: dict[str, NDArray[Any]] = {
        "vocabulary": np.frombuffer("\n".join(words).encode("utf-8"), np.uint8),
        "rows": net.packed, "row_scale": net.scale.numpy(), "places": net.places.numpy().astype(np.float16),
        "layers": np.array(len(net.blocks)), "out": net.out.weight.numpy(), "out_bias": net.out.bias.numpy(),
    }  # fmt: skip
    _put(out, "hidden", net.hidden)
    norms = {"start": net.start}
    for i, block in enumerate(net.blocks):
        for name in PARTS:
            _put(out, f"{i}_{name}", getattr(block, name))
        out[f"{i}_ask_scale"][: len(block.join.bias)] *= HEAD**-0.5  # of the queries
        out[f"{i}_ask_bias"][: len(block.join.bias)] *= HEAD**-0.5
        norms |= {f"{i}_first": block.first, f"{i}_second": block.second}
    for name, norm in norms.items():
        out |= {f"{name}_scale": norm.weight.numpy(), f"{name}_shift": norm.bias.numpy()}
    return out


def _put(out: dict[str, NDArray[Any]], name: str, linear: nn.Linear) -> None:
    weight = linear.weight.numpy()
    scale = np.maximum(np.abs(weight).max(axis=1) / 127, 1e-9).astype(np.float32)
    out[name] = np.clip(np.round(weight / scale[:, None]), -127, 127).astype(np.int8)
    out[f"{name}_scale"], out[f"{name}_bias"] = scale, linear.bias.numpy().copy()
