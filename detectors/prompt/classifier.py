"""The embedded classifier: hashed n-grams and a small transformer, one calibrated probability per category.

Weights live in ``safegen/models/guard`` with their card; the recipe is ``python -m training.guard``.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safegen._util.blas import one_blas_thread
from safegen._util.logs import logger
from safegen._util.resources import data_path
from safegen.detectors.prompt import _transformer, _vectorise
from safegen.detectors.prompt._transformer import TransformerHalf
from safegen.detectors.prompt.normalise import View
from safegen.detectors.prompt.views import views
from safegen.errors import CheckUnavailable
from safegen.protocols import PromptDetector
from safegen.types import CheckRun, Finding, Span

_log = logger(__name__)

FOLDER = data_path("models", "guard")
WINDOW = 60
"""Words per window: long texts are cut into overlapping windows so that padding cannot drown a request."""
RECHECK_SECONDS = 1.0
"""Seconds for which a look at the files' times holds."""
_LOOKED: dict[Path, tuple[float, tuple[int, ...]]] = {}
GAINS = 20_000
FLOOR = 0.02
"""Probabilities below this are not reported as findings."""


@dataclass(frozen=True)
class Model:
    """Unpacked weights. ``coef`` is int8 (labels, columns), ``scale`` and ``bias`` (labels,): the n-gram
    half.

    ``mix`` (2, labels) weighs the two halves' decision values and ``shift`` (labels,) completes their
    calibration.
    """

    labels: tuple[str, ...]
    bits: int
    idf: NDArray[np.float32]
    coef: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    rows: NDArray[np.int8]
    """``coef`` the other way round, (columns, labels): what one text needs then lies together in memory."""
    reader: TransformerHalf
    mix: NDArray[np.float32]
    shift: NDArray[np.float32]
    version: str
    digest: str
    gains: dict[str, NDArray[np.float32]] = field(default_factory=dict, compare=False)
    """What words alone weigh for every label, of up to GAINS words; the same ones come again and again."""

    def logits(self, words: list[str]) -> NDArray[np.float64]:
        """Decision values of the n-gram half, shape (labels,)."""
        cols, values = _vectorise.weights(_vectorise.columns(words, self.bits), self.idf)
        raw = values @ self.rows[cols].astype(np.float32)
        return np.asarray(raw * self.scale + self.bias, dtype=np.float64)

    def probabilities(self, texts: Sequence[list[str]]) -> NDArray[np.float64]:
        """Calibrated probabilities (texts, labels) in [0, 1] of texts in words (Platt scaling).

        Categories were calibrated against benign texts; times the overall probability they are joint ones:
        unsafe *and* of this category.
        """
        first = np.array([self.logits(words) for words in texts])
        z = self.mix[0] * first + self.mix[1] * self.reader.logits(texts) + self.shift
        z = np.round(z, 3)  # what is read together changes the last digits
        p = np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -40, 40))))
        p[:, 1:] *= p[:, :1]
        return p


class Classifier:
    """The embedded classifier as a prompt detector; weights are loaded and checked on first use."""

    name = "classifier"
    rates_whole_prompt = True

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def run(self, text: str) -> tuple[Sequence[Finding], CheckRun]:
        """Examine every view of *text*, long ones in windows; the worst counts.

        Findings carry the label's probability (``unsafe`` is the overall one) and the words that weighed
        most. Raises CheckUnavailable when the weights are missing, altered or give no number.
        """
        return self.run_many([text])[0]

    @one_blas_thread()
    def run_many(self, texts: Sequence[str]) -> list[tuple[Sequence[Finding], CheckRun]]:
        """``run`` for every one of *texts*, in order; faster than one by one.

        On one thread: on a busy machine several took eight times as long for a prompt.
        """
        model = load(self._folder or FOLDER)
        parts = [_view_windows(text) for text in texts]
        flat = [words for each in parts for _, words in each]
        p = model.probabilities(flat) if flat else np.zeros((0, len(model.labels)))
        if not np.isfinite(p).all():
            raise CheckUnavailable("the prompt classifier returned no number", hint="reinstall safegen")
        out: list[tuple[Sequence[Finding], CheckRun]] = []
        start = 0
        for text, each in zip(texts, parts, strict=True):
            out.append(
                self._to_findings(model, text, [view for view, _ in each], p[start : start + len(each)])
            )
            start += len(each)
        return out

    def with_lists(self, lists: Sequence[str]) -> Classifier:
        """Itself: it reads no lists."""
        return self

    def vocabulary(self) -> Callable[[str], bool]:
        """Whether a word is one of those it was trained on. Raises CheckUnavailable as ``run`` does."""
        return load(self._folder or FOLDER).reader.pieces.knows

    def _to_findings(
        self, model: Model, text: str, seen: list[View], p: NDArray[np.float64]
    ) -> tuple[Sequence[Finding], CheckRun]:
        """The largest of the probabilities *p* (windows of views, labels) of one text as findings."""
        best = p.max(axis=0, initial=0.0)
        findings = []
        for j in np.nonzero(best >= FLOOR)[0].tolist():
            label, score = model.labels[j], float(best[j])
            span = strongest_span(model, j, seen[int(p[:, j].argmax())]) if score >= 0.2 else None
            reason = f"reads like {label.replace('_', ' ')} ({score:.0%})"
            excerpt = text[slice(*span)] if span else ""
            findings.append(Finding(label, score, self.name, reason, span, excerpt))
        findings.sort(key=lambda f: -f.score)
        return findings, CheckRun(self.name, model.version, model.digest, float(best[0]))


