"""A held request, approved by a person, all the way to a release that names the approval."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import safegen
from safegen import Verdict
from safegen.cli import group
from safegen.errors import GenerationFailed, HeldForReview
from safegen.keys.identity import Identity
from safegen.keys.trust import TrustStore, parse_trust
from safegen.pipeline import produce
from safegen.review import queue
from safegen.types import Clip, Generated, Held, ModelRef, Outlook, Request
from safegen.workspace import config
from safegen.workspace.session import open_ledger_for_writing
from tests.unit.credentials.conftest import Tsa, tsa  # noqa: F401

PROMPT = "a sentence that a policy holds"


class Painter:
    """A generator that paints rolling stripes, or fails."""

    name = "painter"
    modes = frozenset({"text"})

    def outlook(self, request: Request) -> Outlook:
        return Outlook(256, 256, 3.0, 8)

    def __init__(self) -> None:
        self.broken = False

    def generate(self, request: Request, *, progress: object, conditions: object = ()) -> Generated:
        if self.broken:
            raise RuntimeError("out of paint")
        rng = np.random.default_rng(request.seed)
        base = rng.integers(30, 225, (32, 32, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        frames = np.stack([np.roll(base, 4 * i, 1) for i in range(24)])
        clip = Clip.from_array(frames, Fraction(8))
        return Generated(clip, ModelRef("painter", "painter", "1", None), {})


def held(request: Request, *, policy: object) -> Held:
    """The policy's own answer, turned into a hold."""
    from safegen.types import PolicyRef

    return Held(request, PolicyRef(policy.name, policy.digest), ())  # type: ignore[attr-defined]


def shown(root: Path, index: int) -> str:
    done = CliRunner().invoke(group, ["review", "show", str(index), "--workspace", str(root)])
    assert done.exit_code == 0, done.output
    return done.output


def test_an_approved_request_is_released_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tsa: Tsa,  # noqa: F811
) -> None:
    painter = Painter()
    monkeypatch.setattr("safegen.screening.screen", held)
    monkeypatch.setattr(produce, "find_generator", lambda model: painter)
    root, output = tmp_path / "workspace", tmp_path / "video.mp4"
    config.find_workspace(root).create()
    (root / "safegen.toml").write_text(f'format = 1\n[signing]\ntsa_url = "{tsa.url}"\n')
    TrustStore(config.find_workspace(root).trust).add(parse_trust(tsa.root, name="authority", kind="tsa"))

    def generate(approval: int | None) -> safegen.Release:
        return safegen.generate(PROMPT, output, seed=3, workspace=root, approval=approval)

    with pytest.raises(HeldForReview) as stopped:
        generate(None)
    assert "safegen review show 0" in stopped.value.hint
    assert PROMPT in shown(root, 0)
    with open_ledger_for_writing(config.find_workspace(root)) as ledger:
        queue.record_review(ledger, 0, "approve", reviewer="Ada")
    painter.broken = True
    with pytest.raises(GenerationFailed):
        generate(0)
    painter.broken = False
    with pytest.raises(HeldForReview, match="is used"):
        generate(0)
    with open_ledger_for_writing(config.find_workspace(root)) as ledger:
        approval = queue.record_review(ledger, 0, "approve", reviewer="Ada").approval
    assert not output.exists()
    release = generate(approval)
    with open_ledger_for_writing(config.find_workspace(root)) as ledger:
        public = ledger.entry(release.index).public
        assert public["review"] == approval
        assert ledger.entry(public["decision"]).public["outcome"] == "review"
    report = safegen.verify(output, workspace=root)
    assert report.verdict is Verdict.VERIFIED
    assert [s.name for s in release.sidecars[:2]] == ["video.mp4.tlog-proof", "video.mp4.tlog-proof.tsr"]
    assert report.ledger is not None
    assert report.ledger.time_stamped
    stated = {a["label"]: a["data"] for a in report.credentials.manifest["assertions"]}  # type: ignore[index]
    origin = Identity.load(config.find_workspace(root).keys).log_origin
    assert stated["org.safegen.policy"]["review"] == {"log": origin, "entry": approval}
    with pytest.raises(HeldForReview):
        safegen.generate(PROMPT, tmp_path / "again.mp4", seed=3, workspace=root, approval=approval)
