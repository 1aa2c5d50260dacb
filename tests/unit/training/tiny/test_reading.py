"""How the embedded model's text encoder learns to read, what it has learned, and training in a team."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from safegen.generators.tiny import generator
from training.tiny import reading, state, team, text
from training.world import stages
from training.world.captions import plain
from training.world.spec import Scene, Thing

_RED_BALL, _BLUE_BOX = Thing("ball", "red", "small"), Thing("box", "blue", "large")


@pytest.mark.parametrize("relation", ["left_of", "right_of", "above", "below", "and"])
def test_the_left_or_upper_thing_comes_first(relation: str) -> None:
    meant = reading.meaning(Scene((_RED_BALL, _BLUE_BOX), "grow", "sea", relation=relation))
    swapped = relation in ("right_of", "below")
    assert meant["<first>"]["kind"] == ("box" if swapped else "ball")
    assert meant["<second>"]["colour"] == ("red" if swapped else "blue")
    stacked = relation in ("above", "below")
    assert {meant[slot]["standing"] for slot in ("<first>", "<second>", "<motion>")} == {
        "stacked 2" if stacked else "beside 2"
    }


def test_one_thing_leaves_the_second_slot_empty_and_three_alike_fill_both() -> None:
    assert reading.meaning(Scene((_RED_BALL,), "left", "sea"))["<second>"]["kind"] == reading.NONE
    three = reading.meaning(Scene((_RED_BALL,), "left", "sea", count=3))
    assert three["<first>"] == three["<second>"]
    assert three["<first>"]["standing"] == "stacked 3"


def test_learning_to_read_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count(step=0.2)  # every look at the clock takes as long: a few steps on any machine
    monkeypatch.setattr(state, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(reading, "BATCH", 8)
    reading.train(tmp_path, "two", 0.01)
    first = state.load(tmp_path / "text.pt")
    assert first is not None
    reading.train(tmp_path, "two", first["spent"] / 60 + 0.02)
    later = state.load(tmp_path / "text.pt")
    assert later is not None
    assert later["step"] > first["step"] > 0
    grown = reading.Reader("full")
    names = "encoder.block.0.layer.0.SelfAttention.q.weight"
    model = tmp_path / "model"
    reader = reading.Reader("two")
    reader.text.load_state_dict(later["text"])
    reader.text.save_pretrained(model / "text_encoder")
    reader.tokenizer.save_pretrained(str(model / "tokenizer"))
    grown.start_from(model)
    assert torch.equal(grown.text.state_dict()[names], later["text"][names])
    old, new = reader.tokenizer.get_vocab(), grown.tokenizer.get_vocab()
    assert old["ball"] != new["ball"] and "boat" not in old
    rows = grown.text.get_input_embeddings().weight, reader.text.get_input_embeddings().weight
    assert torch.equal(rows[0][new["ball"]], rows[1][old["ball"]])


def test_an_unread_encoder_reads_nothing_right() -> None:
    whole, pairs = reading.accuracy(reading.Reader("full"), "full", 100)
    assert whole < 0.05 and pairs < 0.05


@pytest.fixture(scope="module")
def said() -> Callable[[list[str]], torch.Tensor]:
    """Slots of prompts as the shipped text encoder reads them: (b, slots, text_dim)."""
    pipe = generator.TinyGenerator().loaded_pipeline().pipe
    length = generator.PRESET.options["max_sequence_length"]

    def read(captions: list[str]) -> torch.Tensor:
        with torch.inference_mode():
            return reading.embed(pipe.text_encoder.float(), pipe.tokenizer, captions, length)[:, :4]

    return read


def _alike(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.cosine_similarity(a, b, dim=0))


def test_the_shipped_encoder_binds_attributes_to_their_things(
    said: Callable[[list[str]], torch.Tensor],
) -> None:
    """The same two things said the other way round fill the same slots; with colours or places swapped they
    do not. Over held-out pairs of the world."""
    rng = np.random.default_rng(5)
    turn = {"left_of": "right_of", "right_of": "left_of", "above": "below", "below": "above"}
    right = []
    while len(right) < 40:
        scene = stages.sample(stages.STAGES["full"], rng, True)
        if len(scene.things) < 2 or scene.relation not in turn:
            continue
        a, b = scene.things
        same = replace(scene, things=(b, a), relation=turn[scene.relation])
        colours = Thing(b.kind, a.colour, b.size), Thing(a.kind, b.colour, a.size)
        x, y, z = said([plain(scene), plain(same), plain(replace(same, things=colours))])
        right.append(all(_alike(x[i], y[i]) > _alike(x[i], z[i]) + 0.02 for i in (0, 1)))
    assert np.mean(right) >= 0.95


def test_slots_cannot_be_written_into_a_prompt() -> None:
    tokenizer = text.tokenizer(stages.STAGES["full"])
    ids = tokenizer("<second> a red ball <motion>")["input_ids"]
    slots = tokenizer.convert_tokens_to_ids(list(text.SLOTS))
    assert ids[:4] == slots and not set(ids[4:]) & set(slots)


def _work(folder: Path, here: team.Team) -> None:
    model = torch.nn.Linear(3, 1, bias=False)
    torch.nn.init.ones_(model.weight)
    data = torch.arange(12.0).view(4, 3)
    model(data[here.part]).mean().backward()
    progress = here.average(model.parameters(), 0.25 if here.rank == 0 else 0.9)
    state.save(folder / f"{here.rank}.pt", {"grad": model.weight.grad, "progress": progress})


def test_a_team_has_the_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    team.together(partial(_work, tmp_path), 2)
    saved = [state.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for one in saved:
        assert one is not None
        assert torch.equal(one["grad"], torch.arange(12.0).view(4, 3).mean(0, keepdim=True))
        assert one["progress"] == 0.25
