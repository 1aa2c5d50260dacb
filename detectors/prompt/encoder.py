"""The encoder tier: a sentence encoder tuned with small adapters, and small heads over its vectors.

The encoder (``sentence-transformers/all-MiniLM-L6-v2``, Apache-2.0) is not shipped: it must lie in the
Hugging Face cache or in a folder that the policy names. Adapters and heads are small and have a card that
says for which encoder they were made; with any other they refuse to work.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safegen._util.blas import one_blas_thread
from safegen._util.model_loading import loading_alone
from safegen._util.resources import data_path
from safegen.detectors.prompt import _vectorise
from safegen.detectors.prompt._sentence_encoder import SentenceEncoder, encoder_text
from safegen.detectors.prompt.classifier import FLOOR, windows
from safegen.detectors.prompt.guards._files import folder_of
from safegen.detectors.prompt.views import views
from safegen.errors import CheckUnavailable
from safegen.protocols import PromptDetector
from safegen.types import CheckRun, Finding

NAME = "encoder"
KIND = "safegen-encoder-heads/2"
KINDS = frozenset((KIND, "safegen-encoder-heads/1"))
"""Kinds of heads that are read; the first version has no adapters."""
ADAPTER = "adapter/"
"""Before the names of adapters in ``heads.npz``: ``adapter/LAYER/down`` and ``adapter/LAYER/up``."""
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
MAX_TEXTS = 24
"""Windows of views that are encoded of one prompt; the plain view comes first."""
HEADS = data_path("models", "encoder")
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Heads:
    """One hidden layer over the encoder's vector, calibrated per label (Platt: ``slope``, ``shift``).

    ``encoder`` is the digest of the encoder they were trained with, ``digest`` the SHA-256 of their file.
    """

    labels: tuple[str, ...]
    encoder: str
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    out_bias: Floats
    slope: Floats
    shift: Floats
    version: str
    digest: str
    adapters: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)
    """What is added to the encoder's layers, see ``Sentences.adapt``; none: the encoder as it is."""

    @one_blas_thread()
    def logits(self, vectors: Floats) -> Floats:
        """Decision values (texts, labels) of unit vectors (texts, size)."""
        h = np.maximum(vectors @ self.hidden.T + self.hidden_bias, 0)
        return np.asarray(h @ self.out.T + self.out_bias, dtype=np.float32)

    def probabilities(self, vectors: Floats) -> NDArray[np.float64]:
        """Calibrated probabilities (texts, labels); a category's is joint with being unsafe at all."""
        z = self.logits(vectors) * self.slope + self.shift
        p = np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -40, 40))), dtype=np.float64)
        p[:, 1:] *= p[:, :1]
        return p


class Encoder:
    """The encoder tier as a prompt detector; make it with ``load``."""

    name = NAME
    rates_whole_prompt = False
    """It is the second reader: a policy's ``encoder:`` pools its opinion with that of the detector that rates
    the prompt."""

    def __init__(self, sentences: SentenceEncoder, heads: Heads) -> None:
        """*sentences* is the heads' from now on: their adapters change it."""
        if heads.encoder != sentences.digest:
            raise CheckUnavailable(
                "the heads were made for a different sentence encoder",
                hint="name the encoder given in the heads' card, or train heads: python -m "
                "training.guard encoder",
            )
        sentences.adapt(heads.adapters)
        self._sentences = sentences
        self._heads = heads

    def run(self, text: str) -> tuple[Sequence[Finding], CheckRun]:
        """Examine the views of *text*, long ones in windows; the worst counts. Findings have no span.

        Raises CheckUnavailable when the encoder fails or gives no number.
        """
        return self.run_many([text])[0]

    def run_many(self, texts: Sequence[str]) -> list[tuple[Sequence[Finding], CheckRun]]:
        """``run`` for every one of *texts*, in order; faster than one by one."""
        parts = [_parts(text) for text in texts]
        flat = list(dict.fromkeys(p for each in parts for p in each))
        found = self._heads.probabilities(self._sentences.vectors(flat)) if flat else np.zeros((0, 0))
        if not np.isfinite(found).all():
            raise CheckUnavailable("the sentence encoder returned no number", hint="download the model again")
        at = {part: i for i, part in enumerate(flat)}
        return [self._answer(found[[at[p] for p in each]] if each else None) for each in parts]

    def with_lists(self, lists: Sequence[str]) -> Encoder:
        """Itself: it reads no lists."""
        return self

    def _answer(self, found: NDArray[np.float64] | None) -> tuple[Sequence[Finding], CheckRun]:
        """The largest probabilities (texts, labels) of one prompt as findings; None: nothing to read."""
        best = np.zeros(len(self._heads.labels)) if found is None else found.max(axis=0)
        findings = [
            Finding(label, float(p), NAME, f"means something like {label.replace('_', ' ')} ({p:.0%})")
            for label, p in zip(self._heads.labels, best, strict=True)
            if p >= FLOOR
        ]
        findings.sort(key=lambda f: -f.score)
        return findings, CheckRun(NAME, self._heads.version, self._heads.digest, float(best[0]))


