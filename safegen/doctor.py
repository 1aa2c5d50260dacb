"""What ``safegen doctor`` checks: every part is tried, with the command that installs a missing one."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from safegen._util.versions import unfit
from safegen.errors import SafegenError
from safegen.types import Json, JsonResult


@dataclass(frozen=True)
class DoctorCheck(JsonResult):
    """One part: whether it works, whether the core needs it, and what to do."""

    name: str
    ok: bool
    needed: bool
    detail: str
    hint: str = ""

    def to_dict(self) -> Json:
        """As ``safegen doctor`` prints it."""
        return {
            "name": self.name,
            "ok": self.ok,
            "needed": self.needed,
            "detail": self.detail,
            "hint": self.hint,
        }


def diagnose(workspace: str | os.PathLike[str] | None = None) -> list[DoctorCheck]:
    """Look at Python, libraries, models, workspace and optional parts."""
    rows = [DoctorCheck("python", sys.version_info >= (3, 11), True, sys.version.split()[0])]
    for package, distribution in (
        ("c2pa", "c2pa-python"),
        ("av", "av"),
        ("cv2", "opencv-python-headless"),
        ("sqlmodel", "sqlmodel"),
        ("cryptography", "cryptography"),
    ):
        rows.append(_library(package, distribution, needed=True, hint="pip install safegen"))
    rows.append(_try("decoder", True, _decoder))
    rows.append(_sandbox())
    rows.append(_try("prompt policy", True, _policy))
    rows.append(_try("workspace", True, lambda: _workspace(workspace)))
    video = 'pip install "safegen[video]"'
    for package in ("torch", "diffusers", "transformers"):
        rows.append(_library(package, package, needed=False, hint=video))
    rows.append(
        _library(
            "imwatermark",
            "invisible-watermark",
            needed=False,
            hint='pip install "safegen[imwatermark]" && pip install --no-deps invisible-watermark',
        )
    )
    rows.append(_library("iscc_core", "iscc-core", needed=False, hint='pip install "safegen[iscc]"'))
    rows.append(_try("embedded model", False, _embedded))
    rows.append(_try("pulled models", False, _pulled))
    rows.append(_try("speech", False, _speech))
    return rows


def _sandbox() -> DoctorCheck:
    """What the system offers against a hostile file in the child that reads it, besides limits."""
    from safegen.media._confinement import LAYERS, available

    found = available()
    lacking = [name for name in LAYERS if name not in found]
    if not lacking:
        return DoctorCheck("sandbox", True, False, f"limits, {', '.join(found)}")
    hint = "foreign files are read all the same; a Linux kernel from 5.13 on has both"
    detail = f"this system has no {' and no '.join(lacking)}"
    return DoctorCheck("sandbox", False, False, detail, hint)


def _library(package: str, distribution: str, *, needed: bool, hint: str) -> DoctorCheck:
    """Installed in a version that will do, and for the needed ones importable."""
    try:
        if find_spec(package) is None:
            return DoctorCheck(distribution, False, needed, "not installed", hint)
        version = metadata.version(distribution)
        if needed:
            importlib.import_module(package)
    except Exception as error:
        return DoctorCheck(distribution, False, needed, f"cannot be used: {error}", hint)
    if wanted := unfit(distribution, version):
        hint = f"python -m pip install '{wanted}'"
        return DoctorCheck(distribution, False, needed, f"{version} is installed; {wanted} is needed", hint)
    return DoctorCheck(distribution, True, needed, version)


def _decoder() -> str:
    """A PyAV that reads and writes media the way it is used here."""
    from safegen.media.pyav import require_version

    return f"PyAV {require_version()}"


def _try(name: str, needed: bool, check: Callable[[], str]) -> DoctorCheck:
    """Run a check that answers with a detail or raises."""
    try:
        return DoctorCheck(name, True, needed, check())
    except SafegenError as error:
        return DoctorCheck(name, False, needed, str(error), error.hint)
    except Exception as error:
        return DoctorCheck(name, False, needed, f"{type(error).__name__}: {error}")


def _policy() -> str:
    """The default policy decides about a harmless prompt."""
    from safegen.api import screen

    decision = screen("a red ball rolling over green grass")
    ran = ", ".join(c.name for c in decision.checks)
    return f"{decision.policy.name} {decision.policy.digest[:12]}, ran {ran}"


def _workspace(option: str | os.PathLike[str] | None) -> str:
    """Which workspace would be used, and whether its folder can be written."""
    from safegen.errors import WorkspaceError
    from safegen.workspace.config import look_up_workspace

    found = look_up_workspace(option)
    folder = found.root
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        raise WorkspaceError(f"{folder} cannot be written", hint="choose another with --workspace")
    note = "" if found.trusted else "; found, but not used before `safegen workspace trust`"
    return f"{found.root} ({found.source}{note})"


def _embedded() -> str:
    """The shipped weights are there and unchanged."""
    from safegen.generators.registry import named_models

    row = next(r for r in named_models() if r["name"] == "tiny")
    return str(row["summary"])


def _speech() -> str:
    """A synthesiser says a word."""
    from safegen.accessibility.engines import find_engine
    from safegen.errors import MissingExtra

    engine = find_engine()
    if engine is None:
        raise MissingExtra("no speech synthesiser: descriptions are not spoken", hint="apt install espeak-ng")
    engine.say("yes")
    return engine.name


def _pulled() -> str:
    """Every pulled model's files are there and unchanged since they were hashed."""
    from safegen.generators.hub import lockfile, pinned

    names = lockfile.list_sources()
    for name in names:
        record = lockfile.read_record(name)
        if record is not None:
            pinned.verify_model(record)
    return ", ".join(names) or "none"
