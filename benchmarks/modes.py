"""Every way of working on the embedded model: released, verified, its seams measured, shown.

``python -m benchmarks.modes --out OUT`` leaves the releases, ``modes.json``, ``modes.md`` and ``modes.jpg``
there (twelve pictures of each clip). A seam is where given and new pictures meet; its change is the largest
from frame to frame within an eighth of a second of it, compared with the clip's own changes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import safegen
from safegen.consent import service
from safegen.media.sandbox import open_clip

FIRST = "a large red ball rolling left to right over green grass"
SECOND = "a large blue box moving up over the sea"
THIRD = "a large yellow star spinning in the night sky"
SIDE, SHOWN = 112, 12

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Way:
    """A way of working: how its clip is made; where seams are, in seconds (from the end if negative)."""

    name: str
    make: Callable[[Path], safegen.Release]
    seams: tuple[float, ...] = ()
    closes: bool = False


def _frames(path: Path) -> Frames:
    """All frames, scaled to 128 x 128."""
    return np.stack([cv2.resize(f, (128, 128), interpolation=cv2.INTER_AREA) for f in open_clip(path)])


def _ways(folder: Path, workspace: Path) -> list[Way]:
    first, second, picture = folder / "first.mp4", folder / "second.mp4", folder / "picture.png"
    shots = [safegen.Shot(0, FIRST), safegen.Shot(3, SECOND), safegen.Shot(6, THIRD)]
    at: dict[str, Any] = {"workspace": workspace, "seed": 7}
    return [
        Way("words", lambda out: safegen.generate(FIRST, out, **at)),
        Way("picture", lambda out: safegen.generate(FIRST, out, image=picture, **at)),
        Way("remix", lambda out: safegen.remix(first, SECOND, out, strength=0.9, **at)),
        Way("extend", lambda out: safegen.extend(first, FIRST, out, **at), (3.0,)),
        Way("extend back", lambda out: safegen.extend(first, FIRST, out, backwards=True, **at), (-3.0,)),
        Way("loop", lambda out: safegen.loop(first, FIRST, out, **at), (3.0,), closes=True),
        Way("blend", lambda out: safegen.blend(first, second, SECOND, out, **at), (3.0, -3.0)),
        Way("storyboard", lambda out: safegen.storyboard(shots, out, **at)),
    ]


def _change(a: Frames, b: Frames) -> float:
    return float(np.abs(a.astype(np.float32) - b.astype(np.float32)).mean())


def seams(frames: Frames, way: Way, fps: float) -> dict[str, float]:
    """Median and largest change from frame to frame, and the largest near a seam (0..255)."""
    changes = np.array([_change(a, b) for a, b in pairwise(frames)])
    out = {"median": float(np.median(changes)), "largest": float(changes.max())}
    near = [_change(frames[-1], frames[0])] if way.closes else []
    for when in way.seams:
        middle = round((when if when >= 0 else len(frames) / fps + when) * fps)
        near.append(float(changes[max(0, middle - 3) : middle + 3].max()))
    return {**out, "seam": max(near), "ratio": max(near) / out["median"]} if near else out


def _strip(name: str, frames: Frames) -> Frames:
    shown = frames[np.linspace(0, len(frames) - 1, SHOWN).round().astype(int)]
    row = np.concatenate([cv2.resize(f, (SIDE, SIDE)) for f in shown], 1)
    label = np.full((18, row.shape[1], 3), 255, np.uint8)
    cv2.putText(label, name, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([label, row], 0)


def run(folder: Path) -> list[dict[str, object]]:
    """Make, verify and measure every way of working; returns the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    workspace = folder / "workspace"
    safegen.generate(FIRST, folder / "first.mp4", workspace=workspace, seed=7, overwrite=True)
    safegen.generate(SECOND, folder / "second.mp4", workspace=workspace, seed=8, overwrite=True)
    cv2.imwrite(str(folder / "picture.png"), next(iter(open_clip(folder / "first.mp4")))[..., ::-1])
    service.attest(folder / "picture.png", (), True, "benchmark", workspace, passphrase=None)
    rows, strips = [], []
    for way in _ways(folder, workspace):
        out = folder / f"{way.name.replace(' ', '-')}.mp4"
        out.unlink(missing_ok=True)
        release = way.make(out)
        report = safegen.verify(release.path, workspace=workspace)
        frames = _frames(out)
        parts = [f"{i.title} ({i.relationship})" for i in report.credentials.ingredients]
        row = {
            "way": way.name,
            "seconds": len(frames) / 24,
            "verdict": report.verdict.name,
            "made from": parts,
        }
        rows.append({**row, **seams(frames, way, 24)})
        strips.append(_strip(way.name, frames))
    cv2.imwrite(
        str(folder / "modes.jpg"), np.concatenate(strips, 0)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88]
    )
    (folder / "modes.json").write_text(json.dumps(rows, indent=2) + "\n")
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| way | seconds | verdict | made from | median change | largest | at the seams | seam / median |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for row in rows:
        parts = ", ".join(map(str, row["made from"] or ["-"]))  # type: ignore[call-overload]
        numbers = [f"{row[k]:.2f}" if k in row else "-" for k in ("median", "largest", "seam", "ratio")]
        cells = [str(row["way"]), f"{row['seconds']:.2f}", str(row["verdict"]), parts, *numbers]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    text = table(run(out))
    (out / "modes.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
