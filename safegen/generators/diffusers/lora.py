"""LoRA weights: loaded whole or not at all, and named by their digest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safegen._util.hashing import sha256_of
from safegen._util.model_loading import loading_alone
from safegen.errors import GenerationFailed, MissingExtra, UsageError
from safegen.generators.diffusers import safetensors

_ADAPTER = "safegen"


@loading_alone
def load_lora(pipe: Any, path: Path, scale: float) -> dict[str, Any]:
    """Load a LoRA into a pipeline; returns what the manifest says about it.

    Raises UsageError when the file is none, belongs to another kind of model or fits only in part: the
    pipeline must then be thrown away. MissingExtra without peft.
    """
    pairs = sum(1 for name in _tensor_names(path) if _is_down(name))
    if not pairs:
        raise UsageError(f"{path.name} contains no LoRA weights", hint="give a LoRA made for this model")
    if not hasattr(pipe, "load_lora_weights"):
        raise UsageError(f"{type(pipe).__name__} does not accept LoRA weights", hint="omit --option lora")
    digest = sha256_of(path)
    try:
        pipe.load_lora_weights(
            str(path.resolve().parent), weight_name=path.name, adapter_name=_ADAPTER, local_files_only=True
        )
        if not _count_adapted_layers(pipe):
            raise ValueError(f"none of its {pairs} layers match this model")
        pipe.set_adapters([_ADAPTER], [scale])
    except ImportError as error:
        raise MissingExtra("LoRA needs peft", hint='pip install "safegen[video]"') from error
    except (ValueError, KeyError, RuntimeError, TypeError, AttributeError, IndexError) as error:
        raise _incompatible_lora(path, pipe, _first_line(error)) from error
    except OSError as error:
        raise GenerationFailed(f"{path.name} cannot be read: {error}") from error
    fitted = _count_adapted_layers(pipe)
    if fitted < pairs:
        raise _incompatible_lora(path, pipe, f"{fitted} of its {pairs} layers match this model")
    return {"name": path.name, "sha256": digest, "scale": scale}


def _tensor_names(path: Path) -> Iterable[str]:
    try:
        return safetensors.read_header(path)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path.name} is not a safetensors file: {error}", hint="download it again: it may be incomplete"
        ) from error


def _is_down(name: str) -> bool:
    return name.endswith(
        (".lora_A.weight", ".lora_down.weight", ".lora.down.weight", ".lora_A.default.weight")
    )


def _count_adapted_layers(pipe: Any) -> int:
    """How many layers carry the adapter."""
    parts = [m for m in pipe.components.values() if hasattr(m, "named_modules")]
    return sum(
        1
        for part in parts
        for _, module in part.named_modules()
        if hasattr(module, "lora_A") and _ADAPTER in module.lora_A
    )


def _incompatible_lora(path: Path, pipe: Any, why: str) -> UsageError:
    return UsageError(
        f"{path.name} does not fit {type(pipe).__name__}: {why}",
        hint="use a LoRA made for this model; nothing was loaded",
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:200]
