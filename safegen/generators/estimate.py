"""What a model needs and what this machine has: memory and download, with the basis of each figure.

Weights are counted: from the safetensors' own headers where the files are here, else from the preset. What
comes on top while it runs follows one rule of thumb: ``_PER_TOKEN`` bytes for each token and hidden channel
of the transformer. It was fitted to published measurements. HunyuanVideo's README states 60 GB at 1280x720
and 45 GB at 960x544, 129 frames each: 95 bytes between the two. Wan 2.1's states 8.19 GB for the 1.3 B model
at 832x480 and 81 frames: 101 over the weights of transformer and decoder. It is a guess within a half, and
is always called an estimate.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed
from safegen.generators.diffusers import model_config, safetensors

if TYPE_CHECKING:
    from safegen.generators.presets import Preset

_PER_TOKEN = 100
_ERROR = 0.5
_WIDTHS = {"float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1, "int8": 1}
_UNKNOWN = "not stated"


@dataclass(frozen=True)
class Estimate:
    """Bytes: ``device`` and ``ram`` at the peak, ``download`` still to come (None: nobody said).

    ``weights`` are all parts at the asked precision, ``resident`` those on the device at the peak,
    ``activations`` what the rule of thumb adds. ``None``: not known. ``basis``: what each figure rests on.
    """

    device: int | None
    ram: int | None
    download: int | None
    weights: int | None
    resident: int | None
    activations: int | None
    basis: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """As JSON values, in gigabytes (10^9 bytes)."""
        return {
            "device_gb": _gigabytes(self.device),
            "ram_gb": _gigabytes(self.ram),
            "download_gb": _gigabytes(self.download),
            "basis": list(self.basis),
        }


@dataclass(frozen=True)
class Machine:
    """Bytes of memory: RAM that is free and all of it, the same of the GPU; None where there is none."""

    ram_free: int | None
    ram: int | None
    device_free: int | None = None
    device: int | None = None
    name: str = "cpu"


def estimate_memory(
    preset: Preset,
    *,
    width: int | None,
    height: int | None,
    frames: int | None,
    dtype: str | None = None,
    offload: str | None = None,
) -> Estimate:
    """Estimate one clip of *width* x *height* pixels and *frames* frames.

    *dtype* is a precision by torch's name, *offload* ``model``, ``sequential``, ``group`` or none. What is
    left out is the preset's. Nothing is loaded or fetched.
    """
    folder = model_config.local_folder(preset)
    precision = str(dtype or preset.dtype or "float32").removeprefix("torch.")
    parts = count_parameters(folder) if folder else dict(preset.parameters)
    weights = {part: n * _WIDTHS.get(precision, 4) for part, n in parts.items()}
    basis = [_weights_basis(preset, folder is not None, precision)]
    shape = _shape(preset, folder)
    size = (width or preset.width, height or preset.height, frames or preset.frames)
    activations = _activations(shape, size, basis)
    resident = _resident(weights, offload, activations or 0, basis)
    download = 0 if folder else None
    basis.append(
        "download: already on this machine"
        if folder
        else "download: ask the hub with `safegen models pull NAME --dry-run`"
    )
    total = sum(weights.values()) if weights else None
    device = None if resident is None or activations is None else resident + activations
    return Estimate(device, total, download, total, resident, activations, tuple(basis))


def check_memory(estimate: Estimate, on: Machine) -> tuple[str, ...]:
    """Warnings about the machine's memory; empty when the model fits.

    Raises GenerationFailed when even the lower end of the estimate (half the rule of thumb) is more than
    there is. Between the lower and the upper end it is a warning: an estimate is no fact.
    """
    activations = estimate.activations or 0
    on_device = on.device is not None
    resident = estimate.resident if on_device else estimate.weights
    have = on.device if on_device else on.ram
    if resident is None or have is None:
        return ()
    where = f"of {on.name}" if on_device else "of RAM"
    what = f"{(resident + activations) / 1e9:.1f} GB estimated, {have / 1e9:.1f} GB {where}"
    if resident + activations * _ERROR > have:
        raise GenerationFailed(f"not enough memory: {what}", hint=_lower(on_device))
    if on_device and estimate.ram is not None and on.ram is not None and estimate.ram > on.ram:
        raise GenerationFailed(
            f"not enough memory: weights of {estimate.ram / 1e9:.1f} GB, {on.ram / 1e9:.1f} GB of RAM",
            hint="use half precision, which halves it, or choose a smaller model",
        )
    free = on.device_free if on_device else on.ram_free
    if free is not None and resident + activations > free:
        return (f"memory may be short: {what}, {free / 1e9:.1f} GB free",)
    return ()


def detect_machine() -> Machine:
    """This machine's memory. Imports torch to ask about a GPU, where it is installed."""
    free, total = _ram()
    try:
        import torch
    except ImportError:
        return Machine(free, total)
    if not torch.cuda.is_available():
        return Machine(free, total)
    device_free, device = torch.cuda.mem_get_info()
    return Machine(free, total, int(device_free), int(device), str(torch.cuda.get_device_name()))


