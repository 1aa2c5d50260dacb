"""PyAV: what the code needs of it, a version that will not do, and side data that it has no name for."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from safegen._util import versions
from safegen.doctor import diagnose
from safegen.errors import CheckUnavailable
from safegen.media import pyav
from safegen.media.sandbox import probe
from safegen.media.still import read_still
from tests.support.capabilities import pictures
from tests.support.capabilities.make import Film, write_film


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def be(version: str) -> None:
        monkeypatch.setattr(av, "__version__", version)
        pyav.require_version.cache_clear()

    yield be
    pyav.require_version.cache_clear()


def test_the_declared_range_is_the_one_the_code_checks(root: Path) -> None:
    declared = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    (line,) = (d for d in declared if d.startswith("av>"))
    low, high = versions.bounds(line)
    assert (versions.numbers(low), versions.numbers(high)) == (pyav.LOWEST, (pyav.BEYOND,))


@pytest.mark.parametrize(
    ("version", "fits"),
    [("14.2.0", False), ("18.0.0", False), ("18.1.0", True), ("19.0.2", True), ("20.0.0rc1", False)],
)
def test_a_version_that_will_not_do_is_told(installed: Any, version: str, fits: bool, tmp_path: Path) -> None:
    installed(version)
    (row,) = (r for r in diagnose(tmp_path) if r.name == "decoder")
    assert row.ok == fits and row.needed
    if fits:
        assert pyav.require_version() == int(version[:2])
        return
    assert version in row.detail and "pip install" in row.hint
    with pytest.raises(CheckUnavailable, match=r"safegen needs 18\.1 to 19"):
        pyav.require_version()


def test_a_decoder_that_will_not_do_is_not_the_files_fault(
    installed: Any, tmp_path: Path, cold_sandbox: None
) -> None:
    """The child says so: with another PyAV in its way it neither reads the file nor blames it."""
    other = tmp_path / "other" / "av"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text('__version__ = "14.0.0"\n')
    write_film(Film("mp4", "mp4", "libx264"), tmp_path / "a.mp4")
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, str(other.parent), str(tmp_path / "a.mp4")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("CheckUnavailable: the decoder cannot run: PyAV 14.0.0 is installed"), (
        done.stderr
    )


_PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from safegen.media import _start
_start.FORKER.usable = False
from safegen.media.sandbox import probe
from safegen.media.still import read_still
try:
    probe(Path(sys.argv[2]))
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize(
    ("requirement", "found"),
    [
        ("av<20,>=18.1", ("18.1", "20")),
        ("click>=8.1.8", ("8.1.8", "")),
        ('x<3 ; extra == "y"', ("", "3")),
        ("z", ("", "")),
    ],
)
def test_bounds_are_read_in_any_order(requirement: str, found: tuple[str, str]) -> None:
    assert versions.bounds(requirement) == found


@pytest.mark.parametrize(
    ("installed_version", "wanted"),
    [
        ("18.1", ""),
        ("18.1.0", ""),
        ("18.0.9", "av<20,>=18.1"),
        ("19.9", ""),
        ("20", "av<20,>=18.1"),
        ("20.0.1", "av<20,>=18.1"),
    ],
)
def test_another_version_than_declared_is_unfit(
    monkeypatch: pytest.MonkeyPatch, installed_version: str, wanted: str
) -> None:
    monkeypatch.setattr(metadata, "requires", lambda name: ["click>=8", "av<20,>=18.1", "average>=99"])
    assert versions.unfit("av", installed_version) == wanted


def test_nobody_says_what_a_safegen_needs_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", absent)
    assert versions.unfit("av", "1.0") == ""


class Beside(dict[str, bytes]):
    """Side data by name; a name that PyAV does not know is a KeyError, as there."""


class Frame:
    side_data = Beside(DISPLAYMATRIX=b"m")


def test_side_data_without_a_name_is_passed_over() -> None:
    assert pyav.side_data(Frame(), ("DISPLAYMATRIX", "ICC_PROFILE", "OF_TOMORROW"), "h264") == {
        "DISPLAYMATRIX": b"m"
    }
    from av.sidedata.sidedata import Type

    kinds: Any = Type
    assert kinds(4711).name == "UNKNOWN_4711" and kinds(4711) is kinds(4711)


def test_words_that_are_not_utf8_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_film(Film("mp4", "mp4", "libx264", extras=("metadata",)), path)
    path.write_bytes(path.read_bytes().replace(b"A title", b"A t\xffl\xe9\xfe"))
    assert probe(path).frames == 12


def test_a_named_colour_profile_in_a_png_is_freed_once(tmp_path: Path) -> None:
    """PyAV frees its name a second time, at the latest when Python ends: in a child, as a crash would be."""
    (case,) = (c for c in pictures.cases() if (c.container, c.beside) == ("PNG", "ICC profile"))
    case.write(tmp_path / "a.png")
    code = "import sys\nfrom tests.unit.media.test_versions import decode\ndecode(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ICC_PROFILE\n"), done.stderr
    with Image.open(tmp_path / "a.png") as image:
        assert read_still(tmp_path / "a.png").profile == image.info["icc_profile"]


def decode(path: str) -> None:
    """Decode the picture and print what goes along with it."""
    with av.open(path) as box:
        stream = box.streams.video[0]
        frame = next(box.decode(stream))
        print(*pyav.side_data(frame, ("ICC_PROFILE",), stream.codec_context.name))
