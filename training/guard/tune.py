"""Low-rank adapters and heads for the sentence encoder (PyTorch, peft; training only). Resumable.

Adapters (LoRA, Hu et al. 2021) on every linear layer of the encoder learn the labels together with one
hidden layer over its mean-pooled states. What is shipped are the adapters and the heads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from safegen.detectors.prompt._sentence_encoder import encoder_text
from safegen.detectors.prompt._vectorise import feature_words
from safegen.detectors.prompt.normalise import plain_view
from training.guard.data import Row
from training.guard.model import LABELS, targets
from training.tiny import state as checkpoints

RANK, HIDDEN, LONGEST, TOGETHER = 16, 128, 72, 2048
"""Rank of the adapters, units of the heads, tokens read of a text, tokens in a batch."""
RATES = (1.2e-3, 2e-3)
"""Of the adapters, of the heads."""
LEFT_OUT = 0.1
"""Share of a text's tokens that a step does not see."""
Floats = NDArray[np.float32]
Ids = list[list[int]]


class Tuned(nn.Module):
    """The encoder with adapters, and heads: token ids -> one decision value per label."""

    def __init__(self, folder: Path) -> None:
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModel

        super().__init__()
        base = AutoModel.from_pretrained(
            folder, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        if hasattr(base, "pooler"):  # the states are pooled here
            base.pooler = None
        config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", lora_dropout=0.0)
        self.encoder = get_peft_model(base, config)
        self.none = int(base.config.pad_token_id or 0)
        self.hidden = nn.Linear(base.config.hidden_size, HIDDEN)
        self.out = nn.Linear(HIDDEN, len(LABELS))
        self.drop = nn.Dropout(0.2)

    def pooled(self, ids: torch.Tensor) -> torch.Tensor:
        """Unit vectors (texts, size) of padded token ids (texts, longest)."""
        mask = (ids != self.none).long()
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask[..., None].to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1).clamp(min=1)
        return nn.functional.normalize(mean)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Decision values (texts, labels) of padded token ids."""
        return self.decided(self.pooled(ids))

    def decided(self, vectors: torch.Tensor) -> torch.Tensor:
        """Decision values (texts, labels) of unit vectors."""
        x = vectors * self.hidden.in_features**0.5
        h = torch.relu(self.hidden(self.drop(x)))
        out: torch.Tensor = self.out(self.drop(h))
        return out

    def trained(self) -> dict[str, torch.Tensor]:
        """Everything that was learned."""
        learned = {k: v for k, v in self.state_dict().items() if "lora_" in k or "encoder" not in k}
        return {k: v.detach().clone() for k, v in learned.items()}


def token_ids(folder: Path, texts: Sequence[str], longest: int = LONGEST) -> Ids:
    """Token ids of *texts* as the run time words them."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    worded = [encoder_text(feature_words(plain_view(t).text)) for t in texts]
    out: Ids = tokenizer(worded, truncation=True, max_length=longest)["input_ids"]
    return out


def vocabulary(folder: Path) -> list[str]:
    """Word pieces of the encoder in *folder*, by id."""
    from transformers import AutoTokenizer

    pieces = AutoTokenizer.from_pretrained(folder).get_vocab()
    return [w for w, _ in sorted(pieces.items(), key=lambda kv: kv[1])]


def batches(ids: Ids, rng: np.random.Generator, together: int = TOGETHER) -> list[NDArray[np.int64]]:
    """Texts of like length in batches of about *together* tokens, in random order."""
    lengths = np.array([len(i) for i in ids]) + rng.random(len(ids)) * 3
    out, part = [], []
    for i in np.argsort(lengths).tolist():
        part.append(i)
        if len(part) * len(ids[i]) >= together:
            out.append(np.array(part))
            part = []
    if part:
        out.append(np.array(part))
    return [out[i] for i in rng.permutation(len(out))]


