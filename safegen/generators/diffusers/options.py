"""Options of a real pipeline: how it is placed and sped up, and what is passed to its call by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from safegen.errors import UsageError
from safegen.generators.option_values import SWITCHES, is_number

Offload = Literal["auto", "none", "model", "sequential", "group"]
Dtype = Literal["auto", "float32", "float16", "bfloat16"]
Cache = Literal["none", "first-block", "pab", "magcache", "taylorseer"]
Quantise = Literal["none", "fp8", "bnb-8bit", "bnb-4bit", "int8"]


@dataclass(frozen=True)
class PipelineOptions:
    """Typed options; the defaults leave the choice to safegen or to the pipeline.

    ``device``: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``. ``offload``: which parts stay on the GPU.
    ``cache_threshold``: of first-block and magcache. ``mag_ratios``: one number a step, for magcache.
    ``lora``: a ``.safetensors`` file, weighted by ``lora_scale``.
    """

    device: str = "auto"
    dtype: Dtype = "auto"
    offload: Offload = "auto"
    vae_tiling: bool | None = None
    vae_slicing: bool | None = None
    attention: str = ""
    cache: Cache = "none"
    cache_threshold: float | None = None
    mag_ratios: tuple[float, ...] = ()
    compile: bool = False
    quantise: Quantise = "none"
    lora: Path | None = None
    lora_scale: float = 1.0
    flow_shift: float | None = None

    def for_record(self) -> dict[str, Any]:
        """What was chosen here and shapes the clip, for the record: no paths, nothing that is a default."""
        silent = ("device", "dtype", "offload", "lora", "lora_scale")
        plain = PipelineOptions()
        return {
            f.name: list(value) if isinstance(value, tuple) else value
            for f in fields(self)
            if f.name not in silent and (value := getattr(self, f.name)) != getattr(plain, f.name)
        }


_CHOICES: dict[str, tuple[str, ...]] = {
    "offload": get_args(Offload),
    "dtype": get_args(Dtype),
    "cache": get_args(Cache),
    "quantise": get_args(Quantise),
}
_NUMBERS = {"cache_threshold": (0.0, 10.0), "lora_scale": (-10.0, 10.0), "flow_shift": (0.01, 100.0)}
OPTION_NAMES = tuple(f.name for f in fields(PipelineOptions))


def split_options(options: Mapping[str, Any]) -> tuple[PipelineOptions, dict[str, Any]]:
    """The typed options and those that are left for the pipeline's call.

    Raises UsageError for a value a typed option cannot have, naming those it can.
    """
    typed = {name: _value(name, options[name]) for name in OPTION_NAMES if name in options}
    rest = {name: value for name, value in options.items() if name not in OPTION_NAMES}
    return PipelineOptions(**typed), rest


def _value(name: str, value: Any) -> Any:
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise _invalid(name, value, f"one of {', '.join(_CHOICES[name])}")
        return value
    if name in _NUMBERS:
        return _number(name, value, *_NUMBERS[name])
    if name in ("vae_tiling", "vae_slicing", "compile"):
        value = SWITCHES.get(value.lower(), value) if isinstance(value, str) else value
        if not isinstance(value, bool):
            raise _invalid(name, value, "on or off")
        return value
    if name == "mag_ratios":
        if not isinstance(value, list | tuple) or not value:
            raise _invalid(name, value, "a list of numbers, one per step, such as [1.0,1.02,1.01]")
        return tuple(_number(name, v, 0.0, 100.0) for v in value)
    if name == "lora":
        return _lora(value)
    if not isinstance(value, str) or not value:
        raise _invalid(name, value, "a name")
    return value


def _number(name: str, value: Any, low: float, high: float) -> float:
    if not is_number(value, low, high):
        raise _invalid(name, value, f"a number from {low:g} to {high:g}")
    return float(value)


def _lora(value: Any) -> Path:
    path = Path(str(value)).expanduser()
    if path.suffix != ".safetensors":
        raise UsageError(
            f"{path.name} is not a .safetensors file",
            hint="convert it: other LoRA formats can run code when loaded",
        )
    if not path.is_file():
        raise UsageError(f"there is no LoRA file {path}", hint="give the path of a .safetensors file")
    return path


def _invalid(name: str, value: Any, allowed: str) -> UsageError:
    return UsageError(f"option {name} cannot be {value!r}", hint=f"{name} must be {allowed}")
