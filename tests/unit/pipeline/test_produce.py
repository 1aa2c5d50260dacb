"""The three parts of a release: what each leaves behind, and where one may stop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from safegen.errors import GenerationFailed
from safegen.pipeline.produce import Prepared, make, prepare, release
from safegen.policies import load
from safegen.release import settle
from safegen.review.queue import Approval
from safegen.types import Held, PolicyRef, Request
from safegen.verification.run import verify_file
from safegen.workspace.config import find_workspace
from safegen.workspace.session import Session, open_session
from tests.unit.pipeline.test_reproduce import Texture

REQUEST = Request("a red ball over green grass", model="texture", seed=5)


@pytest.fixture
def session(in_memory: Path) -> Iterator[Session]:
    with open_session(find_workspace(in_memory / "w")) as opened:
        yield opened


def kinds(session: Session) -> list[str]:
    return [session.ledger.entry(i).kind for i in range(len(session.ledger))]


def test_preparing_and_making_leave_the_decision_and_nothing_else(session: Session, tmp_path: Path) -> None:
    with prepare(REQUEST, tmp_path / "clip.mp4", session=session, generator=Texture()) as prepared:
        assert (tmp_path / ".safegen-tmp").is_dir()
        unmarked = make(prepared)
        assert unmarked.generation is not None and len(list(unmarked.clip)) == 24
        assert list(prepared.context.timings) == ["screening", "generation"]
    assert list(tmp_path.iterdir()) == []
    assert kinds(session) == ["decision"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, GenerationFailed])
def test_a_failure_between_the_parts_leaves_nothing(
    session: Session, tmp_path: Path, error: type[BaseException]
) -> None:
    with (
        pytest.raises(error),
        prepare(REQUEST, tmp_path / "c.mp4", session=session, generator=Texture()) as p,
    ):
        make(p)
        raise error("stop")
    assert list(tmp_path.iterdir()) == []
    assert kinds(session) == ["decision"]


def test_a_cleaning_up_that_fails_is_not_hidden(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no such luck")

    with (
        pytest.raises(OSError, match="no such luck"),
        prepare(REQUEST, tmp_path / "clip.mp4", session=session, generator=Texture()),
    ):
        monkeypatch.setattr(settle, "abandon", fail)


def test_the_parts_together_are_a_release(session: Session, tmp_path: Path) -> None:
    output = tmp_path / "clip.mp4"
    with prepare(REQUEST, output, session=session, generator=Texture(), notes=["a note"]) as prepared:
        released = release(prepared, make(prepared))
    assert kinds(session) == ["decision", "release"]
    assert "a note" in released.warnings
    assert list(released.timings) == [
        "screening",
        "generation",
        "moderation",
        "marking and encoding",
        "describing",
        "fingerprinting",
        "signing",
        "verifying",
        "recording",
    ]
    report = verify_file(output, workspace=session.workspace, watermark=False)
    assert report.verdict.name == "VERIFIED"


def test_a_held_clip_is_taken_as_it_is_and_goes_with_its_release(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safegen.pipeline import produce
    from safegen.pipeline.held_clips import HeldClip

    folder = tmp_path / "held"
    folder.mkdir()
    with prepare(REQUEST, tmp_path / "clip.mp4", session=session, generator=Texture()) as prepared:
        unmarked = make(prepared)
        held = HeldClip(unmarked, {}, folder)
        again = Prepared(prepared.context, prepared.inputs, Texture(), held, ("a note",))
        assert make(again) is unmarked, "nothing is generated, and nothing is added"
        monkeypatch.setattr(produce, "release_clip", lambda *_: pytest.fail("not published"))
        with pytest.raises(pytest.fail.Exception):
            release(again, unmarked)
        assert folder.is_dir(), "it stays until its release is there"
        monkeypatch.setattr(produce, "release_clip", lambda *_: "released")
        assert release(again, unmarked) == "released"
        assert not folder.exists()
    shutil.rmtree(folder, ignore_errors=True)


def test_what_a_context_says(session: Session, tmp_path: Path) -> None:
    from dataclasses import replace

    from safegen.pipeline.context import ReleaseContext
    from safegen.pipeline.held_clips import source_decision
    from safegen.release import ReleaseJob

    policy = load("default")
    with ReleaseJob.begin(session.ledger, tmp_path / "clip.mp4") as job:
        context = ReleaseContext(session, job, policy, 7)
        assert (context.approved, context.commitment) == (frozenset(), "")
        assert context.config is session.workspace.config
        index = session.ledger.append("decision", {"outcome": "review"}, {"prompt_sha256": "x"})
        approval = Approval(index, 1, 2, frozenset({("nudity", "nsfw")}))
        held = Held(REQUEST, PolicyRef(policy.name, policy.digest), ())
        context = replace(context, decision=held, decision_index=index, approval=approval)
        assert context.approved == approval.findings
        assert context.commitment == session.ledger.entry(index).commitment != ""
        assert source_decision(policy).request.prompt == ""
        with pytest.raises(ValueError, match="x"), context.timed("failing"):
            raise ValueError("x")
        with context.timed("done"):
            pass
        assert list(context.timings) == ["done"]
