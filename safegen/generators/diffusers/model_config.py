"""What is known about a pipeline before it is loaded: its class and its parts' configurations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.generators.hub import lockfile
from safegen.generators.hub.cache import snapshot_folder
from safegen.generators.hub.listing import INDEX

if TYPE_CHECKING:
    from safegen.generators.presets import Preset

_BY_NAME: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (r"wan.*ti2v", "WanPipeline", {"expand_timesteps": True}),
    (r"wan.*i2v", "WanImageToVideoPipeline", {}),
    (r"wan.*flf2v", "WanImageToVideoPipeline", {}),
    (r"wan.*t2v-a14b", "WanPipeline", {"boundary_ratio": 0.875}),
    (r"wan.*vace", "WanVACEPipeline", {}),
    (r"wan", "WanPipeline", {}),
    (r"ltx-?2", "LTX2Pipeline", {}),
    (r"ltx.*0\.9\.[5-9]", "LTXConditionPipeline", {}),
    (r"ltx", "LTXPipeline", {}),
    (r"cogvideox.*i2v", "CogVideoXImageToVideoPipeline", {}),
    (r"cogvideox", "CogVideoXPipeline", {}),
    (r"hunyuanvideo-?1\.5.*i2v", "HunyuanVideo15ImageToVideoPipeline", {}),
    (r"hunyuanvideo-?1\.5", "HunyuanVideo15Pipeline", {}),
    (r"hunyuanvideo.*i2v", "HunyuanVideoImageToVideoPipeline", {}),
    (r"hunyuanvideo", "HunyuanVideoPipeline", {}),
    (r"mochi", "MochiPipeline", {}),
)
"""Hub names say what a pipeline is until its files are here; the files then have the last word."""
_PARTS: dict[str, dict[str, dict[str, Any]]] = {"flf2v": {"transformer": {"pos_embed_seq_len": 514}}}
"""What names say of the parts: FLF2V is first and last frame to video."""


@dataclass(frozen=True)
class PipelineConfig:
    """``pipeline``: its class name, "" if unknown. ``index``: the rest of ``model_index.json``.

    ``components``: the configuration of each part by its name; empty until the files are at hand.
    """

    pipeline: str
    index: Mapping[str, Any] = field(default_factory=dict)
    components: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def get(self, part: str, name: str, default: Any = None) -> Any:
        """One value of a part's configuration, *default* where it is not known."""
        value = self.components.get(part, {}).get(name)
        return default if value is None else value


def pipeline_config(preset: Preset) -> PipelineConfig:
    """What a preset's files say, or, before they are downloaded, what its name says. Nothing is fetched."""
    folder = local_folder(preset)
    if folder is None:
        named = guess_pipeline_config(preset.source)
        return replace(named, pipeline=preset.pipeline or named.pipeline)
    return read_pipeline_config(folder)


def read_pipeline_config(folder: Path) -> PipelineConfig:
    """The configuration of a pipeline folder. What cannot be read is left out: loading will say so."""
    index = _json(folder / INDEX)
    parts = [p for p, value in index.items() if isinstance(value, list)]
    components = {}
    for part in parts:
        for name in ("config.json", "scheduler_config.json"):
            if found := _json(folder / part / name):
                components[part] = found
    return PipelineConfig(str(index.get("_class_name", "")), index, components)


def guess_pipeline_config(source: str) -> PipelineConfig:
    """What a hub name suggests: the class of pipeline, and little about its parts."""
    name = source.rsplit("/", 1)[-1].lower()
    for pattern, pipeline, index in _BY_NAME:
        if re.search(pattern, name):
            parts = next((value for word, value in _PARTS.items() if word in name), {})
            return PipelineConfig(pipeline, index, parts)
    return PipelineConfig("")


def local_folder(preset: Preset) -> Path | None:
    """The folder of a preset's files, if they are on this machine: a local one or a pulled one."""
    local = Path(preset.source)
    if (local / INDEX).is_file():
        return local
    if local.is_dir():
        return None
    record = lockfile.read_record(preset.source)
    if record is None:
        return None
    folder = snapshot_folder(record.source, record.commit)
    return folder if (folder / INDEX).is_file() else None


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
