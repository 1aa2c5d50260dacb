"""What attackers do to the mark itself: average it out, lay another one over it, take it away.

python -m benchmarks.watermark.removal --clips DIR --out OUT

Every clip is marked with an id of its own. The attacks are followed by H.264 CRF 23, medium; written to
OUT/removal.json: for each attack, in how many clips the id was read, and what else was.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.watermark import attacks as a
from benchmarks.watermark.clips import load
from benchmarks.watermark.edits import Frames, same
from benchmarks.watermark.measure import psnr_y
from safegen.watermarks import PUBLIC_KEY
from safegen.watermarks.tile import TileWatermark

SIZE = (640, 360)
FIRST = 0x5AFE_0000_0000_0000
Plane = NDArray[np.float32]
SCHEME = TileWatermark()


def marked(frames: Frames, payload: int, key: bytes = PUBLIC_KEY) -> Frames:
    """A marked copy."""
    return np.stack(list(SCHEME.embed(iter(frames), payload=payload, key=key)))


def read(frames: Frames, fps: float, key: bytes = PUBLIC_KEY) -> list[tuple[int, bool]]:
    """(payload, bounded) of every mark found after H.264 CRF 23."""
    seen, _ = a.apply(a.Attack(same), frames, fps, SCHEME.sample_frames, SCHEME.sample_short_side)
    return [(r.payload, r.bounded) for r in SCHEME.detect(seen, key=key) if r.present and r.payload]


def noise_of(frames: Frames) -> Plane:
    """What stands still in a clip and is not its content, as somebody without the key would estimate it."""
    total = np.zeros(frames.shape[1:3], np.float32)
    for frame in frames:
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
        rough = grey - cv2.GaussianBlur(grey, (0, 0), 4.0)
        total += np.clip(rough, -4, 4)
    return np.asarray(total / len(frames), np.float32)


def less(frames: Frames, plane: Plane, amount: float) -> Frames:
    """*frames* without *amount* times *plane*."""
    change = (amount * plane)[..., None]
    return np.stack([np.clip(np.round(f - change), 0, 255).astype(np.uint8) for f in frames])


def averaging(clips: list[tuple[Frames, float]]) -> dict[str, Any]:
    """Estimate the common pattern from N other marked clips (ids differ), subtract it from this one."""
    noises = [noise_of(marked(f, FIRST + n)) for n, (f, _) in enumerate(clips)]
    out: dict[str, Any] = {}
    for others in (1, len(clips) - 1):
        kept, quality = 0, []
        for n, (frames, fps) in enumerate(clips):
            mine = marked(frames, FIRST + n)
            pool = [noises[(n + 1 + k) % len(clips)] for k in range(others)]
            estimate = np.mean(pool, axis=0)
            changed = less(mine, estimate * (1.5 / max(1e-6, float(estimate.std()))), 1.0)
            kept += FIRST + n in {p for p, _ in read(changed, fps)}
            quality.append(psnr_y(mine, changed))
        out[f"average_of_{others}_other_clips"] = _row(kept, len(clips), quality)
    return out


def collusion(clips: list[tuple[Frames, float]]) -> dict[str, Any]:
    """Average N copies of one clip that carry N ids: is anything read, and is it one of them?"""
    out = {}
    for copies in (2, 4, 8):
        some, wrong = 0, 0
        for frames, fps in clips[:4]:
            ids = [FIRST + 977 * n for n in range(copies)]
            total = np.stack([marked(frames, i).astype(np.float32) for i in ids]).mean(axis=0)
            found = {p for p, _ in read(np.round(total).astype(np.uint8), fps)}
            some += bool(found & set(ids))
            wrong += bool(found - set(ids))
        out[f"average_of_{copies}_copies"] = {"an_id_read": some, "another_id_read": wrong, "of": 4}
    return out


def subtracting(clips: list[tuple[Frames, float]]) -> dict[str, Any]:
    """Take away what one thinks was added: with the key and the id, or from the clip's own average."""

    def embedder(mine: Frames, n: int) -> Frames:
        again = marked(mine, FIRST + n).astype(np.int16)
        return np.asarray(np.clip(2 * mine.astype(np.int16) - again, 0, 255), np.uint8)

    ways: dict[str, Callable[[Frames, int], Frames]] = {
        "embedder_reversed_key_and_id_known": embedder,
        "own_average": lambda mine, n: less(mine, noise_of(mine), 1.0),
        "own_average_twice": lambda mine, n: less(mine, noise_of(mine), 2.0),
    }
    out = {}
    for name, way in ways.items():
        kept, quality = 0, []
        for n, (frames, fps) in enumerate(clips):
            mine = marked(frames, FIRST + n)
            changed = way(mine, n)
            kept += FIRST + n in {p for p, _ in read(changed, fps)}
            quality.append(psnr_y(mine, changed))
        out[name] = _row(kept, len(clips), quality)
    return out


def remarking(clips: list[tuple[Frames, float]]) -> dict[str, Any]:
    """A second mark over the first: the same key (another id), and another key."""
    both = first = second = under = 0
    other_first = other_second = 0
    for n, (frames, fps) in enumerate(clips):
        mine, new = FIRST + n, FIRST + 100_000 + n
        found = dict(read(marked(marked(frames, mine), new), fps))
        both += mine in found and new in found
        first += mine in found
        second += new in found
        under += any(not bounded for bounded in found.values())
        twice = marked(marked(frames, mine), new, b"another key")
        other_first += mine in dict(read(twice, fps))
        other_second += new in dict(read(twice, fps, b"another key"))
    same_key = {"both_read": both, "first_read": first, "second_read": second, "told_as_under": under}
    other_key = {"first_read": other_first, "second_read": other_second}
    return {"same_key": {**same_key, "of": len(clips)}, "another_key": {**other_key, "of": len(clips)}}


def _row(kept: int, of: int, quality: list[float]) -> dict[str, Any]:
    return {"still_read": kept, "of": of, "psnr_of_the_attack": round(float(np.median(quality)), 1)}


PARTS = {"remarking": remarking, "subtracting": subtracting, "averaging": averaging, "collusion": collusion}


def main() -> None:
    """Measure and write OUT/removal.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark.removal", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="folder of .mp4 files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--parts", nargs="+", choices=sorted(PARTS), default=list(PARTS), help="only these")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    clips = []
    for file in sorted(args.clips.glob("*.mp4")):
        frames, fps = load(file, args.frames, short=480)
        clips.append((np.stack([cv2.resize(f, SIZE, interpolation=cv2.INTER_AREA) for f in frames]), fps))
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "removal.json"
    result: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    result |= {"date": dt.date.today().isoformat(), "clips": len(clips)}
    for name in args.parts:
        result[name] = PARTS[name](clips)
        file.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
