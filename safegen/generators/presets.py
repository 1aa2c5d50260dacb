"""Known models: what each is, how it wants to be called, what it needs, and where each figure comes from.

The figures are data: ``presets.yaml``. Any of them can be overridden by the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from safegen._util.resources import data_path

_FILE = data_path("generators", "presets.yaml")


@dataclass(frozen=True)
class Published:
    """Memory (bytes) that somebody measured, under which conditions, and where they say so."""

    bytes: int
    conditions: str
    source: str


@dataclass(frozen=True)
class Preset:
    """How to call one pipeline.

    ``source`` is a folder or a hub id; ``revision`` a tag or commit. ``width``, ``height`` (pixels),
    ``frames`` and ``fps`` are native; ``None`` leaves the choice to the pipeline. ``frames`` counts must be
    ``1`` more than a multiple of ``frame_step``. ``options`` go to the pipeline's call as they are.

    ``advice``: what its makers recommend beyond these figures. ``terms`` must be accepted by name before a
    download. ``parameters`` counts each part's; ``hidden`` is the
    transformer's width in channels and ``token`` the (width, height, frames) that one of its tokens covers.
    ``sources`` says for each figure, by the field's name, where it was read.
    """

    name: str
    source: str
    summary: str
    licence: str = ""
    revision: str | None = None
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: int = 24
    frame_step: int = 4
    steps: int | None = None
    guidance: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    terms: str = ""
    licence_link: str = ""
    pipeline: str = ""
    dtype: str | None = None
    advice: str = ""
    parameters: Mapping[str, int] = field(default_factory=dict)
    hidden: int | None = None
    token: tuple[int, int, int] | None = None
    memory: tuple[Published, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Row of the catalogue."""
        size = f"{self.width}x{self.height}" if self.width else "the pipeline's own"
        return {
            "name": self.name,
            "summary": self.summary,
            "source": self.source,
            "licence": self.licence or "not stated",
            "size": size,
            "frames": self.frames,
            "fps": self.fps,
            "steps": self.steps,
            "guidance": self.guidance,
        }

    def details(self) -> dict[str, Any]:
        """Everything that is known: the row, and what only ``models show`` says."""
        return {
            **self.describe(),
            "frame_rule": f"a multiple of {self.frame_step}, plus 1" if self.frames else "the pipeline's own",
            "dtype": self.dtype or "not stated",
            "pipeline": self.pipeline or "not stated",
            "advice": self.advice,
            "terms": self.terms,
            "licence_link": self.licence_link,
            "parameters": dict(self.parameters),
            "published_memory": [
                {"gigabytes": m.bytes / 1e9, "conditions": m.conditions, "source": m.source}
                for m in self.memory
            ],
            "sources": dict(self.sources),
        }


def preset_for_source(source: str) -> Preset:
    """Preset of a pipeline by folder or hub id: the described one with that id, else its own defaults."""
    location, _, revision = source.partition("@")
    known = next((p for p in PRESETS.values() if p.source.lower() == location.lower()), None)
    if known is not None:
        from dataclasses import replace

        return replace(known, revision=revision or None)
    return Preset(location, location, "a diffusers video pipeline", revision=revision or None)


_FIGURES = (
    "pipeline",
    "licence",
    "width",
    "height",
    "frames",
    "fps",
    "frame_step",
    "steps",
    "guidance",
    "dtype",
)


def _preset(name: str, entry: Mapping[str, Any], texts: Mapping[str, str]) -> Preset:
    """One preset from its entry; every figure is ``[value, source]``."""
    sources = {f: _text(entry[f][1], texts) for f in (*_FIGURES, "hidden", "token") if f in entry}
    parts = entry.get("parameters", {})
    if "advice" in entry:
        sources["advice"] = _text(entry["advice"][1], texts)
    sources |= {f"parameters.{part}": _text(value[1], texts) for part, value in parts.items()}
    return Preset(
        name=name,
        source=entry["hub"],
        summary=entry["summary"],
        advice=entry["advice"][0] if "advice" in entry else "",
        terms=entry.get("terms", ""),
        licence_link=entry.get("licence_link", ""),
        parameters={part: int(float(value[0])) for part, value in parts.items()},
        hidden=entry["hidden"][0] if "hidden" in entry else None,
        token=tuple(entry["token"][0]) if "token" in entry else None,
        memory=tuple(
            Published(round(g * 1e9), how, _text(s, texts)) for g, how, s in entry.get("memory", ())
        ),
        sources=sources,
        **{f: entry[f][0] for f in _FIGURES if f in entry},
    )


def _text(key: str, texts: Mapping[str, str]) -> str:
    """The source a key stands for."""
    prefix = "computed from "
    if key.startswith(prefix):
        return f"counted by building it without weights from {texts[key.removeprefix(prefix)]}"
    return texts[key]


def _read() -> dict[str, Preset]:
    """Every preset of the file."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
    texts = data.pop("sources")
    return {name: _preset(name, entry, texts) for name, entry in data.items()}


PRESETS: dict[str, Preset] = _read()
