"""Loading a diffusers pipeline quietly, safely and from files whose digest is known."""

from __future__ import annotations

import contextlib
import importlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from safegen.errors import GenerationFailed, MissingExtra, UsageError
from safegen.generators import hub
from safegen.generators.presets import Preset

_HINT = 'pip install "safegen[video]"'


@dataclass(frozen=True)
class Loaded:
    """A pipeline ready to be called, the digest of its files, the version it was fetched at and where it
    runs."""

    pipe: Any
    digest: str
    version: str
    device: str


def need(module: str) -> Any:
    """Import an optional dependency. Raises MissingExtra when it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(f"generating video needs {module.split('.')[0]}", hint=_HINT) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No loading bars and no warnings of the libraries underneath, which would write over ours; restored
    after."""
    from_diffusers = need("diffusers.utils.logging")
    from_transformers = need("transformers.utils.logging")
    before = [
        (m, m.get_verbosity(), m.is_progress_bar_enabled()) for m in (from_diffusers, from_transformers)
    ]
    try:
        for module, _, _ in before:
            module.set_verbosity_error()
            module.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for module, verbosity, shown in before:
            module.set_verbosity(verbosity)
            if shown:
                module.enable_progress_bar()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread for a model so small that threads cost more than they bring.

    On a busy machine two threads that wait for each other at every layer took 18 times as long as one.
    """
    torch = need("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def load(preset: Preset, *, digest: str | None = None) -> Loaded:
    """Load a preset's pipeline onto the best device: half precision on a GPU, full on a CPU.

    Only safetensors, no code from the repository. Raises MissingExtra, GenerationFailed, and UsageError
    when the folder holds a pipeline that is not for video.
    """
    torch = need("torch")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    folder, version = hub.folder_of(preset)
    known = digest or hub.digest_of(preset, folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    with quiet():
        base = need("diffusers.pipelines.pipeline_utils").DiffusionPipeline
        try:
            pipe = base.from_pretrained(
                str(folder), dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False
            )
            pipe.set_progress_bar_config(disable=True)
            pipe = pipe.to(device)
        except ImportError as error:
            raise MissingExtra(f"{preset.name} needs a missing library: {error}", hint=_HINT) from error
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise GenerationFailed(f"{preset.name} could not be loaded: {error}") from error
    if not hasattr(pipe, "video_processor"):
        raise UsageError(f"{preset.name} is {type(pipe).__name__}, which makes no video")
    return Loaded(pipe, known, version, device)