def _ram() -> tuple[int | None, int | None]:
    """Free and total RAM (bytes) where the platform says."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = os.sysconf("SC_PHYS_PAGES") * page
    except (AttributeError, ValueError, OSError):
        return None, None
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) * 1024, total
    except (OSError, StopIteration, ValueError, IndexError):
        return None, total


def count_parameters(folder: Path) -> dict[str, int]:
    """Numbers in the weights of each part of a pipeline folder, from the headers of its safetensors.

    Raises GenerationFailed for a file whose header cannot be read.
    """
    parts: dict[str, int] = {}
    for file in sorted(folder.glob("*/*.safetensors")):
        parts[file.parent.name] = parts.get(file.parent.name, 0) + _numbers(file)
    return parts


def _numbers(file: Path) -> int:
    """How many numbers a safetensors file holds."""
    try:
        header = safetensors.read_header(file)
        return sum(math.prod(tensor["shape"]) for tensor in header.values())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GenerationFailed(
            f"{file.parent.name}/{file.name} is not a safetensors file: {error}", hint="fetch the model again"
        ) from error


def _resident(
    weights: Mapping[str, int], offload: str | None, activations: int, basis: list[str]
) -> int | None:
    """Bytes of weights on the device at the peak.

    Offload by model has one part there at a time: the peak is the transformer's, or a larger part's while it
    waits for its turn to go (which then counts without what the transformer adds).
    """
    if not weights:
        return None
    kind = (offload or "none").lower()
    if kind.startswith("model"):
        basis.append("on the device: one part at a time (offload by model)")
        runs = max((n for part, n in weights.items() if part.startswith("transformer")), default=0)
        return max(runs, max(weights.values()) - activations)
    if kind.startswith(("sequential", "group")):
        basis.append(f"on the device: a twentieth of the largest part, assumed ({kind} offload)")
        return max(weights.values()) // 20
    basis.append("on the device: all parts")
    return sum(weights.values())


def _activations(
    shape: tuple[int, tuple[int, int, int]] | None, size: tuple[int | None, ...], basis: list[str]
) -> int | None:
    """Bytes on top of the weights, by the rule of thumb."""
    if shape is None or None in size:
        basis.append("while running: unknown (width of the transformer or size of the clip)")
        return None
    hidden, token = shape
    width, height, frames = (int(x or 0) for x in size)
    tokens = math.ceil(width / token[0]) * math.ceil(height / token[1]) * (1 + (frames - 1) // token[2])
    basis.append(f"while running: {_PER_TOKEN} bytes x {tokens} tokens x {hidden} channels, a rule of thumb")
    return _PER_TOKEN * tokens * hidden


def _shape(preset: Preset, folder: Path | None) -> tuple[int, tuple[int, int, int]] | None:
    """Channels of the transformer and what a token covers: from the configurations, else the preset."""
    if folder is None:
        return (preset.hidden, preset.token) if preset.hidden and preset.token else None
    config = model_config.read_pipeline_config(folder)
    heads = config.get("transformer", "num_attention_heads")
    width = config.get("transformer", "attention_head_dim")
    if not isinstance(heads, int) or not isinstance(width, int):
        return (preset.hidden, preset.token) if preset.hidden and preset.token else None
    if preset.token:
        return heads * width, preset.token
    patch = config.get("transformer", "patch_size", 1)
    time, side = (patch[0], patch[-1]) if isinstance(patch, list) else (1, patch)
    blocks = config.get("vae", "block_out_channels", [0, 0, 0, 0])
    space = config.get("vae", "scale_factor_spatial") or config.get("vae", "spatial_compression_ratio")
    frames = config.get("vae", "scale_factor_temporal") or config.get("vae", "temporal_compression_ratio")
    space = space or 2 ** (len(blocks) - 1)
    return heads * width, (space * side, space * side, (frames or 4) * time)


def _weights_basis(preset: Preset, here: bool, precision: str) -> str:
    """What the count of weights rests on."""
    if here:
        return f"weights: counted from the files, as {precision}"
    if not preset.parameters:
        return "weights: unknown until the model is pulled"
    uncounted = "" if "text_encoder" in preset.parameters else "; text encoders not counted"
    return f"weights: the preset's counts of {', '.join(preset.parameters)}, as {precision}{uncounted}"


def _lower(on_device: bool) -> str:
    """What to change."""
    offload = "keep parts off the GPU (offload), " if on_device else ""
    return f"lower --width, --height or --seconds, {offload}use half precision, or choose a smaller model"


def _gigabytes(value: int | None) -> float | str:
    """For people and JSON alike."""
    return _UNKNOWN if value is None else round(value / 1e9, 2)
