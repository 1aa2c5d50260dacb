"""An environment that somebody else prepared: the answer does not depend on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.makers import Maker, hand_over
from tests.support.hostile import FORGED, check_output

_COMMAND = "import sys; sys.argv[0] = 'safegen'; from safegen.cli import main; main()"
"""What the installed command does; ``-P`` keeps the current folder out of the search for modules."""
SETTINGS: dict[str, dict[str, str | None]] = {
    "no home": {"HOME": None, "XDG_DATA_HOME": None, "XDG_CONFIG_HOME": None},
    "a home that is not there": {"HOME": "/nonexistent/home", "XDG_DATA_HOME": None},
    "a home with a forged line": {"HOME": f"/nonexistent/a\n{FORGED}", "XDG_DATA_HOME": None},
    "nowhere for temporary files": {"TMPDIR": "/nonexistent", "TEMP": "/nonexistent", "TMP": "/nonexistent"},
    "a relative folder for temporary files": {"TMPDIR": "-rf *"},
    "assertions off": {"PYTHONOPTIMIZE": "2"},
    "other hashes": {"PYTHONHASHSEED": "12345"},
    "ASCII": {"LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "another language": {"LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "ar", "TZ": "Pacific/Kiritimati"},
    "no such time zone": {"TZ": f"../../etc\n{FORGED}"},
    "warnings are errors": {"PYTHONWARNINGS": "error::UserWarning"},
    "a strange terminal": {"TERM": "\x1b[2J", "COLUMNS": "-5", "LINES": "x", "FORCE_COLOR": "3"},
    "proxies and authorities": {
        "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9",
        "SSL_CERT_FILE": "/nonexistent", "REQUESTS_CA_BUNDLE": "/nonexistent",
    },
    "settings that nothing has": {"SAFEGEN_TRUST": "all", "SAFEGEN_VERIFY": "off", "C2PA_TRUST": "*"},
    "who is asking": {"SAFEGEN_USER": f"a\n{FORGED}", "SAFEGEN_REVIEWER": "\x1b[2J", "USER": ""},
    "secrets": {"SAFEGEN_KEY_PASSPHRASE": "wrong", "SAFEGEN_REMOTE_KEY": "\x1b[2J"},
    "logs": {"SAFEGEN_LOG": "debug,json"},
}  # fmt: skip


def command(
    folder: Path, settings: dict[str, str | None], *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the installed command in *folder* with *settings* on top of this environment."""
    root = str(Path(__file__).resolve().parents[2])
    wanted = {**os.environ, "PYTHONPATH": root, **settings}
    environment = {name: value for name, value in wanted.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-P", "-c", _COMMAND, *arguments], cwd=folder, env=environment, capture_output=True
    )


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("environment") / "workspace")


@pytest.fixture(scope="module")
def inbox(maker: Maker) -> Path:
    """A release, and a copy of it with another picture."""
    clip = maker.release(maker.root.parent / "clip.mp4")
    whole = hand_over(clip, maker.root.parent / "inbox")
    data = bytearray(whole.read_bytes())
    data[data.rfind(b"mdat") + 40] ^= 1
    (whole.parent / "changed.mp4").write_bytes(data)
    return whole.parent


@pytest.fixture(scope="module")
def answer(maker: Maker, inbox: Path) -> object:
    """What ``verify`` says in a quiet environment."""
    done = command(inbox, {}, "verify", ".", "--workspace", str(maker.root), "--no-watermark", "--json")
    assert done.returncode == 30
    return json.loads(done.stdout)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_answer_is_the_same(
    maker: Maker, inbox: Path, answer: object, settings: dict[str, str | None]
) -> None:
    done = command(inbox, settings, "verify", ".", "--workspace", str(maker.root), "--no-watermark", "--json")
    check_output(done.stderr)
    assert done.returncode == 30, done.stderr
    assert json.loads(check_output(done.stdout)) == answer


def test_another_workspace_in_the_environment_adds_its_own_trust_only(
    maker: Maker, inbox: Path, tmp_path: Path
) -> None:
    """SAFEGEN_WORKSPACE decides whose trust counts, and the report says so: nobody's of the maker's here."""
    (tmp_path / "empty").mkdir()
    done = command(
        inbox,
        {"SAFEGEN_WORKSPACE": str(tmp_path / "empty")},
        "verify",
        "clip.mp4",
        "--no-watermark",
        "--json",
    )
    report = json.loads(done.stdout)
    assert (report["verdict"], report["trusted_by"]) == ("SIGNED_UNTRUSTED", None)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("verify", "clip.mp4", "--no-watermark", "--workspace"), 0),
        (("detect", "clip.mp4"), 40),
        (("log", "list", "--workspace"), 0),
    ],
)
def test_modules_in_the_current_folder_are_not_run(
    maker: Maker, inbox: Path, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    """A download folder with ``json.py`` in it; neither the command nor its decoder imports from there."""
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "clip.mp4").write_bytes((inbox / "clip.mp4").read_bytes())
    mark = tmp_path / "imported"
    names = "json av cv2 numpy c2pa yaml click cryptography sitecustomize usercustomize safegen"
    for name in names.split():
        (trap / f"{name}.py").write_text(f"open({str(mark)!r}, 'a').write({name!r})\n")
    own = [str(maker.root)] if arguments[-1] == "--workspace" else []
    done = command(trap, {}, *arguments, *own)
    assert done.returncode == code, done.stderr
    assert not mark.exists()
