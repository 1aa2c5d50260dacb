"""``verify --no-watermark`` beside c2pa's own read of the same file: ``python -m benchmarks.verify``.

Makes a workspace and a signed file of the wanted size in a temporary folder, then alternates runs of the
whole command (a fresh process), of the verification alone, and of c2pa's reader alone. Prints medians of
wall and CPU seconds and the ratio: on a busy machine only CPU seconds and the ratio mean anything.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from safegen.credentials.assertions import soft_binding
from safegen.credentials.sign import sign_file
from safegen.release import ReleaseJob, ReleaseRecord
from safegen.workspace.config import find_workspace
from safegen.workspace.session import open_session

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
ALG, CONTENT_ID = "org.safegen.watermark.tile.1", 1
"""The mark that manifest and record name; nobody looks for it here."""


def small_video(path: Path) -> None:
    """A second of grey."""
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for i in range(8):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), i * 25, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def release(root: Path, megabytes: int) -> Path:
    """A signed and recorded file of that size."""
    space = find_workspace(root / "workspace")
    action = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    definition = {
        "claim_generator_info": [{"name": "safegen", "version": "0"}],
        "title": "big.mp4",
        "format": "video/mp4",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            soft_binding(ALG, CONTENT_ID),
        ],
    }
    target = root / "big.mp4"
    with open_session(space) as session, ReleaseJob.begin(session.ledger, target) as job:
        plain, signed = job.temporary("plain.mp4"), job.temporary("signed.mp4")
        small_video(plain)
        with plain.open("ab") as file:
            file.write(struct.pack(">I4s", megabytes * 10**6 + 8, b"mdat"))
            for _ in range(megabytes):
                file.write(os.urandom(10**6))
        result = sign_file(plain, signed, definition, signer=session.signer)
        job.record(signed, release=ReleaseRecord(result.manifest_id, result.manifest_bytes, CONTENT_ID, ALG))
        job.publish()
    return target


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of *work*, those of child processes included."""

    def cpu() -> float:
        return sum(
            u.ru_utime + u.ru_stime
            for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )

    wall, used = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - wall, cpu() - used


def c2pa_read(path: Path, root_pem: str) -> None:
    """What c2pa does by itself: open, validate, give its JSON."""
    import c2pa

    settings = {
        "version": 1,
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "trust": {"anchors": [{"trust_uri": "b:m", "trust_kind": "manifest", "trust_anchors": root_pem}]},
    }
    context = c2pa.Context.from_json(json.dumps(settings))
    with path.open("rb") as file, c2pa.Reader("video/mp4", file, context=context) as reader:
        reader.json()


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=7)
    wanted = parser.parse_args()
    import safegen

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        path = release(root, wanted.megabytes)
        workspace = root / "workspace"
        anchors = (workspace / "keys/root.pem").read_text()
        command = [sys.executable, "-m", "safegen", "verify", "--no-watermark"]
        command += ["--workspace", str(workspace), str(path)]
        works: dict[str, Callable[[], object]] = {
            "command": lambda: subprocess.run(command, check=True, capture_output=True),
            "verify": lambda: safegen.verify(path, workspace=workspace, watermark=False),
            "c2pa": lambda: c2pa_read(path, anchors),
        }
        for work in works.values():
            work()
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
        for _ in range(wanted.runs):
            for name, work in works.items():
                found[name].append(timed(work))
    medians = {n: [round(statistics.median(c), 4) for c in zip(*v, strict=True)] for n, v in found.items()}
    shown = {
        "megabytes": wanted.megabytes,
        "seconds [wall, cpu]": medians,
        "verify / c2pa, wall": round(medians["verify"][0] / medians["c2pa"][0], 3),
        "load average": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(shown, indent=2))


if __name__ == "__main__":
    main()
