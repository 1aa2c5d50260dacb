"""What the automatic judge says: of true renders, of the autoencoder's reconstructions, of generated
clips."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from safegen.detectors.frames._analysis import track
from safegen.detectors.frames.world import attributes
from training.tiny import decoder, models, state
from training.tiny.latents import Sample, clip_tensor
from training.world import stages
from training.world.captions import plain
from training.world.render import render
from training.world.spec import FRAMES, SIDE, Scene

Frames = NDArray[np.uint8]
ASPECTS = ("colour", "motion", "shape", "size", "background")
GUIDANCE, STEPS = 3.0, 16
_AT_ONCE = 12


def truth(scene: Scene) -> dict[str, str]:
    """What the judge should say of a scene."""
    thing = scene.things[0]
    return {
        "colour": thing.colour,
        "shape": thing.kind,
        "size": thing.size,
        "motion": scene.motion,
        "background": scene.background,
    }


def score(cases: Iterable[tuple[Scene, Frames]]) -> dict[str, float]:
    """Share of clips whose attributes the judge reads as asked; `both` is colour and motion together."""
    rows = []
    for scene, frames in cases:
        said = {a.name: a.value for a in attributes(track(frames.astype(np.float32)))}
        rows.append({k: said[k] == v for k, v in truth(scene).items()})
    out = {k: round(float(np.mean([r[k] for r in rows])), 3) for k in ASPECTS}
    out["both"] = round(float(np.mean([r["colour"] and r["motion"] for r in rows])), 3)
    out["clips"] = len(rows)
    return out


def cases(stage: str, clips: int, held: bool, seed: int = 23) -> list[Scene]:
    """The scenes that are judged: held-out combinations or seen ones, the same list every time."""
    rng = np.random.default_rng(seed)
    return [stages.sample(stages.STAGES[stage], rng, held) for _ in range(clips)]


def to_frames(x: torch.Tensor) -> Frames:
    """(3, t, h, w) in -1..1 to (t, h, w, 3) uint8."""
    out: Frames = ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).numpy()
    return out


@torch.inference_mode()
def ceiling(folder: Path, scenes: list[Scene]) -> list[tuple[Scene, Frames]]:
    """The scenes rendered and passed through the autoencoder of the training in `folder`."""
    vae = models.autoencoder()
    vae.load_state_dict(decoder.latest(folder))
    out = []
    for i, scene in enumerate(scenes):
        x = clip_tensor(Sample(scene, 50000 + i))[None]
        out.append((scene, to_frames(vae.decode(vae.encode(x).latent_dist.mean).sample[0])))
    return out


def generator(model: Path) -> Callable[[Sequence[str], Sequence[int]], list[Frames]]:
    """A function from prompts and their seeds to native clips, with the pipeline in `model`."""
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline

    pipe = WanPipeline.from_pretrained(model, dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)

    def make(prompts: Sequence[str], seeds: Sequence[int]) -> list[Frames]:
        videos = pipe(
            list(prompts),
            height=SIDE,
            width=SIDE,
            num_frames=FRAMES,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            max_sequence_length=models.TEXT_LENGTH,
            generator=[torch.Generator().manual_seed(s) for s in seeds],
            output_type="np",
        ).frames
        return [(video * 255).round().astype(np.uint8) for video in videos]

    return make


def sheet(path: Path, rows: list[Frames], every: int = 4, columns: int = 2) -> None:
    """Contact sheet: one clip a row, every fourth frame, twice the size."""
    strips = [np.concatenate(list(r[::every]), 1) for r in rows]
    per = -(-len(strips) // columns)
    strips += [np.zeros_like(strips[0])] * (per * columns - len(strips))
    page = np.concatenate([np.concatenate(strips[i * per : (i + 1) * per], 0) for i in range(columns)], 1)
    cv2.imwrite(str(path), cv2.resize(page[..., ::-1], None, fx=1.6, fy=1.6, interpolation=cv2.INTER_CUBIC))


def report(folder: Path, model: Path | None, clips: int, stage: str = "one") -> dict[str, Any]:
    """Judge true renders, reconstructions and, when `model` is given, generated clips; writes figures and
    sheets."""
    held, seen = cases(stage, clips, True), cases(stage, clips, False)
    out: dict[str, Any] = {"renders": score((s, render(s, 50000 + i)[0]) for i, s in enumerate(held))}
    if (folder / "vae.pt").exists():
        passed = ceiling(folder, held)
        out["reconstructions"] = score(passed)
        sheet(folder / "sheet_vae.png", [f for _, f in passed[:24]])
    if model is not None:
        make = generator(model)
        for name, scenes in (("held_out", held), ("seen", seen)):
            made: list[tuple[Scene, Frames]] = []
            for start in range(0, len(scenes), _AT_ONCE):
                some = scenes[start : start + _AT_ONCE]
                seeds = range(900 + start, 900 + start + len(some))
                made += zip(some, make([plain(s) for s in some], seeds), strict=True)
            out[name] = score(made)
            sheet(folder / f"sheet_{name}.png", [f for _, f in made[:24]])
    (folder / "figures.json").write_text(json.dumps(out, indent=2) + "\n")
    state.log.info("%s", json.dumps(out, indent=2))
    return out
