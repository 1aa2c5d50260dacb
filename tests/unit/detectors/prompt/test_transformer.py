"""The classifier's small transformer: the run time against the network that training makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from safegen.detectors.prompt import _transformer
from safegen.detectors.prompt.classifier import FOLDER, Classifier, load
from safegen.errors import CheckUnavailable

WORDS = ["[PAD]", "[UNK]", "a", "red", "ball", "bomb", "in", "the", "garden", "old", "man", "sits", "##s"]
TEXTS = [["a", "red", "ball"], ["the", "old", "man", "sits", "in", "the", "garden"], ["bomb"], []]


@pytest.fixture(scope="module")
def made() -> tuple[Any, dict[str, Any]]:
    """The lower part of a small encoder with random weights, and its arrays as they are shipped."""
    import torch
    from transformers import BertConfig, BertModel

    from training.guard import reader

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=64, num_hidden_layers=4, num_attention_heads=2,
        intermediate_size=1000, max_position_embeddings=300, initializer_range=0.2,
    )  # fmt: skip
    encoder = BertModel(config).eval()
    ids = torch.randint(2, len(WORDS), (4, 9))
    net = reader.Net(encoder, reader.busyness(encoder, ids, 0))
    with torch.no_grad():
        net.out.weight.normal_()
        for linear in [net.hidden, *(getattr(b, part) for b in net.blocks for part in _transformer.PARTS)]:
            scale = linear.weight.abs().amax(1, keepdim=True) / 127  # as they are shipped: 8 bits
            linear.weight.copy_((linear.weight / scale).round() * scale)
        net.places.copy_(net.places.half())
    return net.eval(), reader.arrays(net, WORDS)


def test_the_lower_layers_with_all_their_units_are_the_encoder() -> None:
    """Nothing but the narrower activation and the four bits tells the start of training from the encoder."""
    import torch
    from transformers import BertConfig, BertModel

    from training.guard import reader

    torch.manual_seed(4)
    config = BertConfig(
        vocab_size=50, hidden_size=64, num_hidden_layers=3, num_attention_heads=2, intermediate_size=96,
        max_position_embeddings=300,
    )  # fmt: skip
    encoder = BertModel(config).eval()
    ids = torch.randint(2, 50, (1, 7))
    net = reader.Net(encoder, reader.busyness(encoder, ids, 0)).eval()
    with torch.no_grad():
        places = torch.arange(1, 8)[None]
        wanted = encoder(input_ids=ids, position_ids=places).last_hidden_state[0].mean(0)
        x = net.start(net.pieces(ids) + net.places[:7])
        for block in net.blocks:
            x = block(x, torch.zeros(1, 1, 1, 7))
    assert torch.nn.functional.cosine_similarity(x[0].mean(0), wanted, dim=0) > 0.99


def test_the_run_time_computes_what_was_trained(made: tuple[Any, dict[str, Any]]) -> None:
    from training.guard import reader

    net, arrays = made
    ids = [[WORDS.index(w) for w in words] for words in TEXTS[:3]]
    got = _transformer.unpack(arrays, 13).logits(TEXTS[:3])
    assert np.abs(got - reader.logits(net, ids)).max() < 1e-3 < got.std(axis=0).min()


def test_together_as_alone_and_nothing_gives_numbers(made: tuple[Any, dict[str, Any]]) -> None:
    read = _transformer.unpack(made[1], 13)
    together = read.logits(TEXTS * 3)
    alone = np.concatenate([read.logits([words]) for words in TEXTS * 3])
    assert np.abs(together - alone).max() < 1e-4
    assert np.isfinite(read.logits([[]])).all() and read.logits([]).shape == (0, 13)


def test_order_and_distance_count(made: tuple[Any, dict[str, Any]]) -> None:
    one, two, three = _transformer.unpack(made[1], 13).logits(
        [["a", "red", "ball", "in", "the", "garden"], ["a", "garden", "in", "the", "red", "ball"],
         ["a", "red", "ball", "in", "the", "bomb"]]
    )  # fmt: skip
    assert np.abs(one - two).max() > 1e-3 and np.abs(one - three).max() > 1e-3


def test_four_bits_hold_what_they_were_given() -> None:
    from training.guard.reader import four_bits

    rows = np.random.default_rng(1).standard_normal((40, 64)).astype(np.float32)
    packed, scale = four_bits(rows)
    back = _transformer.nibbles(packed) * scale[:, None]
    assert packed.shape == (40, 32) and packed.dtype == np.uint8
    assert ((back - rows) ** 2).mean() < 0.03 * (rows**2).mean()


def test_a_long_text_is_read_to_its_limit(made: tuple[Any, dict[str, Any]]) -> None:
    read = _transformer.unpack(made[1], 13)
    assert np.array_equal(read.logits([["ball"] * 5000]), read.logits([["ball"] * _transformer.MAX_PIECES]))


@pytest.mark.parametrize("name", ["places", "0_ask", "1_narrow_bias", "out", "row_scale", "start_scale"])
def test_arrays_that_do_not_fit_are_refused(made: tuple[Any, dict[str, Any]], name: str) -> None:
    arrays = made[1]
    nan = np.full_like(arrays[name], np.nan, dtype=np.float32)
    for wrong in (arrays[name][1:], nan):
        with pytest.raises((ValueError, KeyError)):
            _transformer.unpack(arrays | {name: wrong}, 13)


def test_many_prompts_at_once_come_out_as_one_by_one() -> None:
    texts = ["a red ball", "how to build a pipe bomb at home", "k i l l the man", "😀", "word " * 300]
    check = Classifier()
    together, alone = check.run_many(texts), [check.run(t) for t in texts]
    for (a, run_a), (b, run_b) in zip(together, alone, strict=True):
        assert [f.category for f in a] == [f.category for f in b]
        assert [f.score for f in a] == pytest.approx([f.score for f in b], abs=1e-4)
        assert [f.span for f in a] == [f.span for f in b]
        assert run_a.digest == run_b.digest == load(FOLDER).digest
    assert check.run_many([]) == []


def test_a_model_that_gives_no_number_lets_nothing_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        _transformer.TransformerHalf,
        "logits",
        lambda self, texts: np.full((len(texts), 13), np.nan, np.float32),
    )
    with pytest.raises(CheckUnavailable, match="no number"):
        Classifier().run("a red ball")


def test_the_shipped_weights_are_small() -> None:
    assert (FOLDER / "weights.npz").stat().st_size <= 15_000_000
