"""The encoder tier with a small encoder of the real architecture, saved as the hub saves it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen import policies
from safegen.detectors.prompt import encoder as tier
from safegen.detectors.prompt._sentence_encoder import SentenceEncoder
from safegen.errors import CheckUnavailable, UsageError
from safegen.policies.engine import decide
from safegen.policies.schema import Encoder, Policy
from safegen.screening import screen
from safegen.screening._encoder import pool_opinions
from safegen.types import CheckRun, Finding, Request
from training.guard import encoder as recipe
from training.guard.data import Row

SAFE = ("ball", "cube", "river", "castle", "garden", "kitten", "piano", "cloud")
HARM = ("bomb", "corpse", "torture", "massacre", "noose", "rape", "cocaine", "slaughter")
BENIGN = Request("a red ball in the garden")


def _checkpoint(folder: Path, seed: int) -> Path:
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(seed)
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "a",
        "in",
        "the",
        "red",
        "big",
        "old",
        *SAFE,
        *HARM,
    ]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=48, max_position_embeddings=160,
    )  # fmt: skip
    model = BertModel(config)
    with torch.no_grad():  # words far apart, so that the vectors say which ones a text holds
        model.embeddings.word_embeddings.weight.normal_()
    model.save_pretrained(folder)
    return folder


def _rows() -> list[Row]:
    rng = np.random.default_rng(5)
    rows = []
    for words, unsafe in ((SAFE, False), (HARM, True)):
        for i in range(160):
            text = f"a {rng.choice(['red', 'big', 'old'])} {rng.choice(words)} in the {rng.choice(words)}"
            source = ("fetv", "ailuminate_demo")[unsafe] if i % 4 == 0 else "coco_captions"
            rows.append(Row(text, unsafe, "violence_gore" if unsafe else "benign", source))
    return rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``encoder``, the ``other`` encoder, and ``heads`` that belong to the first."""
    base = tmp_path_factory.mktemp("tier")
    sentences = SentenceEncoder(_checkpoint(base / "encoder", 1))
    _checkpoint(base / "other", 2)
    rows = _rows()
    arrays = recipe.taught(base / "encoder", rows, state=base / "state.pt", epochs=60)
    recipe.export(base / "heads", arrays, sentences.digest, encoder="test", rows=len(rows))
    return base


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    tier._loaded.cache_clear()
    yield
    tier._loaded.cache_clear()


def _policy(model: Path | str, heads: Path | str | None) -> Policy:
    wanted = Encoder(model=str(model), heads=None if heads is None else str(heads))
    return policies.load("default").model_copy(update={"encoder": wanted})


def test_heads_learn_and_are_used_beside_the_classifier(made: Path) -> None:
    policy = _policy(made / "encoder", made / "heads")
    checked = tier.load(str(made / "encoder"), heads=str(made / "heads"))
    safe, harm = (
        {f.category: f.score for f in checked.run(t)[0]}
        for t in ("a red ball in the cloud", "a big corpse in the bomb")
    )
    assert safe.get("unsafe", 0.0) < 0.5 < harm["unsafe"]
    decision = screen(BENIGN, policy=policy)
    assert decision.outcome == "allow"
    ran = next(c for c in decision.checks if c.name == "encoder")
    assert ran.digest == tier.read_heads(made / "heads").digest
    assert "encoder" not in {c.name for c in screen(BENIGN).checks}
    assert screen(Request("a big massacre in the slaughter"), policy=policy).categories["unsafe"] > 0.3
    assert policy.digest != policies.load("default").digest


def test_the_shipped_heads_fit_this_version() -> None:
    heads = tier.read_heads(tier.HEADS)
    assert heads.labels[0] == "unsafe" and set(heads.labels) <= set(policies.CATEGORIES)
    assert heads.hidden.shape[1] == 384
    assert len(heads.adapters) == 36  # six layers of six linear ones
    assert (tier.HEADS / "heads.npz").stat().st_size < 3_000_000


def test_copies_of_one_encoder_are_the_same_encoder(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made / "encoder", copy)
    (copy / "README.md").write_text("a copy")
    assert screen(BENIGN, policy=_policy(copy, made / "heads")).outcome == "allow"


@pytest.mark.parametrize(
    ("model", "heads", "match"),
    [
        ("other", "heads", "a different sentence encoder"),
        ("heads", "heads", "cannot be loaded|no weights"),
        ("encoder", "encoder", "no heads"),
        ("nobody/has-this-encoder", "heads", "not on this machine"),
    ],
)
def test_what_does_not_belong_together_lets_nothing_through(
    made: Path, model: str, heads: str, match: str
) -> None:
    where = made / model if (made / model).is_dir() else model
    with pytest.raises(CheckUnavailable, match=match) as caught:
        screen(BENIGN, policy=_policy(where, made / heads))
    assert caught.value.exit_code == 4
    assert caught.value.hint


def _card(folder: Path, **more: Any) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | more))


def _altered(folder: Path) -> None:
    raw = bytearray((folder / "heads.npz").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "heads.npz").write_bytes(raw)


