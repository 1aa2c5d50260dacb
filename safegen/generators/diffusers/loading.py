"""Loading a diffusers pipeline quietly, safely and from files whose digest is known."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safegen._util.logs import logger, public_name, waiting
from safegen._util.model_loading import MODEL_LOADING
from safegen.errors import GenerationFailed, MissingExtra, UsageError
from safegen.generators.diffusers import lora as _lora
from safegen.generators.diffusers import tuning
from safegen.generators.diffusers.families import family_of
from safegen.generators.diffusers.libraries import INSTALL_HINT, require_module, silenced_libraries
from safegen.generators.diffusers.model_config import read_pipeline_config
from safegen.generators.diffusers.no_code import refuse_code
from safegen.generators.diffusers.options import PipelineOptions
from safegen.generators.diffusers.placement import Placement, choose_placement, move_to_device
from safegen.generators.hub import pinned
from safegen.generators.presets import Preset

_log = logger(__name__)

_DEFAULTS = PipelineOptions()


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline ready to be called, the digest of its files, the version it was fetched at and where it
    runs. ``details``: how it was loaded, for the record."""

    pipe: Any
    digest: str
    version: str
    device: str
    details: Mapping[str, Any] = field(default_factory=dict)


def load_pipeline(
    preset: Preset,
    *,
    digest: str | None = None,
    options: PipelineOptions = _DEFAULTS,
    placement: Placement | None = None,
) -> LoadedPipeline:
    """Load a preset's pipeline where *placement* says, else where it fits: half precision on a GPU.

    Only safetensors, no code from the repository. Whatever fails, nothing half-loaded is kept. Raises
    MissingExtra, GenerationFailed, and UsageError when the folder holds a pipeline that is not for video or
    an option does not fit it.
    """
    require_module("torch")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    folder, version = pinned.verified_folder(preset)
    refuse_code(folder, public_name(preset.name))
    known = digest or pinned.weights_digest(preset, folder)
    config = read_pipeline_config(folder)
    if placement is None:
        placement = choose_placement(preset, options, family_of(config), config)
    started = time.monotonic()
    with MODEL_LOADING, silenced_libraries(), waiting(_log, f"the model {public_name(preset.name)} to load"):
        pipe = _pipeline(preset, folder, placement.dtypes, options)
        lora = (
            {} if options.lora is None else {"lora": _lora.load_lora(pipe, options.lora, options.lora_scale)}
        )
        tuning.apply_options(pipe, replace(options, vae_tiling=placement.tiling))
        pipe = move_to_device(pipe, placement)
    _log.info(
        "%(model)s loaded as %(pipeline)s on %(device)s in %(seconds).2f s",
        {
            "model": public_name(preset.name),
            "pipeline": type(pipe).__name__,
            "device": placement.device,
            "seconds": time.monotonic() - started,
        },
    )
    details = {"dtype": placement.dtypes["default"], "offload": placement.offload}
    return LoadedPipeline(pipe, known, version, placement.device, {**details, **options.for_record(), **lora})


def _pipeline(preset: Preset, folder: Path, dtypes: Mapping[str, str], options: PipelineOptions) -> Any:
    """The pipeline of a folder, in memory."""
    torch = require_module("torch")
    formats = {part: getattr(torch, name) for part, name in dtypes.items()}
    extra = {}
    if (quantised := tuning.quantization_config(options, formats["default"])) is not None:
        extra["quantization_config"] = quantised
    base = require_module("diffusers.pipelines.pipeline_utils").DiffusionPipeline
    try:
        pipe = base.from_pretrained(
            str(folder),
            dtype=formats if len(formats) > 1 else formats["default"],
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            **extra,
        )
    except ImportError as error:
        raise MissingExtra(
            f"{preset.name} needs a library that is not installed: {error}", hint=INSTALL_HINT
        ) from error
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise GenerationFailed(
            f"there is not enough memory to load {preset.name}",
            hint="try --option offload=model or quantise=fp8, or a smaller model",
        ) from error
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        raise GenerationFailed(f"{preset.name} could not be loaded: {error}") from error
    if not hasattr(pipe, "video_processor"):
        raise UsageError(f"{preset.name} is {type(pipe).__name__}, which does not make video")
    pipe.set_progress_bar_config(disable=True)
    return pipe
