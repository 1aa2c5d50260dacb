"""The encoder tier: adapters and heads learned together over a sentence encoder (PyTorch; training only).

Another encoder needs others: ``python -m training.guard encoder --model FOLDER --out FOLDER``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from safegen.detectors.prompt import _vectorise
from safegen.detectors.prompt._sentence_encoder import SentenceEncoder
from safegen.detectors.prompt.encoder import ADAPTER, HEADS, KIND
from safegen.detectors.prompt.guards._files import folder_of
from training.guard import data, model, tune
from training.guard.data import Row
from training.guard.train import english, row_weights

VERSION = "2"
EPOCHS = 3
Floats = NDArray[np.float32]


def train(
    encoder: str,
    out: Path = HEADS,
    *,
    state: Path,
    limit: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Learn (from at most *limit* rows), calibrate on held-out sources, write heads and card into *out*.

    *encoder* is a folder or a hub id that was downloaded; *state* keeps where training stands. Returns the
    card.
    """
    folder, version = folder_of(encoder, None, "sentence encoder")
    rows = english()[:limit]
    arrays = taught(folder, rows, state=state, say=say)
    name = encoder if version != "local" else "a local folder"
    return export(out, arrays, SentenceEncoder(folder).digest, encoder=name, rows=len(rows))


def taught(
    folder: Path,
    rows: Sequence[Row],
    *,
    state: Path,
    epochs: int = EPOCHS,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Floats]:
    """Adapters and heads for the encoder in *folder*, from those of *rows* that are not held out."""
    learn, held = [r for r in rows if not data.is_held_out(r)], [r for r in rows if data.is_held_out(r)]
    say(f"{len(learn)} rows to learn from, {len(held)} held out")
    net = tune.Tuned(folder)
    ids = tune.token_ids(folder, [r.text for r in learn])
    tune.fit(net, ids, learn, row_weights(learn), state=state, epochs=epochs, say=say)
    z = tune.logits(net, tune.token_ids(folder, [r.text for r in held]), fast=False)
    slope, shift = platt(z, held)
    return {**arrays_of(net), "slope": slope, "shift": shift}


def arrays_of(net: tune.Tuned) -> dict[str, Floats]:
    """What the run time needs of a ``tune.Tuned``: its heads, and the adapters with their scale in ``up``."""
    out: dict[str, Floats] = {
        "hidden": net.hidden.weight.detach().numpy() * net.hidden.in_features**0.5,
        "hidden_bias": net.hidden.bias.detach().numpy(),
        "out": net.out.weight.detach().numpy(),
        "out_bias": net.out.bias.detach().numpy(),
    }
    for name, layer in net.encoder.get_base_model().named_modules():
        if hasattr(layer, "lora_A"):
            up = layer.lora_B["default"].weight.detach().numpy() * layer.scaling["default"]
            if up.any():
                out[f"{ADAPTER}{name}/down"] = layer.lora_A["default"].weight.detach().numpy()
                out[f"{ADAPTER}{name}/up"] = up
    return out


def platt(z: Floats, rows: Sequence[Row]) -> tuple[Floats, Floats]:
    """Slope and shift per label (Platt 1999); categories against benign rows. One and zero where few are."""
    y = model.targets(list(rows)) if rows else np.zeros((0, len(model.LABELS)), bool)
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
