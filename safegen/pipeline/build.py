"""What a clip was made with and from, as far as it can change a pixel: what a reproduction is compared by."""

from __future__ import annotations

import json
import platform
import sys
from typing import Any

from safegen import __version__
from safegen.types import Json, Request

_LIBRARIES = {"torch": "torch", "diffusers": "diffusers", "transformers": "transformers", "numpy": "numpy"}
_PICTURES = {"cv2": "opencv"}
_PLAIN = ("model", "policy", "seed", "width", "height", "seconds", "fps", "steps", "guidance", "strength")


def build() -> Json:
    """Versions of the libraries that are loaded, and the kind of processor: no names of machines or users."""
    found: Json = {"safegen": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for module, name in {**_LIBRARIES, **_PICTURES}.items():
        loaded = sys.modules.get(module)
        if loaded is not None:
            found[name] = str(getattr(loaded, "__version__", "unknown"))
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        found["cpu"] = str(torch.backends.cpu.get_cpu_capability())
        if torch.cuda.is_initialized():
            found["gpu"] = str(torch.cuda.get_device_name())
            found["cuda"] = str(torch.version.cuda)
    return found


def request_json(request: Request) -> Json:
    """*request* without its prompts: they are kept only where the workspace says so, and elsewhere.

    Inputs are named by their SHA-256, shots by their times (their prompts are the prompt's lines).
    """
    asked: Json = {name: getattr(request, name) for name in _PLAIN if getattr(request, name) is not None}
    if request.options:
        asked["options"] = json.dumps(dict(request.options), sort_keys=True, default=repr)
    if request.mode != "text":
        asked["mode"] = request.mode
    if request.inputs:
        asked["inputs"] = [{"role": i.role, "sha256": i.sha256} for i in request.inputs]
    if request.shots:
        asked["shots"] = [shot.at for shot in request.shots]
    return asked
