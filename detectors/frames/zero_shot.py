"""Attribute extractor: compares frames with texts through a CLIP or SigLIP model of the hub.

Each attribute is a set of texts, one a class, that the audit suite (or the list below) gives. The model is
``openai/clip-vit-base-patch32`` (MIT), or the folder in ``SAFEGEN_ZERO_SHOT``; nothing is fetched, and
without it the extractor cannot run. Such models carry biases of their own: what they read is a second
opinion, not a measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from safegen._util.logs import logger, waiting
from safegen._util.model_loading import loading_alone
from safegen.detectors.frames import _hub, _weights
from safegen.errors import CheckUnavailable, UsageError
from safegen.types import Attribute, CheckRun

if TYPE_CHECKING:
    from safegen.protocols import AttributeExtractor, Questions
    from safegen.types import Clip, Frame

_log = logger(__name__)

NAME, VERSION = "zero_shot", "1"
SOURCE = "openai/clip-vit-base-patch32"
LOOKED_AT = 8
SURE = 0.6
"""Mean probability below which the best class is called unknown."""
UNKNOWN = "unknown"
NOBODY = "a photo without any people"
QUESTIONS: Questions = {
    "gender_presentation": {"woman": "a photo of a woman", "man": "a photo of a man"},
}
"""Asked where nobody gives other questions."""


class Embedder:
    """The loaded model."""

    @loading_alone
    @waiting(_log, "the zero-shot model to load")
    def __init__(self, place: Path) -> None:
        """Load from the folder *place*. Raises CheckUnavailable."""
        torch, transformers = _hub.libraries(place)
        self._torch = torch
        self._device, kind = _hub.device(torch)
        safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        self._tokens = transformers.AutoTokenizer.from_pretrained(place, **safe)
        self._pictures = transformers.AutoImageProcessor.from_pretrained(place, **safe)
        model = transformers.AutoModel.from_pretrained(place, use_safetensors=True, dtype=kind, **safe)
        if model.config.model_type not in ("clip", "siglip", "siglip2"):
            raise CheckUnavailable(
                f"the model in {place.name} is {model.config.model_type}", hint="give a CLIP or SigLIP model"
            )
        self._model = model.to(self._device).eval()
        self.version = f"{model.config.model_type}@{place.name[:12]}"
        self.digest = _weights.digest(place)

    def similarities(self, pictures: Sequence[Frame], texts: Sequence[str]) -> NDArray[np.float64]:
        """The model's logits (pictures, texts)."""
        limit = self._model.config.text_config.max_position_embeddings
        words = self._tokens(
            list(texts), padding="max_length", max_length=limit, truncation=True, return_tensors="pt"
        )
        words = {k: v for k, v in words.items() if k in ("input_ids", "attention_mask")}
        if self._model.config.model_type != "clip":
            words.pop("attention_mask", None)  # SigLIP was trained to read its padding
        pixels = self._pictures(images=list(pictures), return_tensors="pt")["pixel_values"]
        with self._torch.inference_mode():
            out = self._model(
                pixel_values=pixels.to(self._device, self._model.dtype),
                **{k: v.to(self._device) for k, v in words.items()},
            ).logits_per_image
        return np.asarray(out.float().cpu().numpy(), np.float64)


class ZeroShot:
    """Reads the attributes that its questions name."""

    name = NAME

    def __init__(self, questions: Questions = QUESTIONS) -> None:
        """*questions*: a text for every class, by attribute."""
        self._questions = questions
        self._model: Embedder | None = None

    def prepare(self, questions: Questions) -> ZeroShot:
        """An extractor with these *questions*, its model loaded.

        Raises UsageError for an attribute without texts, CheckUnavailable where there is no model.
        """
        missing = sorted(name for name, texts in questions.items() if not texts)
        if missing:
            raise UsageError(
                f"{NAME} reads {missing[0]!r} by comparing pictures with texts, but the suite gives no texts",
                hint="write classes as NAME: TEXT",
            )
        prepared = ZeroShot(questions)
        prepared._load()
        return prepared

    def _load(self) -> Embedder:
        if self._model is None:
            self._model = _opened(_weights.folder(NAME, SOURCE, needs="config.json"))
        return self._model

    def run(self, clip: Clip) -> tuple[Sequence[Attribute], CheckRun]:
        """The attributes of the clip. Raises CheckUnavailable where the model is not there or fails."""
        model = self._load()
        pictures = list(islice(clip, 0, None, max(1, clip.count // LOOKED_AT)))
        found = {name: self._answer(model, pictures, texts) for name, texts in self._questions.items()}
        by = f"{NAME}/{VERSION}"
        ran = CheckRun(NAME, f"{VERSION} {model.version}", model.digest)
        return tuple(Attribute(n, p, by, max(p.values())) for n, p in found.items()), ran

    def _answer(
        self, model: Embedder, pictures: Sequence[Frame], texts: Mapping[str, str]
    ) -> dict[str, float]:
        """Mean over the frames of the softmax over the texts and "nobody"; unsure means ``unknown``."""
        logits = model.similarities(pictures, [*texts.values(), NOBODY])
        if not np.isfinite(logits).all():
            raise CheckUnavailable("the zero-shot model returned invalid numbers")
        weights = np.exp(logits - logits.max(1, keepdims=True))
        mean = (weights / weights.sum(1, keepdims=True)).mean(0)
        out = dict(zip([*texts, UNKNOWN], map(float, mean), strict=True))
        best = max(out.values())
        if best >= SURE:
            return out
        return {
            **{k: v * best for k, v in out.items() if k != UNKNOWN},
            UNKNOWN: 1 - best * (1 - out[UNKNOWN]),
        }


@loading_alone
@lru_cache(maxsize=2)
def _opened(place: Path) -> Embedder:
    """A model stays loaded."""
    try:
        return Embedder(place)
    except CheckUnavailable:
        raise
    except Exception as error:
        raise CheckUnavailable(f"the model in {place.name} cannot be loaded: {error}") from error


def create() -> AttributeExtractor:
    """The plug-in."""
    return ZeroShot()
