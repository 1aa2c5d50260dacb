"""What the automatic judge says: of true renders, of the autoencoder's reconstructions, of generated clips.

The prompts are the fixed ones of `training.tiny.prompts`. True renders give the judge's own accuracy,
reconstructions the most that a model on this autoencoder can reach.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.tiny import decoder, models, prompts, scores, sheets, state
from training.tiny.latents import Sample, drawn
from training.tiny.prompts import Case
from training.world.render import render
from training.world.spec import FRAMES, SIDE

Frames = NDArray[np.uint8]
Maker = Callable[[Sequence[Case]], list[Frames]]

CLIPS = 96
"""Clips judged of each set unless said otherwise."""
GUIDANCE, STEPS = 2.5, 16
_AT_ONCE = 12
_SHEET = 24


def renders(cases: Sequence[Case]) -> list[Frames]:
    """The true pictures of every case."""
    return [render(c.scene, c.seed)[0] for c in cases]


def to_frames(x: torch.Tensor) -> Frames:
    """(3, t, h, w) in -1..1 to (t, h, w, 3) uint8."""
    out: Frames = ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).numpy()
    return out


def reconstructor(folder: Path) -> Maker:
    """Renders passed through the autoencoder of the training in `folder`."""
    vae = models.autoencoder()
    vae.load_state_dict(decoder.latest(folder))

    def make(cases: Sequence[Case]) -> list[Frames]:
        with torch.inference_mode():
            clips = [drawn(Sample(c.scene, c.seed))[0][None] for c in cases]
            return [to_frames(vae.decode(vae.encode(x).latent_dist.mean).sample[0]) for x in clips]

    return make


def generator(model: Path) -> Maker:
    """Clips generated from the prompts and seeds of the cases by the pipeline in `model`."""
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline

    pipe = WanPipeline.from_pretrained(model, dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)

    def make(cases: Sequence[Case]) -> list[Frames]:
        videos = pipe(
            [c.prompt for c in cases],
            height=SIDE,
            width=SIDE,
            num_frames=FRAMES,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            max_sequence_length=pipe.tokenizer.model_max_length,
            generator=[torch.Generator().manual_seed(c.seed) for c in cases],
            output_type="np",
        ).frames
        return [(video * 255).round().astype(np.uint8) for video in videos]

    return make


def judged(make: Maker, cases: Sequence[Case], page: Path | None) -> dict[str, Any]:
    """Make and judge every case; the first ones go on the contact sheet `page`."""
    verdicts: list[scores.Verdict] = []
    shown: list[tuple[str, Frames, scores.Verdict]] = []
    for start in range(0, len(cases), _AT_ONCE):
        some = cases[start : start + _AT_ONCE]
        for case, frames in zip(some, make(some), strict=True):
            verdicts.append(scores.verdict(case.scene, scores.read(frames)))
            if len(shown) < _SHEET:
                shown.append((case.prompt, frames, verdicts[-1]))
    if page is not None:
        sheets.sheet(page, shown)
    return scores.tally(verdicts)


SOURCES = ("renders", "reconstructions", "generated")


def report(
    folder: Path,
    model: Path | None,
    clips: int = CLIPS,
    stage: str = "full",
    sources: Sequence[str] = SOURCES,
) -> dict[str, Any]:
    """Judge true renders, reconstructions when `folder` has an autoencoder and, when `model` is given,
    generated clips, `clips` of every set of the `stage`; leaves `figures.json` and sheets in `folder`.

    Figures of `sources` that are not asked for stay as an earlier run left them.
    """
    makers: dict[str, Maker] = {"renders": renders} if "renders" in sources else {}
    if (folder / "vae.pt").exists() and "reconstructions" in sources:
        makers["reconstructions"] = reconstructor(folder)
    if model is not None and "generated" in sources:
        makers["generated"] = generator(model)
    folder.mkdir(parents=True, exist_ok=True)
    sets = {name: cases for name, cases in prompts.written().items() if name in prompts.sets_of(stage)}
    file = folder / "figures.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    out: dict[str, Any] = {s: before[s] for s in SOURCES if s in before and s not in sources}
    for source, make in makers.items():
        for name, cases in sets.items():
            page = folder / f"sheet_{source}_{name}.png"
            out.setdefault(source, {})[name] = judged(make, cases[:clips], page)
            state.log.info("%s / %s judged", source, name)
        file.write_text(json.dumps(out, indent=2) + "\n")
    state.log.info("\n%s", scores.table(out))
    return out
