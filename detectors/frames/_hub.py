"""Picture classifiers of the hub through transformers: safetensors only, no code of theirs runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.logs import logger, waiting
from safegen._util.model_loading import loading_alone
from safegen.detectors.frames import _weights
from safegen.errors import CheckAbsent, CheckUnavailable

if TYPE_CHECKING:
    from safegen.types import Frame

_log = logger(__name__)

BATCH = 16


class LabelModel:
    """A classifier whose labels are known: ``categories`` maps ours to the labels that mean it."""

    batch = BATCH

    @loading_alone
    @waiting(_log, "a frames model to load")
    def __init__(self, place: Path, source: str, categories: Mapping[str, Sequence[str]]) -> None:
        """Load from the folder *place*. Raises CheckUnavailable when it is not what it should be."""
        torch, transformers = libraries(place)
        self._torch = torch
        self.device, kind = device(torch)
        self._processor = transformers.AutoImageProcessor.from_pretrained(place, local_files_only=True)
        model = transformers.AutoModelForImageClassification.from_pretrained(
            place, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=kind
        )
        self._model = model.to(self.device).eval()
        labels = {str(v).lower(): int(k) for k, v in self._model.config.id2label.items()}
        wanted = {label for group in categories.values() for label in group}
        if not wanted <= set(labels):
            raise CheckUnavailable(
                f"the model in {place.name} has the labels {', '.join(labels)}", hint=f"expected {source}"
            )
        self._columns = {name: [labels[x] for x in group] for name, group in categories.items()}
        self.version = f"{source}@{place.name[:12]}"
        self.digest = _weights.digest(place)

    def scores(self, pictures: Sequence[Frame]) -> Sequence[Mapping[str, float]]:
        """Sum of the probabilities of a category's labels."""
        inputs = self._processor(images=list(pictures), return_tensors="pt")
        with self._torch.inference_mode():
            pixels = inputs["pixel_values"].to(self.device, self._model.dtype)
            out = self._model(pixel_values=pixels).logits.float().softmax(-1).cpu().numpy()
        return [{name: float(row[columns].sum()) for name, columns in self._columns.items()} for row in out]


def libraries(place: Path) -> tuple[Any, Any]:
    """torch and transformers. Raises CheckAbsent where one is missing, or timm for a model of timm's."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise CheckAbsent(f"{error.name} is not installed", hint='pip install "safegen[video]"') from error
    try:
        config = json.loads((place / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckUnavailable(f"{place.name}: its config.json cannot be read") from error
    if not isinstance(config, dict):
        raise CheckUnavailable(f"{place.name}: its config.json is not a model configuration")
    if "model_type" not in config or config["model_type"] == "timm_wrapper":
        from importlib.util import find_spec

        if find_spec("timm") is None:
            raise CheckAbsent(
                "this model needs timm, which is not installed", hint="pip install 'safegen[moderation]'"
            )
    transformers.logging.disable_progress_bar()
    return torch, transformers


def device(torch: Any) -> tuple[str, Any]:
    """Where to compute, and in which precision: half on a graphics processor."""
    if torch.cuda.is_available():
        return "cuda", torch.float16
    return "cpu", torch.float32


@loading_alone
@lru_cache(maxsize=4)
def _opened(place: Path, source: str, categories: tuple[tuple[str, tuple[str, ...]], ...]) -> LabelModel:
    """A model stays loaded."""
    return LabelModel(place, source, dict(categories))


def label_model(name: str, source: str, categories: Mapping[str, Sequence[str]]) -> LabelModel:
    """The classifier *source* for the check *name*. Raises CheckAbsent, CheckUnavailable."""
    place = _weights.folder(name, source, needs="config.json")
    try:
        return _opened(place, source, tuple((k, tuple(v)) for k, v in categories.items()))
    except CheckUnavailable:
        raise
    except Exception as error:
        raise CheckUnavailable(f"the model in {place.name} cannot be loaded: {error}") from error
