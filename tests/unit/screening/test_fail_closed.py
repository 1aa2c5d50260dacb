"""A check that cannot run refuses: exit 4, never a pass."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from safegen import policies, screening
from safegen.detectors.prompt import _lexicon, classifier, rules
from safegen.errors import CheckUnavailable
from safegen.policies.engine import decide
from safegen.policies.schema import Checks
from safegen.protocols import PromptDetector
from safegen.screening import _checks
from safegen.types import CheckRun, Finding, Request

BENIGN = Request("a red ball rolling left to right over green grass")


def _copied_model(tmp_path: Path) -> Path:
    folder = tmp_path / "guard"
    shutil.copytree(classifier.FOLDER, folder)
    return folder


def _rewrite(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Alter the arrays and make the card agree, as a broken recipe would."""
    import hashlib

    with np.load(folder / "weights.npz") as z:
        arrays = {k: z[k] for k in z.files}
    change(arrays)
    np.savez(folder / "weights.npz", **arrays)
    card = json.loads((folder / "card.json").read_text())
    card["sha256"] = hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


def _flip_byte(folder: Path) -> None:
    raw = bytearray((folder / "weights.npz").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "weights.npz").write_bytes(raw)


def _no_labels(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "labels": []}))


def _other_version(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "vectoriser": "0"}))


def _nan(arrays: dict[str, np.ndarray]) -> None:
    arrays["bias"] = np.full_like(arrays["bias"], np.nan)


def _short(arrays: dict[str, np.ndarray]) -> None:
    arrays["coef"] = arrays["coef"][:, :10]


@pytest.mark.parametrize(
    "breakage",
    [
        lambda f: (f / "weights.npz").unlink(),
        lambda f: (f / "card.json").unlink(),
        lambda f: (f / "weights.npz").write_bytes(b""),
        lambda f: (f / "card.json").write_text("{"),
        lambda f: (f / "card.json").write_text("[]"),
        _flip_byte,
        _no_labels,
        _other_version,
        lambda f: _rewrite(f, _nan),
        lambda f: _rewrite(f, _short),
        lambda f: _rewrite(f, lambda a: a.pop("idf")),
    ],
    ids=[
        "no-weights",
        "no-card",
        "empty",
        "cut-card",
        "odd-card",
        "altered",
        "no-labels",
        "version",
        "nan",
        "shape",
        "key",
    ],
)
def test_broken_model(tmp_path: Path, breakage: Callable[[Path], object]) -> None:
    folder = _copied_model(tmp_path)
    breakage(folder)
    with pytest.raises(CheckUnavailable) as e:
        classifier.Classifier(folder).run(BENIGN.prompt)
    assert e.value.exit_code == 4
    assert e.value.hint


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "[]",
        "name: x\n",
        "name: x\ncategory: hate\nentries: []\n",
        "entries: [\n",
        "bad_key: 1\nentries: [a]\n",
        "category: hate\nscore: 2\nreason: r\nentries: [a]\n",
        "category: hate\nscore: .5\nreason: r\nwith: [no]\nentries: [a]\n",
    ],
    ids=["missing", "empty", "list", "no-entries", "empty-entries", "syntax", "key", "score", "bool"],
)
def test_broken_list(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "lists"
    shutil.copytree(rules.LISTS, folder)
    (folder / "weapons.yaml").unlink()
    if content is not None:
        (folder / "weapons.yaml").write_text(content)
    with pytest.raises(CheckUnavailable):
        rules.Rules(("weapons", "hate"), folder=folder).run(BENIGN.prompt)


def test_no_lists_at_all(tmp_path: Path) -> None:
    with pytest.raises(CheckUnavailable):
        _lexicon.load(tmp_path, ())


class _Double:
    """All that the contract asks for; ``run`` is what differs."""

    name = "classifier"
    rates_whole_prompt = True

    def run(self, text: str) -> tuple[Sequence[Finding], CheckRun]:
        raise NotImplementedError

    def run_many(self, texts: Sequence[str]) -> Sequence[tuple[Sequence[Finding], CheckRun]]:
        return [self.run(text) for text in texts]

    def with_lists(self, lists: Sequence[str]) -> PromptDetector:
        return self


class _Raises(_Double):
    def run(self, text: str) -> tuple[Sequence[Finding], CheckRun]:
        raise RuntimeError("out of memory")


class _Gives(_Double):
    def __init__(self, score: float) -> None:
        self.score = score

    def run(self, text: str) -> tuple[Sequence[Finding], CheckRun]:
        return [Finding("sexual", self.score, "classifier", "r")], CheckRun("classifier", "1")


class _Skips(_Gives):
    """Answers fewer texts than it was asked about."""

    def run_many(self, texts: Sequence[str]) -> Sequence[tuple[Sequence[Finding], CheckRun]]:
        return []


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        (_Raises(), "failed: RuntimeError"),
        (_Skips(0.1), "failed: ValueError"),
        (_Gives(float("nan")), "no usable score"),
        (_Gives(float("inf")), "no usable score"),
        (_Gives(-1.0), "returned the score -1.0"),
        (_Gives(7.0), "returned the score 7.0"),
    ],
)
def test_detector_that_raises_or_gives_no_number(
    monkeypatch: pytest.MonkeyPatch, detector: PromptDetector, message: str
) -> None:
    """The message tells that it was this that stopped it, and no gap in the double."""
    monkeypatch.setattr(_checks, "_detector", lambda name, lists: detector)
    with pytest.raises(CheckUnavailable, match=message):
        screening.screen(BENIGN)


def test_the_doubles_pass_when_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checks, "_detector", lambda name, lists: _Gives(0.1))
    assert screening.screen(BENIGN).outcome == "allow"


@pytest.mark.parametrize("required", [(), ("rules", "no_such_check"), ("normalise",)])
def test_checks_that_do_not_exist(required: tuple[str, ...]) -> None:
    policy = policies.load("default").model_copy(update={"checks": Checks(required=required)})
    with pytest.raises(CheckUnavailable):
        screening.screen(BENIGN, policy=policy)


def test_no_check_ran() -> None:
    with pytest.raises(CheckUnavailable):
        decide(BENIGN, policy=policies.load("default"), findings=[], checks=[])
