"""The verdict on a mutant, in this process and without the search for marks; whether it is a false yes."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.conformance.mutants import edits, flips
from benchmarks.conformance.mutants.covered import Original
from benchmarks.conformance.mutants.releases import TRUST, Release, make_releases
from safegen.types import CredentialsEvidence
from safegen.verification.collector import EvidenceCollector

KINDS = ("flips", "edits")
MEMORY = Path("/dev/shm")
SAVED = 20
"""Mutants saved from one batch at most."""


_worker: list[Judge] = []


@dataclass(frozen=True)
class Batch:
    """Mutants *first* to *first* + *count* - 1 of one kind of one release."""

    kind: str
    container: str
    first: int
    count: int
    seed: int

    @property
    def key(self) -> str:
        """Its name in the record of what is done."""
        return f"{self.kind} {self.container} {self.first}+{self.count} seed {self.seed}"


@dataclass
class Result:
    """Verdicts of a batch by name (an error by its class), and false yeses, each described."""

    batch: Batch
    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: list[dict[str, Any]] = field(default_factory=list)
    saved: list[tuple[str, bytes]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As a line of the record."""
        return {
            "key": self.batch.key,
            **vars(self.batch),
            "verdicts": dict(self.verdicts),
            "wrong": self.wrong,
        }


class InProcess(EvidenceCollector):
    """Reads credentials in this process: a sandboxed child for each of 100,000 files would take a day."""

    def read_credentials(self, store: bytes | None = None) -> CredentialsEvidence:
        """As the child does. Raises UnreadableInput, CheckUnavailable."""
        from safegen.credentials.read import read_credentials

        trust = self.trust
        return read_credentials(
            self.path,
            anchors_pem=trust.anchors,
            tsa_anchors_pem=trust.tsa_anchors,
            at=self.options.at,
            manifest=store,
            crls=trust.crls,
        )


class Judge:
    """Judges mutants as a third party would: the maker's bundle pinned, the proof beside the file."""

    def __init__(self, folder: Path, releases: Sequence[Release], work: Path) -> None:
        from safegen.keys.trust import read_trust_file
        from safegen.verification.trust import load_trust
        from safegen.workspace.config import find_workspace

        self.releases = {r.container: r for r in releases}
        pinned = load_trust(find_workspace(work / "nobody"), [folder / TRUST])
        # Without the public lists, which say nothing about this maker and take most of the time.
        self.trust = replace(pinned, anchors=read_trust_file(folder / TRUST).roots, tsa_anchors=())
        self.file = work / "mutant"
        self._originals: dict[str, Original] = {}
        self._places: dict[str, flips.Places] = {}

    def verdict(self, release: Release, data: bytes) -> Any:
        """The verdict on *data*, or the error that is raised instead."""
        from safegen.verification.gather import gather_evidence
        from safegen.verification.options import VerifyOptions
        from safegen.verification.verdict import decide_verdict

        self.file.write_bytes(data)
        options = VerifyOptions(trust=self.trust, proof=release.proof, watermark=False)
        try:
            return decide_verdict(gather_evidence(InProcess(self.file, options)).evidence).verdict
        except Exception as error:
            return error

    def original(self, container: str) -> Original:
        """What mutants of the release in *container* are measured against."""
        if container not in self._originals:
            self._originals[container] = Original.of(self.releases[container])
        return self._originals[container]

    def run(self, batch: Batch) -> Result:
        """Judge every mutant of *batch*."""
        from safegen.errors import SafegenError

        release, result = self.releases[batch.container], Result(batch)
        original = self.original(batch.container)
        for number in range(batch.first, batch.first + batch.count):
            what, data = self._mutant(batch, number)
            verdict = self.verdict(release, data)
            broken = isinstance(verdict, Exception)
            name = type(verdict).__name__ if broken else verdict.name
            result.verdicts[name] += 1
            if broken:
                why = None if isinstance(verdict, SafegenError) else f"no verdict: {verdict}"
            else:
                why = original.wrong(verdict, data)
            if why is not None:
                found = {"number": number, "what": what, "verdict": name, "why": why}
                result.wrong.append(found)
                if len(result.saved) < SAVED:
                    file = f"{batch.kind}-{batch.container}-{number}{release.path.suffix}"
                    result.saved.append((file, data))
        return result

    def _mutant(self, batch: Batch, number: int) -> tuple[str, bytes]:
        seed = f"{batch.seed} {batch.kind} {batch.container} {number}"
        release = self.releases[batch.container]
        if batch.kind == "flips":
            if batch.container not in self._places:
                self._places[batch.container] = flips.Places(release)
            at, data = flips.flip(seed, self._places[batch.container])
            return f"byte {at}", data
        return edits.mutant(seed, release, list(self.releases.values()))


def memory_folder() -> Path | None:
    """Where files that are written thousands of times lie best; None: the usual place."""
    return MEMORY if os.access(MEMORY, os.W_OK) else None


def genuine(judge: Judge) -> list[str]:
    """Containers whose release itself is VERIFIED: a mutant of any other could never be a false yes."""
    from safegen import Verdict

    return [name for name, r in judge.releases.items() if judge.verdict(r, r.data) is Verdict.VERIFIED]


def start_worker(folder: Path, containers: Sequence[str], work: Path) -> None:
    """Prepare a worker process."""
    own = Path(tempfile.mkdtemp(dir=work))
    _worker[:] = [Judge(folder, make_releases(folder, containers), own)]


def work_off(batch: Batch) -> Result:
    """One batch, in a worker."""
    return _worker[0].run(batch)
