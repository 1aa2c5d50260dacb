"""How much memory this machine has."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """Bytes of memory: RAM that is free and all of it, the same of the GPU; None where there is none."""

    ram_free: int | None
    ram: int | None
    device_free: int | None = None
    device: int | None = None
    name: str = "cpu"


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
