"""How fast the ledger is: ``python benchmarks/ledger.py [--entries N] [--folder DIR]``.

Prints one JSON object.
Durable appends are shown beside the disk's own rate of fsyncs: a commit needs about four, its checkpoint
outside the database a fifth. Latencies are medians in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.ledger import Draft, Ledger, LogSigner, ReleaseRecord, verify_proof
from safegen.release import ReleaseJob

PUBLIC = {"outcome": "block", "policy": {"name": "default", "digest": "0" * 64}, "prompt": "0" * 64}


def fsync_rate(folder: Path, seconds: float) -> float:
    """Small appends with fsync, per second."""
    count, end = 0, time.perf_counter() + seconds
    with (folder / "probe").open("wb") as file:
        while time.perf_counter() < end:
            file.write(b"x" * 512)
            file.flush()
            os.fsync(file.fileno())
            count += 1
    return count / seconds


def rate(work: Callable[[], int], seconds: float) -> float:
    """What *work* counts, per second."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        count += work()
    return count / (time.perf_counter() - start)


def median(work: Callable[[], object], times: int = 50) -> float:
    """Median of *times* runs, milliseconds."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return round(statistics.median(spent) * 1000, 3)


def import_time(module: str) -> float:
    """Seconds a fresh interpreter needs to import *module*, less its own start."""
    script = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", script], capture_output=True, check=True) for _ in range(5)]
    return round(min(float(run.stdout) for run in runs), 3)


def fill(ledger: Ledger, entries: int) -> None:
    """Releases every tenth entry, decisions between them."""
    rng = random.Random(0)
    while len(ledger) < entries:
        with ledger.transaction() as batch:
            for number in range(500):
                batch.append([Draft("decision", {**PUBLIC, "n": number}, {"n": number}) for _ in range(9)])
                payload = rng.getrandbits(64)
                record = ReleaseRecord(f"urn:c2pa:{payload:x}", b"m%d" % payload, payload, "test.v1")
                batch.release(record, sha256=f"{payload:064x}", size=number)


def release(ledger: Ledger, folder: Path, number: int) -> int:
    """One release of a small file."""
    with ReleaseJob.begin(ledger, folder / f"{number}.mp4") as job:
        video = job.temporary("video")
        video.write_bytes(b"x" * 100_000)
        job.record(video, release=ReleaseRecord(f"urn:{number}", b"m" * 20_000, number, "test.v1"))
        job.publish()
    return 1


def append_together(ledger: Ledger, drafts: list[Draft]) -> int:
    """Append *drafts* in one transaction; how many."""
    return len(ledger.append_many(drafts))


def measure(folder: Path, entries: int, seconds: float) -> dict[str, object]:
    """All figures."""
    signer = LogSigner("example.com/benchmark", Ed25519PrivateKey.generate())
    ledger = Ledger.open(folder / "ledger.db", signer=signer, checkpoint_dir=folder / "checkpoints")
    result: dict[str, object] = {"fsync_per_s": round(fsync_rate(folder, seconds))}
    result["append_per_s"] = round(rate(lambda: 1 + ledger.append("decision", PUBLIC) * 0, seconds))
    for size in (10, 100, 1000):
        drafts = [Draft("decision", PUBLIC, {"x": 1})] * size
        result[f"append_many_{size}_per_s"] = round(rate(partial(append_together, ledger, drafts), seconds))
    start = time.perf_counter()
    fill(ledger, entries)
    result["entries"], result["fill_s"] = len(ledger), round(time.perf_counter() - start, 1)
    result["bytes_per_entry"] = round((folder / "ledger.db").stat().st_size / len(ledger))
    ids = ledger.content_ids()
    rng, size = random.Random(1), len(ledger)
    proof = ledger.prove(size // 3)
    logs = {signer.origin: signer.public_key}
    result["ms"] = {
        "append": median(lambda: ledger.append("decision", PUBLIC), 20),
        "prove": median(lambda: ledger.prove(rng.randrange(size))),
        "verify_proof": median(lambda: verify_proof(proof, logs=logs)),
        "consistency": median(lambda: ledger.prove_consistency(rng.randrange(1, size), size)),
        "find_content_id": median(lambda: ledger.find_releases(content_id=rng.choice(ids))),
        "find_absent": median(lambda: ledger.find_releases(sha256="00")),
        "content_ids": median(ledger.content_ids, 5),
        "open_read_only": median(lambda: Ledger.open(folder / "ledger.db", read_only=True).close(), 20),
    }
    result["proof_bytes"], result["releases"] = len(proof), len(ids)
    print(json.dumps(result), file=sys.stderr, flush=True)  # the check of a large ledger takes minutes
    out = folder / "out"
    out.mkdir()
    numbers = iter(range(10**6))
    result["release_protocol_per_s"] = round(rate(lambda: release(ledger, out, next(numbers)), seconds), 1)
    start = time.perf_counter()
    used = time.process_time()
    result["check_ok"] = ledger.check().ok
    result["check_s"] = round(time.perf_counter() - start, 1)
    result["check_cpu_s"] = round(time.process_time() - used, 1)
    result["load_average"] = [round(x, 1) for x in os.getloadavg()]
    result["import_s"] = {
        name: import_time(name) for name in ("safegen.ledger.proof", "safegen.ledger.store")
    }
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each rate")
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(json.dumps(measure(Path(folder), options.entries, options.seconds), indent=2))


if __name__ == "__main__":
    main()
