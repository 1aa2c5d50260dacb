"""Writes the model card: the template with the figures `judge` left and the sizes of what was exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.tiny import state
from training.tiny.judge import GUIDANCE
from training.tiny.scores import ASPECTS

_SOURCES = {
    "renders": "true renders (the judge itself)",
    "reconstructions": "renders through the autoencoder (ceiling)",
    "generated": "**generated**",
}
_SETS = {
    "single": "one thing, held out",
    "count": "two or three, held out",
    "pairs": "two different things, held out",
    "seen": "one thing, seen",
    "simple": "one of four simple things, held out",
    "simple_seen": "one of four simple things, seen",
}


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


def _cell(counts: dict[str, Any], aspect: str) -> str:
    return f"{counts[aspect]['share']:.2f}" if aspect in counts else "-"


def _figures(figures: dict[str, Any]) -> str:
    lines = []
    for source, label in _SOURCES.items():
        for name, subset in _SETS.items():
            counts = figures.get(source, {}).get(name)
            if counts:
                cells = " | ".join(_cell(counts, a) for a in ASPECTS)
                lines.append(f"| {label}: {subset} | {cells} |")
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
        "vocabulary": sum(not word.startswith("<") for word in tokenizer["model"]["vocab"]),
        "vae_parameters": _millions(parts["vae"]),
        "dit_parameters": _millions(parts["transformer"]),
        "text_parameters": _millions(parts["text_encoder"]),
        "clips": f"{len(json.loads((folder / 'scenes.json').read_text())):,}",
        "guidance": f"{GUIDANCE:g}",
        "judged": next(iter(figures["renders"].values()))["clips"],
        "figures": _figures(figures),
        **_training(folder, "vae"),
        "decoder": _decoder(folder),
        **_training(folder, "text"),
        **_training(folder, "dit"),
    }
    template = Path(__file__).with_name("card.md").read_text(encoding="utf-8")
    (model / "README.md").write_text(template.format(**values), encoding="utf-8")