def _view_windows(text: str) -> list[tuple[View, list[str]]]:
    """The windows of all views of *text* that hold a word, each with its view."""
    return [
        (view, words)
        for view in views(text)
        for words in windows(_vectorise.feature_words(view.text))
        if any(w[0].isalnum() for w in words)
    ]


def create() -> PromptDetector:
    """The plug-in with the shipped weights."""
    return Classifier()


def windows(words: list[str]) -> list[list[str]]:
    """*words* whole and, when they are many, also in overlapping parts of WINDOW words."""
    if len(words) <= 2 * WINDOW:
        return [words]
    step = WINDOW // 2
    parts = [words[i : i + WINDOW] for i in range(0, len(words) - step, step)]
    return [words, *parts]


def strongest_span(model: Model, label: int, view: View) -> Span | None:
    """Span, in the user's text, of the up to four neighbouring words that weigh most for *label*."""
    chunks, start = [], 0
    for part in view.text.split(" "):
        if part:
            chunks.append((start, start + len(part)))
        start += len(part) + 1
    if not chunks:
        return None
    gains = [float(_gains(model, view.text[a:b])[label]) for a, b in chunks[:400]]
    best, span = -1e9, (0, 1)
    for i in range(len(gains)):
        total = 0.0
        for k in range(i, min(i + 4, len(gains))):
            total += gains[k] - 0.02
            if total > best:
                best, span = total, (i, k + 1)
    return view.span(chunks[span[0]][0], chunks[span[1] - 1][1])


def _gains(model: Model, chunk: str) -> NDArray[np.float32]:
    """How much the words of *chunk* alone push towards each label, shape (labels,)."""
    found = model.gains.get(chunk)
    if found is None:
        words = _vectorise.feature_words(chunk)
        cols = np.concatenate(_vectorise.columns(words, model.bits))
        push = model.idf[cols] @ model.rows[cols].astype(np.float32)
        found = np.asarray(push * model.scale / np.float32(len(cols) + 8), np.float32)
        if len(model.gains) < GAINS and len(chunk) <= 40:
            model.gains[chunk] = found
    return found


def load(folder: Path) -> Model:
    """The model in *folder* (``card.json`` with the expected SHA-256, and ``weights.npz``), cached until a
    file changes.

    Raises CheckUnavailable when a file is missing, altered or malformed, or the model knows no label.
    """
    looked, stamps = _LOOKED.get(folder, (-RECHECK_SECONDS, ()))
    if time.monotonic() - looked >= RECHECK_SECONDS:
        try:
            stamps = tuple((folder / n).stat().st_mtime_ns for n in ("card.json", "weights.npz"))
        except OSError as e:
            raise CheckUnavailable(
                "the prompt classifier's weights are missing", hint="reinstall safegen"
            ) from e
        _LOOKED[folder] = (time.monotonic(), stamps)
    return _load(folder, stamps)


@lru_cache(maxsize=4)
def _load(folder: Path, stamps: tuple[int, ...]) -> Model:
    _log.debug("loading the prompt classifier")
    try:
        card: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        raw = (folder / "weights.npz").read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        if digest != card["sha256"]:
            raise CheckUnavailable("the prompt classifier's weights were altered", hint="reinstall safegen")
        if card["vectoriser"] != _vectorise.VERSION:
            raise CheckUnavailable(
                "the weights belong to a different version of safegen", hint="reinstall safegen"
            )
        with np.load(io.BytesIO(raw), allow_pickle=False) as z:
            arrays = {k: z[k] for k in z.files}
        return _unpack(card, arrays, digest)
    except (OSError, ValueError, KeyError, TypeError, EOFError) as e:
        raise CheckUnavailable(
            "the prompt classifier's weights cannot be read", hint="reinstall safegen"
        ) from e


def _unpack(card: dict[str, Any], arrays: dict[str, Any], digest: str) -> Model:
    """Arrays -> Model, shapes and numbers checked."""
    labels, bits = tuple(card["labels"]), int(card["bits"])
    shape = (len(labels), 1 << bits)
    halves = {k: arrays[k].astype(np.float32) for k in ("scale", "bias", "shift")}
    good = (
        labels
        and labels[0] == "unsafe"
        and arrays["coef"].shape == shape
        and arrays["idf"].shape == shape[1:]
        and arrays["coef"].dtype == np.int8
        and arrays["mix"].shape == (2, len(labels))
        and np.isfinite(arrays["mix"]).all()
        and all(v.shape == shape[:1] and np.isfinite(v).all() for v in halves.values())
    )
    if not good:
        raise CheckUnavailable("the prompt classifier has no categories", hint="reinstall safegen")
    idf = arrays["idf"].astype(np.float32) / 16
    return Model(
        labels, bits, idf, arrays["coef"], rows=np.ascontiguousarray(arrays["coef"].T),
        reader=_transformer.unpack(arrays, len(labels)), mix=arrays["mix"].astype(np.float32),
        version=str(card["version"]), digest=digest, **halves,
    )  # fmt: skip
