"""Show a release, for people and programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safegen.cli._output import say_note

if TYPE_CHECKING:
    from safegen.request.variations import Variation
    from safegen.types import Release


def show_release(release: Release, *, as_json: bool, plain: bool) -> None:
    """What was released, for people or programs."""
    from safegen.cli._output import console, print_json

    if as_json:
        print_json(release.to_dict())
        return
    out = console(plain)
    for warning in release.warnings:
        say_note(warning)
    out.print(f"released   {_short(release.path)}")
    out.print(f"id         {release.content_id:016x} (hidden in the pictures)")
    out.print(f"manifest   {release.manifest_id}")
    proof = next(s for s in release.sidecars if s.name.endswith(".tlog-proof"))
    out.print(f"ledger     entry {release.index}, proof in {proof.name}")
    shown = ", ".join(f"{a.name} {a.value}" for a in release.attributes if a.value != "unknown")
    if shown:
        out.print(f"shows      {shown}")
    out.print(f"took       {sum(release.timings.values()):.1f} s")


def show_variation(item: Variation, *, plain: bool) -> None:
    """One line about one of several clips."""
    from safegen.cli._output import console

    head = f"{item.number:>3}  seed {item.seed:<12}"
    if item.release is not None:
        console(plain).print(f"{head}released  {_short(item.release.path)}")
    elif item.kept is not None:
        console(plain).print(f"{head}kept      {_short(item.kept)}")
    else:
        console(plain).print(f"{head}failed    {item.error}")


def _short(path: Path) -> str:
    """*path* from the current folder, where it lies in it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
