"""Altered copies of genuine releases: ``python -m benchmarks.conformance.mutants`` (docs/conformance.md).

Counts the verdicts on single-byte flips and structured edits of VERIFIED releases in every container that can
be made. A false yes (or a crash) is printed with its seed and number, and saved under ``--out``; then the
exit code is 1.
What is done is kept in ``--out``/done.jsonl, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.conformance.mutants.judging import (
    KINDS,
    Batch,
    Judge,
    Result,
    genuine,
    memory_folder,
    start_worker,
    work_off,
)
from benchmarks.conformance.mutants.releases import make_releases

SIZES = {"flips": 500, "edits": 100}


def batches(wanted: dict[str, int], containers: Sequence[str], seed: int) -> Iterator[Batch]:
    """Every batch; the mutants of a kind are shared out among the containers, the first ones get the rest."""
    for kind, total in wanted.items():
        for place, container in enumerate(containers):
            count = total // len(containers) + (place < total % len(containers))
            for first in range(0, count, SIZES[kind]):
                yield Batch(kind, container, first, min(SIZES[kind], count - first), seed)


def done_before(file: Path) -> list[dict[str, Any]]:
    """What an earlier run did; a last line that was not finished is dropped."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found


def run(wanted: argparse.Namespace) -> tuple[list[dict[str, Any]], int, float]:
    """Work off what is not done yet; every line of the record, mutants judged now, and their seconds."""
    out: Path = wanted.out
    out.mkdir(parents=True, exist_ok=True)
    releases = out / "releases"
    releases.mkdir(exist_ok=True)
    record = out / "done.jsonl"
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        judge = Judge(releases, make_releases(releases), Path(folder))
        containers = [c for c in genuine(judge) if not wanted.container or c in wanted.container]
        lines = done_before(record)
        over = {line["key"] for line in lines}
        counts = {kind: getattr(wanted, kind) for kind in KINDS}
        open_ = [b for b in batches(counts, containers, wanted.seed) if b.key not in over]
        if not containers:
            raise SystemExit("no release is VERIFIED: there is nothing to be altered")
        print(f"{len(containers)} containers: {', '.join(containers)}", flush=True)
        started, judged = time.monotonic(), 0
        record.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        context = multiprocessing.get_context("spawn")
        arguments = (releases, containers, Path(folder))
        with (
            context.Pool(wanted.jobs, start_worker, arguments) as pool,
            record.open("a", encoding="utf-8") as file,
        ):
            for result in pool.imap_unordered(work_off, open_):
                lines.append(result.to_dict())
                file.write(json.dumps(result.to_dict()) + "\n")
                file.flush()
                judged += result.batch.count
                _keep(out / "found", result)
        return lines, judged, time.monotonic() - started


def _keep(folder: Path, result: Result) -> None:
    """Print and save what is wrong in *result*."""
    for found in result.wrong:
        where = f"{result.batch.kind} {result.batch.container} {found['number']} seed {result.batch.seed}"
        print(f"WRONG  {where}: {found['verdict']}, {found['why']} ({found['what']})", flush=True)
    for name, data in result.saved:
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


def table(lines: Sequence[dict[str, Any]]) -> str:
    """Verdicts by kind and container."""
    shown = []
    for kind in KINDS:
        mine = [line for line in lines if line["kind"] == kind]
        total: Counter[str] = Counter()
        for container in sorted({line["container"] for line in mine}):
            counts: Counter[str] = Counter()
            for line in mine:
                if line["container"] == container:
                    counts.update(line["verdicts"])
            total.update(counts)
            shown.append(f"{kind}  {container:<12}{_counts(counts)}")
        wrong = sum(len(line["wrong"]) for line in mine)
        shown.append(f"{kind}  {'all':<12}{_counts(total)}")
        shown.append(f"{sum(total.values())} {kind}, {wrong} wrong")
    return "\n".join(shown)


def _counts(counts: Counter[str]) -> str:
    return "  ".join(f"{name} {count}" for name, count in counts.most_common())


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.conformance.mutants", description=__doc__)
    found.add_argument("--flips", type=int, default=100_000, help="bytes to change, one for each mutant")
    found.add_argument("--edits", type=int, default=5_000, help="structured edits")
    found.add_argument("--seed", type=int, default=1)
    found.add_argument("--jobs", type=int, default=2, help="worker processes")
    found.add_argument("--container", action="append", default=[], help="only this one (repeatable)")
    found.add_argument("--out", type=Path, default=Path("out/bench/mutants"))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 where there is no false yes and no crash."""
    wanted = parser().parse_args(arguments)
    lines, judged, seconds = run(wanted)
    print(table(lines))
    if judged:
        print(f"{judged} mutants in {seconds:.0f} s: {judged / seconds:.0f} a second")
    return 1 if any(line["wrong"] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
