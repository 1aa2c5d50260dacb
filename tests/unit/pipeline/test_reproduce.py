"""Reproducing: found by what is left of the file, compared bit by bit, and honest about what differs.

The generator draws a moving texture from the seed; the ledger, the marks and the credentials are real.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import safegen
from safegen.errors import RefusedByPolicy, UsageError
from safegen.ledger.store import Ledger
from safegen.pipeline import produce as production
from safegen.pipeline.compare import measure_similarity
from safegen.pipeline.reproduce import to_json
from safegen.protocols import Progress
from safegen.types import Clip, Condition, Generated, ModelRef, Outlook, Request
from safegen.workspace.config import find_workspace
from safegen.workspace.session import open_session
from tests.e2e import attacks

PROMPT = "a red ball over green grass"


class Texture:
    """A generator that needs no model: what it draws depends on the seed and on ``shift``."""

    name = "texture"
    modes = frozenset({"text"})
    shift = 3
    digest = "a" * 64

    def outlook(self, request: Request) -> Outlook:
        return Outlook(384, 384, 1.0, 24)

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        rng = np.random.default_rng(request.seed)
        base = np.kron(rng.integers(40, 215, (12, 12, 3)), np.ones((32, 32, 1))).astype(np.uint8)
        frames = np.stack([np.roll(base, self.shift * i, axis=1) for i in range(24)])
        model = ModelRef("texture", "test", "1", self.digest)
        return Generated(Clip.from_array(frames, 24), model, {"guidance": request.guidance})


@dataclass(frozen=True)
class Made:
    """A workspace that keeps no prompts, and a release in it."""

    workspace: Path
    release: safegen.Release
    generator: Texture

    def again(self, path: Path | None = None, **more: object) -> safegen.api.Reproduction:  # type: ignore[name-defined]
        more.setdefault("prompt", PROMPT)
        return safegen.reproduce(path or self.release.path, workspace=self.workspace, **more)

    def ledger(self) -> Ledger:
        return Ledger.open(find_workspace(self.workspace).ledger_url, read_only=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    generator = Texture()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(production, "find_generator", lambda model: generator)
        folder = tmp_path_factory.mktemp("reproduce")
        release = safegen.generate(PROMPT, folder / "first.mp4", seed=5, guidance=2.5, workspace=folder / "w")
        yield Made(folder / "w", release, generator)


def test_same_frames_again(made: Made) -> None:
    seen = made.again()
    assert seen.identical
    assert seen.exit_code == 0
    assert not seen.differences
    assert seen.found.by == "file hash"
    assert seen.likeness.psnr is not None
    assert seen.likeness.psnr > 25
    assert json.loads(json.dumps(to_json(seen)))["result"] == "identical"
    assert not list(made.release.path.parent.glob(".safegen-tmp*"))


def test_digest_is_in_ledger_and_manifest_but_not_the_prompt(made: Made) -> None:
    digest = made.again().recorded_sha256
    with made.ledger() as ledger:
        entry = ledger.release(made.release.index)
        assert entry.entry.public["frames_sha256"] == digest
        private = ledger.private(made.release.index)
    assert private is not None
    assert private["request"]["guidance"] == "2.5"
    assert private["build"]["numpy"] == np.__version__
    assert PROMPT not in json.dumps(private)
    assert f'"framesSha256": "{digest}"' in json.dumps(entry.manifest_json)


def test_other_frames_are_named_with_what_differs(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    same = made.again().likeness.psnr
    monkeypatch.setattr(made.generator, "shift", 2)
    monkeypatch.setattr(made.generator, "digest", "b" * 64)
    seen = made.again()
    assert seen.identical is False
    assert seen.exit_code == 9
    assert [(d.name, d.then, d.now) for d in seen.differences] == [("model.sha256", "a" * 64, "b" * 64)]
    assert seen.likeness.psnr is not None
    assert same is not None
    assert seen.likeness.psnr < same - 3
    assert seen.likeness.worst_frame != 0


def test_prompt_has_to_be_given_and_right(made: Made) -> None:
    with pytest.raises(UsageError, match="keep") as caught:
        made.again(prompt=None)
    assert "--prompt-file" in caught.value.hint
    with pytest.raises(UsageError, match="hash"):
        made.again(prompt=PROMPT.upper())
    assert made.again(prompt=PROMPT + "\r\n").identical
    with pytest.raises(UsageError, match="not an input"):
        made.again(inputs=[made.release.path])


def test_prompt_is_screened_again(made: Made, tmp_path: Path) -> None:
    policy = tmp_path / "mine.yaml"
    policy.write_text("name: mine\nextends: strict\nlanguages: {supported: [de]}\n")
    try:
        made.again(policy=str(policy))
    except (RefusedByPolicy, safegen.SafegenError) as error:
        assert error.exit_code in {3, 7}
    else:
        pytest.fail("a policy that refuses everything let it pass")


def test_unknown_and_foreign_files(made: Made, tmp_path: Path) -> None:
    other = attacks.reencode(made.release.path, tmp_path / "other.mp4", change=lambda f: 255 - f[::-1])
    with pytest.raises(UsageError, match="not a release"):
        made.again(other)
    guarded = safegen.protect(other, tmp_path / "guarded.mp4", workspace=made.workspace)
    with pytest.raises(UsageError, match="made elsewhere"):
        made.again(guarded.path)


def test_file_is_found_by_what_is_left_of_it(made: Made, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    shutil.copy(made.release.path, copy)
    with copy.open("ab") as file:
        file.write(b"\0\0\0\x10free12345678")
    assert made.again(copy).found.by == "manifest id"
    seen = made.again(attacks.reencode(made.release.path, tmp_path / "again.mp4"))
    assert seen.found.by in {"watermark", "pictures"}
    assert seen.identical


def test_reproduction_is_a_release_of_its_own(made: Made, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="original"):
        made.again(output=made.release.path, overwrite=True)
    seen = made.again(output=tmp_path / "second.mp4")
    assert seen.identical
    assert seen.release is not None
    assert seen.release.content_id != made.release.content_id
    report = safegen.verify(seen.release.path, workspace=made.workspace)
    assert report.verdict is safegen.Verdict.VERIFIED
    named = {"entry": made.release.index, "manifest": made.release.manifest_id, "identical": True}
    with made.ledger() as ledger:
        assert ledger.release(seen.release.index).entry.public["reproduces"] == named
    assert made.release.manifest_id in json.dumps(report.credentials.manifest)


def test_redacted_release_cannot_be_reproduced(made: Made, tmp_path: Path) -> None:
    from safegen.workspace.session import open_ledger_for_writing

    release = safegen.generate(PROMPT, tmp_path / "gone.mp4", seed=6, workspace=made.workspace)
    with open_ledger_for_writing(find_workspace(made.workspace)) as ledger:
        ledger.redact(release.index)
    with pytest.raises(UsageError, match="not recorded"):
        made.again(release.path)


def test_likeness_says_why_it_cannot_compare() -> None:
    frames = np.zeros((3, 32, 32, 3), np.uint8)
    same = measure_similarity(Clip.from_array(frames, 24), Clip.from_array(frames, 24))
    assert same.psnr == float("inf")
    wide = measure_similarity(
        Clip.from_array(frames, 24), Clip.from_array(np.zeros((3, 32, 64, 3), np.uint8), 24)
    )
    assert wide.psnr is None
    assert "32x32 and 64x32" in wide.note
    short = measure_similarity(Clip.from_array(frames, 24), Clip.from_array(frames[:2] + 1, 24))
    assert short.psnr == pytest.approx(48.13, abs=0.01)
    assert "2 were compared" in short.note


def test_a_rate_that_only_older_versions_took(made: Made, tmp_path: Path) -> None:
    with open_session(find_workspace(made.workspace)) as session:
        request = Request(PROMPT, seed=5, fps=12.5, guidance=2.5, seconds=0.05)  # type: ignore[arg-type]
        release = production.produce(request, tmp_path / "old.mp4", session=session)
    with made.ledger() as ledger:
        private = ledger.private(release.index) or {}
    assert private["request"]["fps"] == "12.5"
    again = made.again(release.path)
    assert (again.exit_code, again.differences) == (0, ())
