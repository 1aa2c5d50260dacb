"""Where a pipeline's parts go: device, number format, what stays in memory. Chosen to fit the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from safegen.errors import UsageError
from safegen.generators import estimate
from safegen.generators.diffusers import libraries

if TYPE_CHECKING:
    from safegen.generators.diffusers.families import Family
    from safegen.generators.diffusers.model_config import PipelineConfig
    from safegen.generators.diffusers.options import PipelineOptions
    from safegen.generators.estimate import Estimate, Machine
    from safegen.generators.presets import Preset

_OFFLOAD_ORDER = ("none", "model", "group", "sequential")
"""From the fastest to the one that needs least."""
_MAX_MEMORY_SHARE = 0.9
"""Share of a GPU's memory that an estimate may take up."""


@dataclass(frozen=True)
class Placement:
    """``device`` by torch's name, ``dtypes`` by part (``default`` for the rest), how parts are ``offload``ed.

    ``memory_estimate`` is the estimate it rests on, ``machine`` the memory there is.
    """

    device: str
    dtypes: Mapping[str, str]
    offload: str
    tiling: bool
    memory_estimate: Estimate
    machine: Machine

    @property
    def key(self) -> tuple[Any, ...]:
        """What two placements share when one loaded pipeline does for both."""
        return self.device, tuple(sorted(self.dtypes.items())), self.offload, self.tiling

    def notes(self) -> tuple[str, ...]:
        """Whether memory may be short. Raises GenerationFailed when it cannot be enough."""
        return estimate.check_memory(self.memory_estimate, self.machine)

    def describe(self) -> dict[str, Any]:
        """For ``--dry-run``: what was chosen, and what it is estimated to need."""
        name = f" ({self.machine.name})" if self.machine.device is not None else ""
        shown: dict[str, Any] = {
            "device": f"{self.device}{name}",
            "dtype": self.dtypes["default"],
            "offload": self.offload,
        }
        if self.tiling:
            shown["vae_tiling"] = "on"
        peak = self.memory_estimate.device if self.machine.device is not None else _sum(self.memory_estimate)
        if peak is not None:
            have = self.machine.device if self.machine.device is not None else self.machine.ram
            of = f" of {have / 1e9:.0f} GB" if have else ""
            shown["memory"] = f"about {peak / 1e9:.2g} GB{of} (estimated)"
        return shown


def choose_placement(
    preset: Preset,
    options: PipelineOptions,
    family: Family,
    config: PipelineConfig,
    *,
    size: tuple[int | None, int | None, int | None] = (None, None, None),
) -> Placement:
    """The placement for a clip of *size* (width, height, frames), as asked or else by the device's memory.

    Raises UsageError for a device or an offload that is not there.
    """
    device = _device(options.device)
    dtypes = _dtypes(options, family, config, device)
    machine = estimate.detect_machine()
    if not device.startswith("cuda"):
        machine = replace(machine, device=None, device_free=None, name=device)
    if options.offload in ("model", "sequential") and device == "cpu":
        raise UsageError(
            f"offload={options.offload} moves parts between a GPU and the CPU, but there is no GPU",
            hint="omit --option offload",
        )
    width, height, frames = size
    offloads = (options.offload,) if options.offload != "auto" else _OFFLOAD_ORDER
    offload, needed = offloads[0], None
    for offload in offloads:
        needed = estimate.estimate_memory(
            preset, width=width, height=height, frames=frames, dtype=dtypes["default"], offload=offload
        )
        if _fits(needed, machine):
            break
    assert needed is not None
    tiling = options.vae_tiling
    if tiling is None:
        tiling = family.needs_tiling(config) or (offload != "none" and device != "cpu")
    return Placement(device, dtypes, offload, tiling, needed, machine)


def move_to_device(pipe: Any, placement: Placement) -> Any:
    """Move a loaded pipeline to where it runs. Raises UsageError where it cannot be offloaded like that."""
    torch = libraries.require_module("torch")
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


def _fits(needed: Estimate, machine: Machine) -> bool:
    """Whether the estimate leaves a GPU room; a model nobody counted is taken not to fit whole."""
    if machine.device is None:
        return True
    if needed.resident is None:
        return False
    return needed.resident + (needed.activations or 0) <= _MAX_MEMORY_SHARE * machine.device


def _sum(needed: Estimate) -> int | None:
    return None if needed.weights is None else needed.weights + (needed.activations or 0)


def _device(requested: str) -> str:
    torch = libraries.require_module("torch")
    if requested == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(requested)
    except RuntimeError as error:
        raise UsageError(f"there is no device {requested!r}", hint="cpu, cuda, cuda:1, mps") from error
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(device.type, False):
        raise UsageError(f"this machine has no device {requested!r}", hint="omit --option device")
    return str(device)


def _dtypes(options: PipelineOptions, family: Family, config: PipelineConfig, device: str) -> dict[str, str]:
    if options.dtype == "auto":
        return family.dtypes(config, "float32" if device == "cpu" else "bfloat16")
    return {**family.dtypes(config, options.dtype), "default": options.dtype}