@pytest.mark.parametrize(
    "breakage",
    [
        _altered,
        lambda f: (f / "card.json").write_text("{"),
        lambda f: (f / "heads.npz").unlink(),
        lambda f: _card(f, vectoriser="0"),
        lambda f: _card(f, labels=[]),
        lambda f: _card(f, labels=["unsafe"]),
        lambda f: _card(f, encoder_sha256="0" * 64),
    ],
    ids=["altered", "cut-card", "no-heads", "version", "no-labels", "few-labels", "other-encoder"],
)
def test_broken_heads_let_nothing_through(made: Path, tmp_path: Path, breakage: Any) -> None:
    folder = tmp_path / "heads"
    shutil.copytree(made / "heads", folder)
    breakage(folder)
    with pytest.raises(CheckUnavailable):
        screen(BENIGN, policy=_policy(made / "encoder", folder))


def test_an_encoder_that_fails_lets_nothing_through(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = _policy(made / "encoder", made / "heads")
    monkeypatch.setattr(
        SentenceEncoder, "vectors", lambda self, texts: np.full((len(texts), 32), np.nan, np.float32)
    )
    with pytest.raises(CheckUnavailable, match="no number"):
        screen(BENIGN, policy=policy)

    def broken(self: SentenceEncoder, texts: list[str]) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(SentenceEncoder, "vectors", broken)
    with pytest.raises(CheckUnavailable, match="RuntimeError"):
        screen(BENIGN, policy=policy)


def test_opinions_are_pooled_per_category() -> None:
    rule = Finding("weapons", 0.9, "rules", "r")
    mine = [
        rule,
        Finding("unsafe", 0.9, "classifier", "r", (0, 3), "abc"),
        Finding("hate", 0.5, "classifier", "r"),
    ]
    theirs = [Finding("unsafe", 0.1, "encoder", "r"), Finding("sexual", 0.99, "encoder", "r")]
    got = {f.category: f for f in pool_opinions(mine, theirs, {"classifier"})}
    assert got["weapons"] is rule
    assert got["unsafe"].score == pytest.approx(0.5)
    assert got["unsafe"].span == (0, 3)
    assert got["hate"].score == pytest.approx(0.0913, abs=1e-3)
    assert got["sexual"].score == pytest.approx(0.5, abs=1e-2)
    assert pool_opinions([rule], theirs, {"classifier"}) == [rule, *theirs]
    broken = pool_opinions([Finding("unsafe", float("nan"), "classifier", "r")], theirs, {"classifier"})
    with pytest.raises(CheckUnavailable):
        decide(BENIGN, policy=policies.load("default"), findings=broken, checks=[CheckRun("classifier", "1")])


def test_a_policy_file_names_the_encoder(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nextends: default\nencoder:\n  model: some/encoder\n  heads: /tmp/heads\n")
    assert policies.load(str(file)).encoder == Encoder(model="some/encoder", heads="/tmp/heads")
    file.write_text("name: mine\nextends: default\nencoder:\n  modell: x\n")
    with pytest.raises(UsageError, match="line 4"):
        policies.load(str(file))


def test_the_encoder_as_shipped_decides_as_it_was_taught(made: Path) -> None:
    """Adapters merged by the run time give the decision values of the network that learned."""
    import torch

    from training.guard import tune

    net = tune.Tuned(made / "encoder")
    net.load_state_dict(torch.load(made / "state.pt", weights_only=True)["net"], strict=False)
    texts = ["a red ball in the cloud", "a big corpse in the bomb"]
    learned = tune.logits(net, tune.token_ids(made / "encoder", texts), fast=False)
    heads = tier.read_heads(made / "heads")
    sentences = SentenceEncoder(made / "encoder")
    plain = heads.logits(sentences.vectors(texts))
    sentences.adapt(heads.adapters)
    merged = heads.logits(sentences.vectors(texts))
    assert np.abs(merged - learned).max() < 0.05 < np.abs(plain - learned).max()


def test_adapters_for_other_layers_let_nothing_through(made: Path, tmp_path: Path) -> None:
    heads = tier.read_heads(made / "heads")
    (down, up) = next(iter(heads.adapters.values()))
    name = next(iter(heads.adapters))
    for wrong in ({"encoder.layer.9.output.dense": (down, up)}, {name: (down[:, 1:], up)}):
        with pytest.raises(CheckUnavailable, match="do not match"):
            SentenceEncoder(made / "encoder").adapt(wrong)


def test_an_interrupted_training_goes_on_where_it_stood(made: Path, tmp_path: Path) -> None:
    said: list[str] = []
    rows = _rows()
    before = recipe.taught(made / "encoder", rows, state=made / "state.pt", epochs=60, say=said.append)
    kept = tier.read_heads(made / "heads")
    assert len(said) == 1  # nothing left to do: no step was taken
    assert np.abs(before["out"] - kept.out).max() < 1e-2


def test_heads_of_the_first_version_are_still_read(made: Path, tmp_path: Path) -> None:
    heads = tier.read_heads(made / "heads")
    arrays = {k: getattr(heads, k) for k in ("hidden", "hidden_bias", "out", "out_bias", "slope", "shift")}
    recipe.export(tmp_path / "old", arrays, heads.encoder, encoder="test", rows=1)
    _card(tmp_path / "old", kind="safegen-encoder-heads/1")
    assert tier.read_heads(tmp_path / "old").adapters == {}
    checked = tier.load(str(made / "encoder"), heads=str(tmp_path / "old"))
    assert checked.run("a red ball")[1].name == "encoder"
