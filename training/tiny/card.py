"""Writes the model card: the template with the figures `judge` left and the sizes of what was exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.tiny import state
from training.tiny.judge import GUIDANCE

_ROWS = {
    "renders": "true renders (the judge itself)",
    "held_out": "**held-out combinations**",
    "seen": "seen combinations",
    "reconstructions": "renders through the autoencoder (ceiling)",
}
_COLUMNS = ("both", "colour", "motion", "shape", "size", "background")


def _count(model: Path, part: str) -> int:
    from safetensors import safe_open

    total = 0
    for path in (model / part).glob("*.safetensors"):
        with safe_open(path, "pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a mapping
                size = 1
                for side in weights.get_slice(name).get_shape():
                    size *= side
                total += size
    return total


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f} M" if count >= 1e5 else f"{count / 1e3:.0f} k"


def _training(folder: Path, name: str) -> dict[str, str]:
    saved = state.load(folder / f"{name}.pt") or {"step": 0, "spent": 0.0}
    return {f"{name}_steps": f"{saved['step']:,}", f"{name}_minutes": f"{saved['spent'] / 60:.0f}"}


def _decoder(folder: Path) -> str:
    if not (folder / "decoder.pt").exists():
        return ""
    more = _training(folder, "decoder")
    return f"; decoder alone {more['decoder_steps']} more, {more['decoder_minutes']} minutes"


def _figures(figures: dict[str, Any]) -> str:
    lines = []
    for key, label in _ROWS.items():
        if key in figures:
            lines.append(f"| {label} | " + " | ".join(f"{figures[key][c]:.2f}" for c in _COLUMNS) + " |")
    return "\n".join(lines)


def write(folder: Path, model: Path) -> None:
    """Write `README.md` into the pipeline folder `model` from the training and the figures in `folder`."""
    figures = json.loads((folder / "figures.json").read_text())
    parts = {name: _count(model, name) for name in ("vae", "transformer", "text_encoder")}
    tokenizer = json.loads((model / "tokenizer" / "tokenizer.json").read_text())
    weights = sum(p.stat().st_size for p in model.rglob("*.safetensors"))
    values = {
        "parameters": _millions(sum(parts.values())),
        "megabytes": f"{weights / 1e6:.1f}",
        "vocabulary": len(tokenizer["model"]["vocab"]) - 3,
        "vae_parameters": _millions(parts["vae"]),
        "dit_parameters": _millions(parts["transformer"]),
        "text_parameters": _millions(parts["text_encoder"]),
        "clips": f"{len(json.loads((folder / 'scenes.json').read_text())):,}",
        "guidance": f"{GUIDANCE:g}",
        "judged": figures["renders"]["clips"],
        "figures": _figures(figures),
        **_training(folder, "vae"),
        "decoder": _decoder(folder),
        **_training(folder, "dit"),
    }
    template = Path(__file__).with_name("card.md").read_text(encoding="utf-8")
    (model / "README.md").write_text(template.format(**values), encoding="utf-8")
