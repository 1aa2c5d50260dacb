"""Which pipelines safegen calls, and how each is tested: the tables of docs/models.md.

``python -m tests.support.pipelines.matrix`` writes them; the tests of the families compare them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from safegen.generators.diffusers import introspection, model_config
from safegen.generators.diffusers.families import family_of
from safegen.generators.diffusers.model_config import PipelineConfig
from safegen.generators.modes import MODES

DOCS = Path(__file__).parents[3] / "docs" / "models.md"
WHOLE: dict[str, tuple[str, str]] = {
    "wan": ("WanPipeline", "2.1"),
    "wan22": ("WanPipeline", "2.2 TI2V: a time step for every token"),
    "wan_a14b": ("WanPipeline", "2.2 A14B: two transformers"),
    "wan_i2v": ("WanImageToVideoPipeline", "no picture encoder, as 2.2"),
    "wan_flf2v": ("WanImageToVideoPipeline", "2.1 FLF2V: wants both pictures"),
    "wan_vace": ("WanVACEPipeline", ""),
    "ltx": ("LTXPipeline", ""),
    "ltx_condition": ("LTXConditionPipeline", ""),
    "ltx2": ("LTX2Pipeline", "its sound is not kept"),
    "cogvideox": ("CogVideoXPipeline", ""),
    "cogvideox15": ("CogVideoXPipeline", "1.5"),
    "cogvideox_i2v": ("CogVideoXImageToVideoPipeline", "learned positions: one size"),
    "hunyuan": ("HunyuanVideoPipeline", ""),
    "hunyuan_i2v": ("HunyuanVideoImageToVideoPipeline", ""),
    "framepack": ("HunyuanVideoFramepackPipeline", ""),
    "hunyuan15": ("HunyuanVideo15Pipeline", ""),
    "hunyuan15_i2v": ("HunyuanVideo15ImageToVideoPipeline", "the picture decides the size"),
    "mochi": ("MochiPipeline", ""),
    "skyreels": ("SkyReelsV2Pipeline", ""),
    "skyreels_i2v": ("SkyReelsV2ImageToVideoPipeline", ""),
    "kandinsky": ("Kandinsky5T2VPipeline", ""),
    "kandinsky_i2v": ("Kandinsky5I2VPipeline", "17 frames or more"),
    "sana": ("SanaVideoPipeline", ""),
    "allegro": ("AllegroPipeline", ""),
    "easyanimate": ("EasyAnimatePipeline", ""),
    "latte": ("LattePipeline", "one size and length"),
    "animatediff": ("AnimateDiffPipeline", ""),
    "svd": ("StableVideoDiffusionPipeline", "takes no words"),
}
"""Tiny pipelines with random weights: the class each is of, and what is particular about it."""


def row(name: str, folder: Path) -> str:
    """The line of one tiny pipeline, from its own files."""
    config = model_config.read_pipeline_config(folder)
    family = family_of(config)
    native, can = family.native(config), family.modes(config)
    pipeline, particular = WHOLE[name]
    assert config.pipeline == pipeline
    rule = "fixed" if native.fixed else f"{native.step}k+1"
    return f"| `{pipeline}` | {particular} | {ways(can)} | {native.side} | {rule} |"


def ways(can: frozenset[str]) -> str:
    """Ways of working in words, in one order."""
    return ", ".join(mode.replace("_", " ") for mode in MODES if mode in can)


def video_classes() -> list[str]:
    """Every pipeline class of the installed diffusers that makes video."""
    names = [n for n in introspection.class_files() if n.endswith("Pipeline")]
    return sorted(n for n in names if "self.video_processor" in (introspection.class_source(n) or ""))


def called_only() -> Iterator[str]:
    """Lines of the classes whose call is compared with their source, without a pipeline of their own."""
    whole = {pipeline for pipeline, _ in WHOLE.values()}
    for name in video_classes():
        can = family_of(PipelineConfig(name)).modes(PipelineConfig(name))
        if name not in whole and can:
            yield f"| `{name}` | {ways(can)} |"


def refused() -> str:
    """The classes that safegen does not call."""
    out = [f"`{n}`" for n in video_classes() if not family_of(PipelineConfig(n)).modes(PipelineConfig(n))]
    return ", ".join(out)


def lines(rows: list[str]) -> str:
    """All of it, as it stands in the page."""
    return "\n".join(
        [
            "| pipeline | particular | ways of working | sides | frames |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Of these, the call is compared with the class's source, and no pipeline was run:",
            "",
            "| pipeline | ways of working |",
            "|---|---|",
            *called_only(),
            "",
            f"These want masks, controls or another stage's work, and are refused: {refused()}.",
        ]
    )


def between(text: str) -> tuple[str, str, str]:
    """The page before, in and after the tables. Raises ValueError where their marks are missing."""
    begin, end = "<!-- pipelines -->\n", "\n<!-- end of pipelines -->"
    start = text.index(begin) + len(begin)
    stop = text.index(end, start - 1)
    return text[:start], text[start:stop], text[stop:]


def main() -> None:
    """Write the tables."""
    from tests.support.pipelines import save

    with tempfile.TemporaryDirectory() as folder:
        rows = [row(name, save(name, Path(folder) / name)) for name in WHOLE]
    before, _, after = between(DOCS.read_text(encoding="utf-8"))
    DOCS.write_text(f"{before}{lines(rows)}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
