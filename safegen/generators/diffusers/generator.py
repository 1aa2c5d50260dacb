"""Any diffusers video pipeline as a generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.diffusers import loading, model_config, modes, preflight, sizes
from safegen.generators.diffusers import options as _options
from safegen.generators.diffusers.call import (
    build_call_arguments,
    call_parameters,
    generate_frames,
    run_pipeline,
    to_uint8,
)
from safegen.generators.diffusers.execution import PipelineRunner, presets_supporting
from safegen.generators.diffusers.families import Family, NativeFormat, family_of
from safegen.generators.diffusers.options import PipelineOptions
from safegen.generators.presets import Preset
from safegen.types import Clip, Generated, ModelRef, Outlook

if TYPE_CHECKING:
    from safegen.generators.diffusers.placement import Placement
    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request

__all__ = ["DiffusersGenerator", "build_call_arguments", "generate_frames", "run_pipeline", "to_uint8"]


class DiffusersGenerator:
    """Generator around one preset. The pipeline is loaded at the first call and kept."""

    def __init__(self, preset: Preset) -> None:
        """Keep the preset; nothing is loaded yet."""
        self.preset = preset
        self.name = preset.name
        self._loaded: loading.LoadedPipeline | None = None
        self._key: tuple[PipelineOptions, tuple[Any, ...]] | None = None

    @property
    def modes(self) -> frozenset[Mode]:
        """What the pipeline can do, by its files, or by its name until they are here."""
        facts = model_config.pipeline_config(self.preset)
        return family_of(facts).modes(facts)

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        """Make the clip at the pipeline's native frame rate.

        The same request gives the same bytes on the same machine and library versions. Raises MissingExtra,
        GenerationFailed, Interrupted, UsageError for what the pipeline does not have or cannot make.
        """
        options, _ = _options.split_options(request.options)
        facts, family, native = self._check_supported(request)
        shape = (conditions[0].clip.width, conditions[0].clip.height) if conditions else None
        target = sizes.resolve_output(_single_call_request(request), native, shape=shape)
        placement = self._placement(options, target)
        short = placement.notes()
        progress.stage("loading")
        loaded = self._load_with(options, placement)
        desk = PipelineRunner(self, request, loaded, family, facts, options, target, progress)
        inputs = desk.prepare_inputs(conditions, native)
        job = modes.PreparedRequest(
            request,
            target.width or 0,
            target.height or 0,
            target.frames,
            target.fps,
            native,
            family.abilities(facts),
            inputs,
            desk.run_call,
        )
        clip = Clip.from_array(modes.run_mode(job), target.fps)
        settings = {**desk.settings, "mode": request.mode, "parts": desk.parts}
        notes = (*target.notes, *family.notes(facts), *short, *desk.notes)
        return Generated(clip, self.model_ref(loaded), settings, notes)

    def outlook(self, request: Request) -> Outlook:
        """Size, duration and rate as they will be, with a note on all rounding; nothing is loaded.

        ``needs``: device, number format, offload and a guess of the memory. Raises UsageError for what the
        pipeline cannot do or make.
        """
        options, _ = _options.split_options(request.options)
        facts, family, native = self._check_supported(request)
        target = sizes.resolve_output(_single_call_request(request), native)
        seconds: float | None = target.frames / target.fps
        width, height = target.width, target.height
        notes = [*target.notes, *family.notes(facts)]
        needs, short = self._requirements(options, target)
        notes += short
        if request.mode not in ("text", "image", "storyboard") or not target.frames:
            seconds = None
        if request.mode == "storyboard":
            span = sizes.frame_count_at_most(native.frames or target.frames, native)
            seconds = sum(modes.shot_frames(request, target.fps, span)) / target.fps
        if request.inputs and request.width is None and request.height is None and not native.fixed:
            width = height = None
            notes.append("the input's shape determines the size")
        return Outlook(width, height, seconds, target.fps, tuple(notes), needs)

    def loaded_pipeline(self) -> loading.LoadedPipeline:
        """The pipeline, loaded once."""
        return self._load_with(PipelineOptions(), self._placement(PipelineOptions(), None))

    def model_ref(self, loaded: loading.LoadedPipeline) -> ModelRef:
        """What manifest and ledger say about the model: for a folder its name, not its location."""
        preset = self.preset
        name, source = preset.name, preset.source
        if Path(source).is_dir():
            source = Path(source).resolve().name
            name = source if name == preset.source else name
        return ModelRef(name, source, loaded.version, loaded.digest, preset.licence)

    def recorded_settings(self, arguments: dict[str, Any], loaded: loading.LoadedPipeline) -> dict[str, Any]:
        """Every setting that shaped the clip, except prompts, which do not belong in a public record."""
        hidden = ("prompt", "negative_prompt", "output_type")
        public = {k: v for k, v in arguments.items() if k not in hidden and _is_recordable(v)}
        where = {"pipeline": type(loaded.pipe).__name__, "device": loaded.device}
        return {**public, **where, **loaded.details}

    def call_arguments(
        self, request: Request, loaded: loading.LoadedPipeline, extra: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Arguments of the pipeline's call: the request's, else the preset's, else the pipeline's own.

        *extra* comes before the preset: sizes that were settled, a family's defaults. Raises UsageError for
        what the pipeline does not take.
        """
        preset = self.preset
        _, rest = _options.split_options(request.options)
        values: dict[str, Any] = {
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt or None,
            "width": request.width or preset.width,
            "height": request.height or preset.height,
            "num_frames": preset.frames,
            "num_inference_steps": request.steps or preset.steps,
            "guidance_scale": preset.guidance if request.guidance is None else request.guidance,
            **(extra or {}),
            **preset.options,
        }
        values["negative_prompt"] = request.negative_prompt or values["negative_prompt"]
        if "num_frames" not in call_parameters(loaded.pipe):
            values["video_length"] = values["frames"] = values["num_frames"]
        taken = {k: v for k, v in values.items() if v is not None}
        return build_call_arguments(loaded.pipe, taken, rest)

    def _check_supported(self, request: Request) -> tuple[model_config.PipelineConfig, Family, NativeFormat]:
        """What is known of the pipeline. Raises UsageError for a way of working it does not have."""
        _, rest = _options.split_options(request.options)
        facts = model_config.pipeline_config(self.preset)
        family = family_of(facts)
        can = family.modes(facts)
        if request.mode not in can:
            raise UsageError(
                f"{self.name} cannot do {request.mode.replace('_', ' ')}: its pipeline is "
                f"{facts.pipeline or 'unknown'}",
                hint=f"it can do {', '.join(sorted(can)) or 'nothing safegen knows'}; "
                f"{presets_supporting(request.mode)}",
            )
        preflight.check_request_supported(family, facts, request, rest)
        native = sizes.with_preset(self.preset, family.native(facts))
        return facts, family, native

    def _placement(self, options: PipelineOptions, target: sizes.OutputSpec | None) -> Placement:
        from safegen.generators.diffusers import placement as _placement

        facts = model_config.pipeline_config(self.preset)
        size = (target.width, target.height, target.frames) if target else (None, None, None)
        return _placement.choose_placement(self.preset, options, family_of(facts), facts, size=size)

    def _load_with(self, options: PipelineOptions, placement: Placement) -> loading.LoadedPipeline:
        """The pipeline loaded with *options*: kept until others are asked for."""
        if self._loaded is None or self._key != (options, placement.key):
            self._loaded = None
            self._loaded = loading.load_pipeline(self.preset, options=options, placement=placement)
            self._key = (options, placement.key)
        return self._loaded

    def _requirements(
        self, options: PipelineOptions, target: sizes.OutputSpec
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What it takes, for a dry run, and what to say of it."""
        here = model_config.local_folder(self.preset)
        missing = {} if here else {"download": f"not on this machine: run `safegen models pull {self.name}`"}
        try:
            placement = self._placement(options, target)
            return {**placement.describe(), **missing}, placement.notes()
        except GenerationFailed as error:
            return missing, (f"{error} ({error.hint})",)


def _single_call_request(request: Request) -> Request:
    """A request whose ``seconds`` are those of one call; of an extension or a storyboard they are not."""
    if request.mode in ("extend", "extend_back", "blend", "storyboard") or (
        request.mode == "loop" and request.inputs
    ):
        return replace(request, seconds=None)
    return request


def _is_recordable(value: Any) -> bool:
    """Whether a value can stand in a record: numbers, texts, switches, and lists of them."""
    if isinstance(value, list | tuple):
        return all(_is_recordable(v) for v in value)
    return value is None or isinstance(value, str | int | float | bool)
