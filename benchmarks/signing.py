"""How much memory signing takes: ``python -m benchmarks.signing [--megabytes N]``.

Signs a file of that size in a process of its own, and prints the peak of its resident memory, beside the peak
of the same process before it signs, as one JSON document. Times are those of a machine that may be busy.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.verify import SOURCE_TYPE, small_video


def peak() -> float:
    """Most resident memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def sign(folder: Path) -> dict[str, float]:
    """Sign ``plain.mp4`` in *folder*, and read it back."""
    from safegen.credentials.read import read_credentials
    from safegen.credentials.sign import sign_file
    from safegen.keys.identity import Identity

    identity = Identity.load_or_create(folder / "keys", name="Benchmark")
    action = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    definition = {
        "claim_generator_info": [{"name": "safegen", "version": "0"}],
        "title": "big.mp4",
        "format": "video/mp4",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    before, started = peak(), time.perf_counter()
    sign_file(folder / "plain.mp4", folder / "signed.mp4", definition, signer=identity.signer())
    seconds, signing = time.perf_counter() - started, peak()
    trusted = read_credentials(folder / "signed.mp4", anchors_pem=[identity.root_pem]).trusted
    return {
        "trusted": trusted,
        "sign_s": round(seconds, 1),
        "mb_before": round(before),
        "mb_peak_signing": round(signing),
        "mb_peak_with_reading": round(peak()),
    }


def fill(path: Path, megabytes: int) -> None:
    """A short clip with that much more media data."""
    small_video(path)
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", megabytes * 10**6 + 8, b"mdat"))
        for _ in range(megabytes):
            file.write(os.urandom(10**6))


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.folder is not None:
        print(json.dumps(sign(wanted.folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder) / "plain.mp4", wanted.megabytes)
        command = [sys.executable, "-m", "benchmarks.signing", "--in", folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    shown = {"megabytes": wanted.megabytes, **json.loads(done.stdout)}
    print(json.dumps({**shown, "load_average": round(os.getloadavg()[0], 1)}, indent=2))


if __name__ == "__main__":
    main()