def padded(ids: Ids, none: int, rng: np.random.Generator | None = None) -> torch.Tensor:
    """Token ids padded with *none*; with *rng* some of the inner tokens are left out."""
    if rng is not None:
        ids = [row if len(row) < 6 else _thinned(row, rng) for row in ids]
    longest = max(len(row) for row in ids)
    return torch.tensor([row + [none] * (longest - len(row)) for row in ids], dtype=torch.long)


def _thinned(row: list[int], rng: np.random.Generator) -> list[int]:
    """*row* without some tokens; the first and the last, which frame it, stay."""
    return [row[0], *(t for t in row[1:-1] if rng.random() > LEFT_OUT), row[-1]]


def fit(
    net: Tuned,
    ids: Ids,
    rows: Sequence[Row],
    weight: NDArray[np.float64],
    *,
    state: Path,
    epochs: int = 3,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Tuned:
    """Train what of *net* learns, in place; an interrupted run goes on where *state* says it stands."""
    torch.manual_seed(seed)
    y = torch.tensor(targets(list(rows)), dtype=torch.float32)
    w = torch.tensor(weight, dtype=torch.float32)
    learned = [p for n, p in net.named_parameters() if p.requires_grad]
    heads = [p for n, p in net.named_parameters() if p.requires_grad and "encoder" not in n]
    adapters = [p for n, p in net.named_parameters() if p.requires_grad and "encoder" in n]
    optimiser = torch.optim.AdamW([{"params": adapters}, {"params": heads}], weight_decay=1e-3)
    plan = list(_plan(ids, epochs, seed))
    done = _resume(net, optimiser, state)
    started, total = time.monotonic(), 0.0
    net.train()
    for step in range(done, len(plan)):
        part, rng = plan[step], np.random.default_rng(seed * 1_000_003 + step)
        rate = min(1.0, (step + 1) / 100) * (1 - step / len(plan))
        for group, top in zip(optimiser.param_groups, RATES, strict=True):
            group["lr"] = top * rate
        optimiser.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            z = net(padded([ids[i] for i in part], net.none, rng))
        loss = loss_of(z.float(), y[part], w[part])
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        total += float(loss.detach())
        if (step + 1) % 100 == 0:
            say(f"step {step + 1}/{len(plan)}: loss {total / 100:.3f}, {time.monotonic() - started:.0f} s")
            total = 0.0
        if (step + 1) % 400 == 0 or step + 1 == len(plan):
            _save(net, optimiser, state, step + 1)
    net.eval()
    return net


def loss_of(z: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Cross-entropy; another category of an unsafe row is only a weak negative."""
    loss = nn.functional.binary_cross_entropy_with_logits(z, truth, reduction="none")
    unsure = (truth[:, :1] > 0) & (truth == 0)
    unsure[:, 0] = False
    loss = loss * torch.where(unsure, 0.3, 1.0) * weight[:, None]
    return loss[:, 0].mean() * 2 + loss[:, 1:].mean() * 4


def _plan(ids: Ids, epochs: int, seed: int) -> Iterator[NDArray[np.int64]]:
    for epoch in range(epochs):
        yield from batches(ids, np.random.default_rng(seed + 101 * epoch))


def _save(net: Tuned, optimiser: torch.optim.Optimizer, state: Path, step: int) -> None:
    checkpoints.save(state, {"net": net.trained(), "optimiser": optimiser.state_dict(), "step": step})


def _resume(net: Tuned, optimiser: torch.optim.Optimizer, state: Path) -> int:
    saved = checkpoints.load(state)
    if saved is None:
        return 0
    net.load_state_dict(saved["net"], strict=False)
    optimiser.load_state_dict(saved["optimiser"])
    return int(saved["step"])


@torch.no_grad()
def logits(net: Tuned, ids: Ids, together: int = 8192, *, fast: bool = True) -> Floats:
    """Decision values (texts, labels); *fast*: with bfloat16 products."""
    net.eval()
    out = np.zeros((len(ids), len(LABELS)), np.float32)
    for part in batches(ids, np.random.default_rng(0), together):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast):
            out[part] = net(padded([ids[i] for i in part], net.none)).float().numpy()
    return out