def _parts(text: str) -> list[str]:
    """What the encoder reads of *text*: windows of its views, at most MAX_TEXTS, without doubles."""
    parts = [encoder_text(w) for view in views(text) for w in windows(_vectorise.feature_words(view.text))]
    return list(dict.fromkeys(p for p in parts if any(c.isalnum() for c in p)))[:MAX_TEXTS]


def create() -> PromptDetector:
    """The plug-in: the shipped heads over the encoder in the Hugging Face cache."""
    return load()


@loading_alone
def load(model: str = MODEL, revision: str | None = None, heads: str | None = None) -> Encoder:
    """The encoder *model* (a folder, or a hub id that is in the cache) with the *heads* of a folder.

    Without *heads* those that are shipped. Loaded once per process. Raises CheckUnavailable when one of them
    is missing, altered, or does not belong to the other.
    """
    return _loaded(model, revision, heads)


@lru_cache(maxsize=2)
def _loaded(model: str, revision: str | None, heads: str | None) -> Encoder:
    folder, _ = folder_of(model, revision, "sentence encoder")
    read = read_heads(Path(heads).expanduser() if heads else HEADS)
    return Encoder(SentenceEncoder(folder), read)


def read_heads(folder: Path) -> Heads:
    """The heads in *folder*: ``heads.npz`` and ``card.json`` with its SHA-256.

    Raises CheckUnavailable when a file is missing, altered or malformed.
    """
    try:
        card: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        raw = (folder / "heads.npz").read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        if card["kind"] not in KINDS or card["vectoriser"] != _vectorise.VERSION:
            raise CheckUnavailable(
                "the encoder's heads belong to a different version of safegen",
                hint="train them again: python -m training.guard encoder",
            )
        if digest != card["sha256"]:
            raise CheckUnavailable("the encoder's heads were altered", hint="reinstall safegen")
        with np.load(io.BytesIO(raw), allow_pickle=False) as z:
            arrays = {k: z[k].astype(np.float32) for k in z.files}
        return _unpack(card, arrays, digest)
    except FileNotFoundError as error:
        raise CheckUnavailable(
            "the sentence encoder has no heads", hint="train them: python -m training.guard encoder"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise CheckUnavailable("the encoder's heads cannot be read", hint="reinstall safegen") from error


def _unpack(card: dict[str, Any], arrays: dict[str, Floats], digest: str) -> Heads:
    """Arrays -> Heads, shapes and numbers checked. Raises ValueError, KeyError."""
    adapters = _adapters({k: v for k, v in arrays.items() if k.startswith(ADAPTER)})
    arrays = {k: v for k, v in arrays.items() if not k.startswith(ADAPTER)}
    labels = tuple(str(label) for label in card["labels"])
    inner, size = arrays["hidden"].shape
    shapes = {
        "hidden": (inner, size), "hidden_bias": (inner,), "out": (len(labels), inner),
        "out_bias": (len(labels),), "slope": (len(labels),), "shift": (len(labels),),
    }  # fmt: skip
    if not labels or labels[0] != "unsafe" or set(arrays) != set(shapes):
        raise ValueError("the heads have no categories")
    if any(arrays[k].shape != s or not np.isfinite(arrays[k]).all() for k, s in shapes.items()):
        raise ValueError("the heads do not match each other")
    return Heads(
        labels, str(card["encoder_sha256"]), version=str(card["version"]), digest=digest, adapters=adapters,
        **arrays,
    )  # fmt: skip


def _adapters(arrays: dict[str, Floats]) -> dict[str, tuple[Floats, Floats]]:
    """Pairs of arrays by layer. Raises ValueError, KeyError."""
    layers = {name.removeprefix(ADAPTER).rpartition("/")[0] for name in arrays}
    found = {n: (arrays[f"{ADAPTER}{n}/down"], arrays[f"{ADAPTER}{n}/up"]) for n in sorted(layers)}
    for down, up in found.values():
        if down.ndim != 2 or up.ndim != 2 or len(down) != up.shape[1] or not np.isfinite(up @ down).all():
            raise ValueError("the adapters do not match each other")
    if len(arrays) != 2 * len(found):
        raise ValueError("there are arrays that do not belong to any adapter")
    return found
