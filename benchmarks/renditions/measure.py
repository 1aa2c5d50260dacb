"""Making releases and renditions as the product does, and looking at them as ``verify`` does."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.renditions.clips import Piece
from benchmarks.renditions.recipes import RECIPES, render
from safegen.detectors.provenance.content import Descriptors, compute_descriptors
from safegen.media.encode import Encoding, encode_mp4
from safegen.media.sandbox import sample_frames
from safegen.plugins import load_watermark
from safegen.types import FrameSample, Geometry
from safegen.watermarks import PUBLIC_KEY


@dataclass(frozen=True)
class Rendition:
    """A file made from a release, with the geometry of the mark read in it; None where none is read."""

    piece: Piece
    recipe: str
    file: Path
    geometry: Geometry | None

    def sample(self) -> FrameSample:
        """The pictures that ``verify`` looks at."""
        scheme = load_watermark("tile")
        return sample_frames(self.file, frames=scheme.sample_frames, short_side=scheme.sample_short_side)


def release(piece: Piece, folder: Path) -> tuple[Path, Descriptors]:
    """The marked file and the descriptors recorded for it, made once."""
    file, packed = folder / f"{piece.name}.mp4", folder / f"{piece.name}.descriptors"
    if not packed.exists():
        frames, fps = piece.make()
        scheme = load_watermark("tile")
        marked = scheme.embed(iter(frames), payload=payload(piece), key=PUBLIC_KEY)
        rate = Fraction(fps).limit_denominator(1001)
        encode_mp4(marked, file, fps=rate, encoding=Encoding(crf=18, preset="veryfast"))
        seen = sample_frames(file, frames=scheme.sample_frames, short_side=scheme.sample_short_side)
        packed.write_bytes(compute_descriptors(seen).to_bytes())
    return file, Descriptors.from_bytes(packed.read_bytes())


def payload(piece: Piece) -> int:
    """The content id of a piece: the same in every run."""
    return zlib.crc32(piece.name.encode()) | 1 << 40


def renditions(piece: Piece, names: Iterable[str], folder: Path) -> Iterator[Rendition]:
    """Every recipe of *names* applied to a released piece, each made and read once."""
    file, _ = release(piece, folder)
    for name in names:
        made = folder / f"{piece.name}.{name}.mkv"
        read = made.with_suffix(".json")
        if not made.exists():
            render(RECIPES[name], file, made)
        if not read.exists():
            read.write_text(json.dumps(_read(Rendition(piece, name, made, None))))
        stored = json.loads(read.read_text())
        yield Rendition(piece, name, made, None if stored is None else _geometry(stored))


def _geometry(stored: dict[str, Any]) -> Geometry:
    return Geometry(tuple(stored["a"]), tuple(stored["t"]), stored["period"])


def _read(rendition: Rendition) -> dict[str, Any] | None:
    """The geometry of the piece's mark in a rendition."""
    wanted = payload(rendition.piece)
    found = load_watermark("tile").detect(rendition.sample(), key=PUBLIC_KEY, known=[wanted])
    for reading in found:
        if reading.present and reading.payload == wanted and reading.geometry is not None:
            g = reading.geometry
            return {"a": g.a, "t": g.t, "period": g.period}
    return None
