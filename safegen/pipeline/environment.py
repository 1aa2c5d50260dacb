"""Everything a clip was made with that can change a pixel: the basis for comparing a reproduction."""

from __future__ import annotations

import json
import platform
import sys
from contextlib import suppress
from importlib import metadata
from typing import Any

from safegen._version import __version__
from safegen.request.settings import names_for
from safegen.types import Json, Request

_LIBRARIES = ("torch", "diffusers", "transformers", "numpy", "opencv-python-headless")


def describe_environment() -> Json:
    """Versions of the libraries that are installed, and the kind of processor: no names of machines or users.

    What only torch knows (instructions used, graphics processor) is there when torch is loaded.
    """
    environment: Json = {
        "safegen": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    for name in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            environment[name] = metadata.version(name)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        environment["cpu"] = str(torch.backends.cpu.get_cpu_capability())
        if torch.cuda.is_initialized():
            environment["gpu"] = str(torch.cuda.get_device_name())
            environment["cuda"] = str(torch.version.cuda)
    return environment


def request_json(request: Request) -> Json:
    """*request* without its prompts: they are kept only where the workspace says so, and elsewhere.

    Inputs are named by their SHA-256, shots by their times (their prompts are the prompt's lines).
    """
    recorded: Json = {
        name: getattr(request, name) for name in names_for("ledger") if getattr(request, name) is not None
    }
    if request.options:
        recorded["options"] = json.dumps(dict(request.options), sort_keys=True, default=repr)
    if request.mode != "text":
        recorded["mode"] = request.mode
    if request.inputs:
        recorded["inputs"] = [{"role": i.role, "sha256": i.sha256} for i in request.inputs]
    if request.shots:
        recorded["shots"] = [shot.at for shot in request.shots]
    return recorded
