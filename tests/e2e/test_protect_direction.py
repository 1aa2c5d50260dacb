"""Which came first, the file or the release; and marks that a file carried before it was protected."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import pytest

import safegen
from safegen import Verdict


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    folder = tmp_path_factory.mktemp("direction")
    shutil.copy(shared / "data/cases/plain_24fps.mp4", folder / "source.mp4")
    safegen.protect(folder / "source.mp4", folder / "first.mp4", workspace=folder / "ws")
    return folder


def verify(home: Path, path: Path, workspace: str = "ws") -> safegen.Report:
    return safegen.verify(path, workspace=home / workspace)


def encoded_again(path: Path, target: Path) -> Path:
    """The pictures of *path* in another file, as any editor would write them."""
    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        video = source.streams.video[0]
        stream = out.add_stream("libx264", rate=video.average_rate, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        for frame in source.decode(video):
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode())
    return target


def test_the_source_never_had_credentials(home: Path) -> None:
    report = verify(home, home / "source.mp4")
    assert report.verdict is Verdict.RECOVERED
    assert "made from" in report.summary and "never had credentials" in report.summary
    assert "removed" not in report.summary


def test_a_copy_of_the_source_may_be_either(home: Path, tmp_path: Path) -> None:
    report = verify(home, encoded_again(home / "source.mp4", tmp_path / "again.mp4"))
    assert report.verdict is Verdict.RECOVERED
    assert "either" in report.summary and "removed" not in report.summary


def test_a_marked_copy_once_had_credentials(home: Path, tmp_path: Path) -> None:
    bare = encoded_again(home / "first.mp4", tmp_path / "bare.mp4")
    report = verify(home, bare)
    assert report.verdict is Verdict.RECOVERED
    assert "no credentials any more" in report.summary


def test_a_camera_file_is_not_called_made_with_safegen(home: Path, tmp_path: Path) -> None:
    bare = encoded_again(home / "first.mp4", tmp_path / "bare.mp4")
    report = verify(home, bare, workspace="stranger")
    assert report.verdict is Verdict.MARKED_UNRESOLVED
    assert not any("Made with safegen" in text for text in (report.summary, *report.reasons))
    assert report.origin.kind == "unknown"


def test_a_mark_of_the_source_is_recorded_and_is_no_conflict(home: Path, tmp_path: Path) -> None:
    """A file that carries somebody's mark already, protected by somebody else."""
    first = safegen.verify(home / "first.mp4", workspace=home / "ws")
    marked = encoded_again(home / "first.mp4", tmp_path / "marked.mp4")
    release = safegen.protect(marked, tmp_path / "second.mp4", workspace=tmp_path / "other")
    assert any("carries a mark already" in warning for warning in release.warnings)
    for space in (tmp_path / "other", home / "ws"):  # also where the ledger knows the first mark
        report = safegen.verify(release.path, workspace=space)
        assert report.verdict in {Verdict.VERIFIED, Verdict.SIGNED_UNTRUSTED}
        assert not any("anyone can plant" in reason for reason in report.reasons)
    own = safegen.verify(release.path, workspace=tmp_path / "other")
    assert own.verdict is Verdict.VERIFIED
    ids = {reading.id for reading in own.watermarks if reading.present}
    assert f"{release.content_id:016x}" in ids
    assert own.ledger is not None
    recorded = own.ledger.entry["source_marks"]
    assert [mark["value"] for mark in recorded] == [b.value for b in first.credentials.soft_bindings][:1]
