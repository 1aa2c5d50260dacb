"""Where a pipeline's parts go: device, number format, what stays in memory. Chosen from what there is."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, UsageError
from safegen.generators import _loading
from safegen.generators._lora import header

if TYPE_CHECKING:
    from safegen.generators._facts import Facts
    from safegen.generators._options import Options
    from safegen.generators.families import Family

GIB = 2**30
_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
_QUANTISED = {"fp8": 1.0, "int8": 1.0, "bnb-8bit": 1.0, "bnb-4bit": 0.6}
_BASE = 1.5 * GIB
_PER_PIXEL = 60
"""Working memory beside the weights: a base and bytes for every pixel of every frame. A rough guess."""


@dataclass(frozen=True)
class Placement:
    """``dtypes`` by part (``default`` for the rest); ``weights``: bytes by part, empty if unknown.

    ``memory``: bytes of the device, None if unknown. ``work``: bytes beside the weights (a guess).
    """

    device: str
    dtypes: Mapping[str, str]
    offload: str
    tiling: bool
    weights: Mapping[str, int] = field(default_factory=dict)
    memory: int | None = None
    work: float = 0.0

    @property
    def peak(self) -> float | None:
        """Bytes on the device at most, as far as the weights are known (a guess)."""
        if not self.weights:
            return None
        return _resident(self.weights, self.offload) + self.work

    def describe(self) -> dict[str, Any]:
        """For ``--dry-run``: what was chosen and why it should fit."""
        memory = f" ({self.memory / GIB:.0f} GiB)" if self.memory else ""
        shown: dict[str, Any] = {
            "device": f"{self.device}{memory}",
            "dtype": self.dtypes["default"],
            "offload": self.offload,
        }
        if self.tiling:
            shown["vae_tiling"] = "on"
        if self.peak is not None:
            shown["weights"] = f"{sum(self.weights.values()) / GIB:.2g} GiB"
            shown["memory"] = f"about {self.peak / GIB:.2g} GiB"
        return shown


def choose(
    options: Options, family: Family, facts: Facts, folder: Path | None, *, pixels: int = 0
) -> Placement:
    """The placement for a pipeline, as asked or else by the device's memory.

    ``pixels``: of all frames together. Raises UsageError for a device or an offload that is not there.
    """
    device = _device(options.device)
    dtypes = _dtypes(options, family, facts, device)
    weights = {} if folder is None else weigh(folder, dtypes, options.quantise)
    memory = _memory(device)
    work = _BASE * (device != "cpu") + _PER_PIXEL * pixels
    offload: str = options.offload
    if offload == "auto":
        offload = _offload(weights, memory, work) if device.startswith("cuda") else "none"
    elif offload in ("model", "sequential") and device == "cpu":
        raise UsageError(
            f"offload={offload} moves parts between a GPU and the CPU, and there is no GPU",
            hint="leave --option offload out",
        )
    tiling = options.vae_tiling if options.vae_tiling is not None else offload != "none" and device != "cpu"
    return Placement(device, dtypes, offload, tiling, weights, memory, work)


def check(placement: Placement, name: str) -> None:
    """Raise GenerationFailed when the weights alone cannot fit into the memory there is."""
    if placement.memory is None or not placement.weights:
        return
    needed = _resident(placement.weights, placement.offload)
    if needed > placement.memory:
        raise GenerationFailed(
            f"{name} needs {needed / GIB:.3g} GiB for its weights; "
            f"{placement.device} has {placement.memory / GIB:.3g} GiB",
            hint="try --option offload=model or group, --option quantise=fp8, or a smaller model",
        )


def weigh(folder: Path, dtypes: Mapping[str, str], quantise: str = "none") -> dict[str, int]:
    """Bytes of each part's weights in memory: its safetensors' tensors in the format they are loaded in."""
    found = {}
    for part in sorted(p for p in folder.iterdir() if p.is_dir()):
        count = 0
        for file in part.glob("*.safetensors"):
            if ".fp16." in file.name or ".bf16." in file.name:
                continue
            count += sum(math.prod(t.get("shape", ())) for t in header(file).values())
        if not count:
            continue
        each: float = _BYTES[dtypes.get(part.name, dtypes["default"])]
        if quantise in _QUANTISED and part.name.startswith(("transformer", "unet")):
            each = _QUANTISED[quantise]
        found[part.name] = int(count * each)
    return found


def place(pipe: Any, placement: Placement) -> Any:
    """Move a loaded pipeline to where it runs. Raises UsageError where it cannot be offloaded like that."""
    torch = _loading.need("torch")
    device, offload = placement.device, placement.offload
    try:
        if offload == "model":
            pipe.enable_model_cpu_offload(device=device)
        elif offload == "sequential":
            pipe.enable_sequential_cpu_offload(device=device)
        elif offload == "group":
            pipe.enable_group_offload(
                onload_device=torch.device(device),
                offload_type="leaf_level",
                use_stream=device.startswith("cuda"),
            )
        else:
            pipe = pipe.to(device)
    except (ValueError, NotImplementedError, AttributeError) as error:
        raise UsageError(
            f"{type(pipe).__name__} does not work with offload={offload}: {error}",
            hint="try --option offload=none or model",
        ) from error
    return pipe


def _resident(weights: Mapping[str, int], offload: str) -> float:
    """Bytes of weights that are on the device at one time."""
    total, largest = sum(weights.values()), max(weights.values())
    return {"model": largest, "group": 0.1 * largest, "sequential": 0.05 * largest}.get(offload, total)


def _offload(weights: Mapping[str, int], memory: int | None, work: float) -> str:
    """The fastest way that should fit; unknown weights are taken to need it."""
    if memory is None:
        return "none"
    if not weights:
        return "model"
    for way in ("none", "model", "group"):
        if _resident(weights, way) + work <= 0.9 * memory:
            return way
    return "sequential"


def _device(wanted: str) -> str:
    torch = _loading.need("torch")
    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise UsageError(f"there is no device {wanted!r}", hint="cpu, cuda, cuda:1, mps") from error
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        raise UsageError(f"this machine has no device {wanted!r}", hint="leave --option device out")
    return str(device)


def _dtypes(options: Options, family: Family, facts: Facts, device: str) -> dict[str, str]:
    if options.dtype == "auto":
        return family.dtypes(facts, "float32" if device == "cpu" else "bfloat16")
    return {**family.dtypes(facts, options.dtype), "default": options.dtype}


def _memory(device: str) -> int | None:
    if device.startswith("cuda"):
        torch = _loading.need("torch")
        return int(torch.cuda.mem_get_info(device)[1])
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
