"""How the embedded model is trained: what it grows from, which noise it sees, and room for what moves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from safegen.generators.tiny import generator
from training.tiny import flow, growth, models
from training.world import spec, stages
from training.world.render import render


@pytest.fixture(scope="module")
def small() -> torch.nn.Module:
    """The transformer of an earlier stage, its output not zero."""
    torch.manual_seed(3)
    model = models.transformer(models.SMALL)
    torch.nn.init.normal_(model.proj_out.weight, std=0.02)
    return model.eval()


def test_a_larger_transformer_begins_as_the_smaller_one(small: torch.nn.Module) -> None:
    large = models.transformer(models.DEEP).eval()
    growth.grow(large, small.state_dict(), growth.DIT_OUT)
    x, words = torch.randn(1, *models.LATENT), torch.randn(1, models.SMALL.text_length, models.SMALL.text_dim)
    with torch.no_grad():
        before, now = (m(x, torch.tensor([400.0]), words, return_dict=False)[0] for m in (small, large))
    assert before.abs().max() > 0.01
    assert torch.allclose(before, now, atol=1e-5)
    assert sum(p.numel() for p in large.parameters()) > 1.5 * sum(p.numel() for p in small.parameters())


def test_growing_into_something_narrower_is_an_error(small: torch.nn.Module) -> None:
    large = models.transformer(models.DEEP).state_dict()
    with pytest.raises(RuntimeError, match="does not fit"):
        growth.grow(small, large, growth.DIT_OUT)


def test_noise_levels_lie_between_the_ends_and_mostly_in_the_middle() -> None:
    many = torch.cat([flow.sigmas(32, torch.Generator().manual_seed(i)) for i in range(200)])
    assert many.shape == (6400,) and many.min() > 0 and many.max() < 1
    even = torch.linspace(0, 1, 6401)[1:-1]
    even = flow.SHIFT * even / (1 + (flow.SHIFT - 1) * even)

    def middle(levels: torch.Tensor) -> float:
        return float(((levels > 0.35) & (levels < 0.9)).float().mean())

    assert middle(many) > middle(even) + 0.1
    assert torch.equal(
        flow.sigmas(8, torch.Generator().manual_seed(1)), flow.sigmas(8, torch.Generator().manual_seed(1))
    )


def test_two_things_have_room_for_the_motions_they_are_asked_for() -> None:
    rng = np.random.default_rng(4)
    pairs = [stages.sample(stages.STAGES["full"], rng) for _ in range(600)]
    pairs = [s for s in pairs if len(s.things) == 2]
    assert len(pairs) > 50
    assert not [s for s in pairs if s.motion in spec.NO_ROOM.get(s.relation or "", ())]
    for scene in [s for s in pairs if s.motion in ("left", "right") and s.camera == "static"][:8]:
        _, mask = render(scene, 2)
        x = [np.nonzero(m)[1].mean() for m in mask]
        assert (x[-1] - x[0]) * (1 if scene.motion == "right" else -1) > 6


def test_the_shipped_weights_have_the_sizes_of_a_plan() -> None:
    loaded = generator.TinyGenerator().loaded_pipeline()
    sizes = {models.SMALL.layers: models.SMALL, models.DEEP.layers: models.DEEP}
    plan = sizes[len(loaded.pipe.transformer.blocks)]
    assert loaded.pipe.text_encoder.config.num_layers == plan.text_layers
    assert generator.PRESET.options["max_sequence_length"] == plan.text_length
