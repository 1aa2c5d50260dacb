"""Tiny pipelines with random weights, one of each family, of the real classes, in the hub's format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.pipelines import cogvideox, generic, hunyuan, ltx, mochi, wan

BUILDERS: dict[str, Callable[[], Any]] = {
    f.__name__: f
    for f in (
        wan.wan,
        wan.wan22,
        wan.wan_a14b,
        wan.wan_i2v,
        ltx.ltx,
        ltx.ltx_condition,
        cogvideox.cogvideox,
        cogvideox.cogvideox_i2v,
        mochi.mochi,
        hunyuan.hunyuan,
        hunyuan.hunyuan15,
        generic.latte,
        wan.wan_flf2v,
        cogvideox.cogvideox15,
        hunyuan.framepack,
        hunyuan.hunyuan_i2v,
        hunyuan.hunyuan15_i2v,
        wan.skyreels,
        wan.skyreels_i2v,
        wan.wan_vace,
        generic.allegro,
        generic.sana,
        generic.kandinsky,
        generic.kandinsky_i2v,
        generic.animatediff,
        generic.svd,
        generic.easyanimate,
        ltx.ltx2,
    )
}


def save(name: str, folder: Path) -> Path:
    """Build the pipeline *name* (the same weights every time) and save it at *folder*."""
    import torch

    torch.manual_seed(7)
    pipe = BUILDERS[name]()
    pipe.save_pretrained(str(folder), safe_serialization=True)
    return folder
