"""The stamp beside a release: there before the video, gone with it, never of another release."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from safegen.errors import LedgerError, ReleaseFailed
from safegen.ledger import timestamp as stamps
from safegen.pipeline.timestamp import timestamp_release
from safegen.protocols import NoProgress

PROOF = (
    "c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\nexample.com/log\n1\n"
    + "A" * 43
    + "=\n\n— example.com/log AAAAAAA=\n"
)


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Path]:
    config = SimpleNamespace(tsa_url="http://tsa.example/", tsa_required=False)
    workspace = SimpleNamespace(config=config, checkpoints=tmp_path / "checkpoints")
    monkeypatch.setattr(stamps, "request_stamp", lambda url, body: b"token over " + body)
    job = SimpleNamespace(destination=tmp_path / "video.mp4")
    session = SimpleNamespace(workspace=workspace, progress=NoProgress())
    return SimpleNamespace(job=job, session=session), tmp_path / "video.mp4.tlog-proof.tsr"


def test_it_is_there_before_the_video(parts: tuple[Any, Path]) -> None:
    context, file = parts
    with timestamp_release(PROOF, context) as found:
        assert file.read_bytes().startswith(b"token over example.com/log\n1\n")
    assert found.sidecars == (file,)
    assert [p.suffix for p in context.session.workspace.checkpoints.iterdir()] == [".tsr"]


def test_it_goes_with_a_failed_release(parts: tuple[Any, Path]) -> None:
    context, file = parts
    with pytest.raises(KeyboardInterrupt), timestamp_release(PROOF, context):
        raise KeyboardInterrupt
    assert not file.exists()


def test_a_silent_authority_is_a_warning(parts: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    context, file = parts

    def fail(*_: object) -> bytes:
        raise LedgerError("no answer")

    monkeypatch.setattr(stamps, "request_stamp", fail)
    file.write_bytes(b"over the release that is replaced")
    with timestamp_release(PROOF, context) as found:
        assert file.exists()
    assert "no answer" in found.warnings[0]
    assert not file.exists(), "the old stamp says nothing about the new release"
    assert found.sidecars == ()


def test_nothing_is_asked_without_an_authority(parts: tuple[Any, Path]) -> None:
    context, file = parts
    context.session.workspace.config.tsa_url = None
    with timestamp_release(PROOF, context) as found:
        pass
    assert (found.sidecars, found.warnings, file.exists()) == ((), (), False)


def test_a_stamp_that_is_required(parts: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    context, file = parts
    context.session.workspace.config.tsa_required = True

    def fail(*_: object) -> bytes:
        raise LedgerError("no answer")

    monkeypatch.setattr(stamps, "request_stamp", fail)
    published = []
    with pytest.raises(ReleaseFailed, match="tsa_required"), timestamp_release(PROOF, context):
        published.append("the video")
    assert not published
    assert not file.exists()
