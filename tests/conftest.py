"""Fixtures every test may use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support import warm
from tests.support.chance import CHANCE

ROOT = Path(__file__).resolve().parent.parent

# The same examples on every machine, however slow: an outcome is a matter of the code alone.
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.load_profile("same")

FOREIGN = ("SAFEGEN_", "HF_", "HUGGINGFACE_", "OPENAI_", "XDG_")
OURS = {"SAFEGEN_SHARED", "SAFEGEN_TEST_POSTGRES"}


@pytest.fixture(scope="session")
def users_home() -> str:
    """The folder of the user who runs the tests, for the few tools that are set up there."""
    return os.environ.get("HOME", "")


@pytest.fixture(scope="session", autouse=True)
def _own_surroundings(users_home: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user who runs the tests: no settings, no folders, no time zone, no language."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(FOREIGN) and name not in OURS:
                patch.delenv(name)
        for name in ("CONFIG", "DATA", "CACHE", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        for name, value in {"HOME": str(home), "TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}.items():
            patch.setenv(name, value)
        if hasattr(time, "tzset"):
            time.tzset()
        before = os.umask(0o022)
        yield
        os.umask(before)


@pytest.fixture(scope="session")
def python(_own_surroundings: None) -> Iterator[Callable[..., subprocess.CompletedProcess[bytes]]]:
    """Runs ``python ARGUMENTS`` with ``cwd``, ``env`` and ``input``, quickly where it can."""
    if sys.platform != "linux":
        yield lambda *arguments, **more: subprocess.run(
            [sys.executable, *arguments], capture_output=True, **more
        )
        return
    server = warm.Server(warm.COMMAND)
    yield warm.Commands(server).run
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def _same_chance() -> Iterator[None]:
    """Ids of contents and seeds that nobody gave are the same in every run."""
    from safegen.request import build
    from safegen.workspace import session

    with pytest.MonkeyPatch.context() as patch:
        for module in (session, build):
            patch.setattr(module, "secrets", CHANCE)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """What tests share is the same whichever of them comes first."""
    if fixturedef.scope == "function":
        return (yield)
    with CHANCE.within(f"{fixturedef.argname} {getattr(request, 'param_index', 0)}"):
        return (yield)


@pytest.fixture(autouse=True)
def _own_chance(request: pytest.FixtureRequest) -> None:
    """A test gets its own ids and seeds, whatever ran before it."""
    CHANCE.begin(request.node.name)


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    """No test remembers the logs of another: many go on from copies of one ledger, which forks it."""
    from safegen._util.user_state import user_state_folder

    shutil.rmtree(user_state_folder() / "logs", ignore_errors=True)


@pytest.fixture
def cold_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sandboxed children started one by one, as on a system without a process to fork them from."""
    from safegen.media import _start

    monkeypatch.setattr(_start.FORKER, "usable", False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared test data (``SAFEGEN_SHARED``, default ``../shared``); absent: skip, with CI=true fail."""
    folder = Path(os.environ.get("SAFEGEN_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        message = f"no shared data at {folder}; set SAFEGEN_SHARED"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, for tests that sync a lot and never cut the power."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="safegen-test-") as folder:
        yield Path(folder)
