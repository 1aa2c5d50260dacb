"""Mutants of genuine releases: a few hundred of them, and the judge that must not be the judged."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest

from benchmarks.conformance.mutants import __main__ as command
from benchmarks.conformance.mutants import boxes, edits, flips, stores
from benchmarks.conformance.mutants.covered import Original
from benchmarks.conformance.mutants.judging import Batch, Judge, genuine
from benchmarks.conformance.mutants.releases import Release, make_releases
from safegen import Verdict

TRIED = ("mp4", "jpg", "png", "wav", "heic", "svg")
"""One container of each way of embedding."""


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    folder = tmp_path_factory.mktemp("mutants")
    return Judge(folder, make_releases(folder), folder)


@pytest.fixture(scope="module")
def releases(judge: Judge) -> dict[str, Release]:
    return judge.releases


def test_genuine_releases_are_verified_in_more_than_ten_containers(judge: Judge) -> None:
    found = genuine(judge)
    assert len(found) >= 18 and set(found) == set(judge.releases)


@pytest.mark.parametrize("container", TRIED)
def test_no_mutant_is_called_genuine(judge: Judge, container: str) -> None:
    for kind, count in (("flips", 50), ("edits", 30)):
        result = judge.run(Batch(kind, container, 0, count, seed=7))
        assert sum(result.verdicts.values()) == count
        assert not result.wrong
        assert result.verdicts[Verdict.TAMPERED.name], result.verdicts


# --- the judge


def test_the_judge_finds_false_yeses(releases: dict[str, Release]) -> None:
    """Told VERIFIED_REPACKED for what is no such thing, it says why not."""
    for container in ("mp4", "jpg", "png", "wav", "gif", "svg", "tiff", "epub"):
        original, release = Original.of(releases[container]), releases[container]
        data = release.data
        assert original.wrong(Verdict.VERIFIED_REPACKED, data) is None
        assert original.wrong(Verdict.VERIFIED, data + b"x") == "not the recorded bytes"
        assert original.wrong(Verdict.TAMPERED, b"anything") is None
        at = data.find(release.store[:40]) if container not in ("gif", "svg") else data.find(b"C2PA_GIF") + 40
        if container == "svg":
            at = data.find(b"<c2pa:manifest>") + 60
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert original.wrong(Verdict.VERIFIED_REPACKED, changed) == "another manifest store"
        covered = data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]
        if container not in ("tiff",):  # whose end is the store
            assert original.wrong(Verdict.VERIFIED_REPACKED, covered) is not None, container


def test_the_judge_lets_pass_what_nobody_covers(releases: dict[str, Release]) -> None:
    release = releases["mp4"]
    repacked = release.data.replace(b"iso2", b"iso5", 1)
    assert Original.of(release).wrong(Verdict.VERIFIED_REPACKED, repacked) is None
    padded = release.data + struct.pack(">I4s", 8, b"free")
    assert Original.of(release).wrong(Verdict.VERIFIED_REPACKED, padded) == "bytes that C2PA covers differ"


def test_a_verdict_that_cannot_be_given_is_a_fault(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "verdict", lambda release, data: KeyError("x"))
    result = judge.run(Batch("flips", "mp4", 0, 2, seed=1))
    assert [w["why"] for w in result.wrong] == ["no verdict: 'x'"] * 2
    assert [name for name, _ in result.saved] == ["flips-mp4-0.mp4", "flips-mp4-1.mp4"]


# --- the mutants


def test_files_are_taken_apart_and_put_together(releases: dict[str, Release]) -> None:
    for container, release in releases.items():
        parts = boxes.parse(container, release.data)
        assert boxes.written(parts) == release.data, container
        assert boxes.written(boxes.boxes(release.store)) == release.store


def test_the_same_seed_gives_the_same_mutant(releases: dict[str, Release]) -> None:
    release, others = releases["png"], list(releases.values())
    places = flips.Places(release)
    assert flips.flip("a", places) == flips.flip("a", places)
    assert edits.mutant("a", release, others) == edits.mutant("a", release, others)
    assert len({flips.flip(str(i), places)[0] for i in range(200)}) > 80


def test_every_edit_makes_mutants(releases: dict[str, Release]) -> None:
    """And none leaves a file as it was."""
    others = list(releases.values())
    made = set()
    for number in range(400):
        release = others[number % len(others)]
        name, data = edits.mutant(str(number), release, others)
        made.add(name.split(" + ")[0])
        assert data != release.data
    assert made == set(edits.EDITS)


def test_edits_of_the_store_keep_its_length(releases: dict[str, Release]) -> None:
    """So that a range of bytes that a hash leaves out is still the right one."""
    release, kept, changed = releases["jpg"], 0, 0
    for number in range(120):
        found = stores.edited(random.Random(number), release)
        if found is not None and found != release.store:
            changed += 1
            kept += len(found) == len(release.store)
    assert changed > 80 and kept > 0.8 * changed


# --- the command


def test_the_command_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--out", str(tmp_path), "--container", "jpg", "--jobs", "1"]
    assert command.main([*arguments, "--flips", "20", "--edits", "0"]) == 0
    assert "20 flips, 0 wrong" in capsys.readouterr().out
    record = tmp_path / "done.jsonl"
    first = record.read_text()
    record.write_text(first + '{"key": "broken off')
    assert command.main([*arguments, "--flips", "20", "--edits", "10"]) == 0
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [(line["kind"], line["count"]) for line in lines] == [("flips", 20), ("edits", 10)]
    assert "10 mutants in" in capsys.readouterr().out


def test_batches_share_out_everything() -> None:
    found = list(command.batches({"flips": 1203, "edits": 7}, ["a", "b"], seed=3))
    assert sum(b.count for b in found if b.kind == "flips") == 1203
    assert sum(b.count for b in found if b.kind == "edits") == 7
    assert len({b.key for b in found}) == len(found)
