"""Puts the trained parts together as a `WanPipeline` folder anyone can load: fp16 safetensors, no local
paths."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

from training.tiny import decoder, dit, flow, models, state

_SHARD = "15MB"
DIGESTS = "digests.json"


def export(folder: Path, model: Path) -> None:
    """Write the averaged weights of the training in `folder` to the pipeline folder `model`."""
    dit_state = state.load(folder / "dit.pt")
    if dit_state is None:
        raise SystemExit(f"{folder} lacks dit.pt: run the vae, encode, text and dit steps first")
    vae = models.autoencoder(dit_state["mean"], dit_state["std"])
    vae.load_state_dict(decoder.latest(folder))
    trained = dit.Model(dit_state["stage"], dit_state["model"]["text"])
    trained.load_state_dict(dit_state["model"])
    trained.use_average()
    write(vae, trained, model)


def write(vae: torch.nn.Module, trained: dit.Model, model: Path) -> None:
    """Save a pipeline of these parts and scrub what saving leaks."""
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline
    from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        flow_shift=flow.SHIFT,
        num_train_timesteps=flow.TIMESTEPS,
    )
    parts = {"vae": vae.half(), "transformer": trained.dit.half(), "text_encoder": trained.text.half()}
    pipe = WanPipeline(tokenizer=trained.tokenizer, scheduler=scheduler, expand_timesteps=True, **parts)
    pipe.save_pretrained(model, safe_serialization=True, max_shard_size=_SHARD)
    for path in model.rglob("*.json"):
        _scrub(path)
    for path in model.rglob("*.safetensors"):
        path.chmod(0o644)
    digests(model)


def _scrub(path: Path) -> None:
    data = json.loads(path.read_text())
    for key in ("_name_or_path", "name_or_path", "transformers_version"):
        data.pop(key, None)
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def digests(model: Path) -> dict[str, str]:
    """Record the SHA-256 of every file the pipeline loads, in `digests.json` beside them; returns the
    table."""
    files = sorted(p for p in model.rglob("*") if p.suffix in (".json", ".safetensors") and p.name != DIGESTS)
    table = {p.relative_to(model).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    (model / DIGESTS).write_text(json.dumps(table, indent=2) + "\n")
    return table


__all__ = ["DIGESTS", "digests", "export", "write"]
