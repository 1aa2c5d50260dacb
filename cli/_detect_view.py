"""Show the result of ``detect`` on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safegen.types import DetectedMark, Detection, WatermarkSegment

if TYPE_CHECKING:
    from safegen.cli._output import Screen


def failed(file: Path, error: Exception) -> str:
    """One line for a file that could not be examined."""
    from safegen.cli._output import said_of

    return f"UNREADABLE  {file}: {said_of(file, error)}"


def show(found: Detection, console: Screen, *, per_second: bool) -> None:
    """Whether there is a mark, which, how sure, and where."""
    head, style = ("MARKED", "bold cyan") if found.present else ("NO MARK", "bold")
    if any(m.spliced for m in found.marks):
        head = "MARKED IN PARTS"
    console.print((head, style), f"  {found.path}")
    size = f"{found.width}x{found.height}"
    length = "a picture" if found.kind == "picture" else f"{found.seconds:.1f} s"
    console.print(f"  {size}, {length}; {found.frames} frames examined, scheme {found.alg}")
    if not found.present:
        console.print(
            f"  nothing found; closest to a mark: log10 p = {found.log10_p:.1f} (-9 or less needed)"
        )
    for mark in found.marks:
        _mark(mark, console, per_second)
    for note in found.notes:
        console.print(f"  note: {note}")


def _mark(mark: DetectedMark, console: Screen, per_second: bool) -> None:
    """One mark with its runs."""
    reading = mark.reading
    name = "undecoded" if reading.payload is None else f"{reading.payload:016x}"
    bound = (
        ""
        if reading.bounded
        else " (no proven bound: read from beneath another mark, or not available for this scheme)"
    )
    console.print(f"  content id {name}: log10 p = {reading.log10_p:.1f}{bound}")
    for run in mark.runs:
        console.print("    " + _line(run))
    if per_second:
        for segment in reading.segments:
            console.print("      " + _line(segment))


def _line(part: WatermarkSegment) -> str:
    """A stretch of time."""
    what = "marked" if part.present else "unmarked"
    return f"{part.start:8.2f} - {part.end:8.2f} s  {what:<9} log10 p = {part.log10_p:.1f}"
