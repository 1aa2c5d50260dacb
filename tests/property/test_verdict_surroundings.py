"""The verdict on real files does not depend on place, language, terminal, order, or a clock a little off."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import safegen
from safegen import Verdict
from safegen._util.time import utc_now
from safegen.credentials.read import read_credentials
from safegen.keys.bundle import TrustBundle, bundle_to_json, read_trust_file
from tests.e2e.makers import Maker, hand_over
from tests.support import signed

TOLERANCE = timedelta(minutes=5)
ABOUT_TRUST = {
    "trusted",
    "trusted_root",
    "root_sha256",
    "notes",
    "reason",
    "revocation",
    "time_stamped",
    "identities",
}
"""What pinning somebody may change in the evidence; every other field is a fact about the file."""
CODES_ABOUT_TRUST = {
    "signingCredential.trusted",
    "signingCredential.untrusted",
    "timeStamp.trusted",
    "timeStamp.untrusted",
}
SURROUNDINGS = (
    {},
    {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    {"LC_ALL": "C", "LANG": "C"},
    {"TZ": "Pacific/Kiritimati"},
    {"TZ": "America/Caracas", "LC_ALL": "de_DE.UTF-8"},
    {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "20"},
    {"FORCE_COLOR": "1", "COLUMNS": "400", "TERM": "xterm-256color"},
)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("surroundings") / "workspace")


@pytest.fixture(scope="module")
def files(maker: Maker) -> dict[str, Path]:
    """A genuine release, the same repacked and altered, and a stranger's."""
    folder = maker.root.parent
    release = maker.release(folder / "clip.mp4")
    made = {"genuine": release}
    data = release.read_bytes()
    for name, changed in (("repacked", data.replace(b"iso2", b"iso5", 1)), ("altered", _flipped(data))):
        made[name] = hand_over(release, folder / name)
        made[name].write_bytes(changed)
    made["stranger"] = signed.make("jpg", folder / "stranger")
    return made


EXPECTED = {
    "genuine": Verdict.VERIFIED,
    "repacked": Verdict.VERIFIED_REPACKED,
    "altered": Verdict.TAMPERED,
    "stranger": Verdict.SIGNED_UNTRUSTED,
}


def _flipped(data: bytes) -> bytes:
    at = data.rindex(b"mdat") + 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# --- locale, time zone, terminal


@pytest.mark.parametrize("name", EXPECTED)
def test_nothing_around_changes_the_verdict(
    name: str, maker: Maker, files: dict[str, Path], python: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    said = set()
    for more in SURROUNDINGS:
        done = python(
            *("-m", "safegen", "verify", "--no-watermark", "--json", "--workspace", str(maker.root)),
            str(files[name]),
            cwd=maker.root.parent,
            env={**os.environ, **more},
        )
        report = json.loads(done.stdout)
        said.add(json.dumps(report, sort_keys=True))
        assert done.returncode == EXPECTED[name].exit_code
        assert report["verdict"] == EXPECTED[name].name
    assert len(said) == 1, "every word is the same"


# --- the clock


@settings(max_examples=4)
@example(seconds=-int(TOLERANCE.total_seconds()))
@example(seconds=int(TOLERANCE.total_seconds()))
@given(seconds=st.integers(-int(TOLERANCE.total_seconds()), int(TOLERANCE.total_seconds())))
def test_a_clock_that_is_a_little_off_changes_nothing(
    maker: Maker, files: dict[str, Path], seconds: int
) -> None:
    at = utc_now() + timedelta(seconds=seconds)
    for name, verdict in EXPECTED.items():
        assert maker.verify(files[name], at=at).verdict is verdict


def test_a_clock_that_was_off_when_the_keys_were_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The maker's clock is four minutes ahead of everybody else's, from the first key to the release."""
    ahead = utc_now() + timedelta(minutes=4)
    for module in _clocks():
        monkeypatch.setattr(module, "utc_now", lambda: ahead)
    hasty = Maker.open(tmp_path / "workspace")
    path = hasty.release(tmp_path / "clip.mp4")
    monkeypatch.undo()
    assert hasty.verify(path).verdict is Verdict.VERIFIED


def _clocks() -> list[Any]:
    """Modules of keys that read the clock."""
    import importlib
    import pkgutil

    import safegen.keys

    found = [
        importlib.import_module(m.name) for m in pkgutil.iter_modules(safegen.keys.__path__, "safegen.keys.")
    ]
    return [module for module in found if hasattr(module, "utc_now")]


# --- the order in which trust is named


@pytest.fixture(scope="module")
def bundles(maker: Maker, files: dict[str, Path]) -> list[Path]:
    """The maker's bundle, a stranger's, and a list of roots for signers and time stamps."""
    folder = maker.root.parent
    made = [
        maker.trust_file(folder / "maker.json"),
        Maker.open(folder / "other").trust_file(folder / "other.json"),
    ]
    root = signed.root_pem(folder / "stranger")
    roots = folder / "roots.json"
    roots.write_text(bundle_to_json(TrustBundle("roots", (root,), tsa_roots=(root,))))
    return [*made, roots]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_order_of_trust_does_not_matter(
    name: str, files: dict[str, Path], bundles: list[Path], tmp_path: Path
) -> None:
    said = set()
    for trust in permutations(bundles):
        report = safegen.verify(files[name], workspace=tmp_path / "w", trust=trust, watermark=False)
        said.add(report.to_json())
    assert len(said) == 1


def test_the_order_of_anchors_and_lists_does_not_matter(
    maker: Maker, files: dict[str, Path], bundles: list[Path]
) -> None:
    roots = [pem for file in bundles for pem in read_trust_file(file).roots]
    lists = list(maker.identity.crls)
    for name in EXPECTED:
        said = {
            read_credentials(files[name], anchors_pem=order, tsa_anchors_pem=order, crls=crls).to_json()
            for order in permutations(roots)
            for crls in (lists, lists[::-1], [*lists, *lists])
        }
        assert len(said) == 1


# --- trust and facts


@settings(max_examples=20)
@given(st.frozensets(st.integers(0, 2)), st.booleans())
def test_trust_changes_no_fact(
    files: dict[str, Path], bundles: list[Path], chosen: frozenset[int], stamps: bool
) -> None:
    """Whoever is pinned: hashes, signatures, names, marks and ingredients are what they are."""
    pems = [pem for i in sorted(chosen) for pem in read_trust_file(bundles[i]).roots]
    for path in files.values():
        bare = read_credentials(path)
        trusting = read_credentials(path, anchors_pem=pems, tsa_anchors_pem=pems if stamps else ())
        same = {name: getattr(bare, name) for name in ABOUT_TRUST}
        assert set(bare.codes) ^ set(trusting.codes) <= CODES_ABOUT_TRUST
        assert replace(trusting, codes=bare.codes, **same) == bare


def test_the_same_file_gives_the_same_answer_every_time(maker: Maker, files: dict[str, Path]) -> None:
    for name, verdict in EXPECTED.items():
        reports = [maker.verify(files[name]).to_json() for _ in range(5)]
        assert len(set(reports)) == 1 and json.loads(reports[0])["verdict"] == verdict.name


def test_neither_name_nor_place_of_a_file_changes_anything(
    maker: Maker, files: dict[str, Path], tmp_path: Path
) -> None:
    for number, name in enumerate(("a.jpg", "ftyp%d.png", "VERIFIED\n.mp4", "ä ö.txt", "-x")):
        folder = tmp_path / str(number)
        folder.mkdir()
        copy = Path(shutil.copy(files["genuine"], folder / name))
        assert maker.verify(copy).verdict is Verdict.VERIFIED
