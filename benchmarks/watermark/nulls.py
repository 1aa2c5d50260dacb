"""False alarms: full searches of unmarked clips under random keys.

python -m benchmarks.watermark.nulls --clips DIR --searches 300 --out OUT
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from pathlib import Path

import cv2
import numpy as np

from benchmarks.watermark import attacks as a
from benchmarks.watermark.clips import ball, load
from safegen.watermarks.tile import detect, residual
from safegen.watermarks.tile.spectrum import spectrum

KNOWN = 1000


def main() -> None:
    """Search, and say how small the bound ever became."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark.nulls", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--searches", type=int, default=300)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    clips = [load(f, 32, short=480) for f in sorted(args.clips.glob("*.mp4"))] + [(ball(9), 24.0)]
    seen = [residual.streams(a.sample(*a.decode(a.encode(f, fps, a.Codec())), fps)) for f, fps in clips]
    spectra = [[spectrum(m) for m in s.means] for s in seen if s is not None]
    known = [int(v) for v in np.random.default_rng(1).integers(0, 1 << 63, KNOWN)]
    found, bounds = 0, []
    for n in range(args.searches):
        state = detect.look(spectra[n % len(spectra)], f"null {n}".encode(), known)
        found += len(state.found)
        bounds.append(state.pilot_log10_p())
    result = {
        "date": dt.date.today().isoformat(),
        "searches": len(bounds),
        "clips": len(spectra),
        "payloads_accepted": found,
        "smallest_log10_p": min(bounds),
        "share_below_1e-1": float(np.mean(np.array(bounds) < -1)),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "nulls.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
