"""Any diffusers video pipeline as a generator."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.diffusers import loading, model_config, modes, sizes
from safegen.generators.diffusers.arguments import check_request_supported
from safegen.generators.diffusers.execution import PipelineRunner
from safegen.generators.diffusers.families import Family, NativeFormat, family_of
from safegen.generators.diffusers.libraries import in_turn
from safegen.generators.diffusers.options import PipelineOptions, split_options
from safegen.generators.diffusers.placement import Placement, choose_placement
from safegen.generators.modes import MODES
from safegen.generators.presets import PRESETS, Preset
from safegen.types import Clip, Generated, ModelRef, Outlook

if TYPE_CHECKING:
    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request


class DiffusersGenerator:
    """Generator around one preset. The pipeline is loaded at the first call and kept.

    Threads may share one: a pipeline makes one clip at a time, and whoever comes second waits.
    """

    def __init__(self, preset: Preset) -> None:
        """Keep the preset; nothing is loaded yet."""
        self.preset = preset
        self.name = preset.name
        self._loaded: loading.LoadedPipeline | None = None
        self._key: tuple[PipelineOptions, tuple[Any, ...]] | None = None
        self._in_use = threading.Lock()

    @property
    def modes(self) -> frozenset[Mode]:
        """What the pipeline can do, by its files, or by its name until they are here."""
        config = model_config.pipeline_config(self.preset)
        return family_of(config).modes(config)

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        """Make the clip at the pipeline's native frame rate.

        The same request gives the same bytes on the same machine and library versions. Raises MissingExtra,
        GenerationFailed, Interrupted, UsageError for what the pipeline does not have or cannot make.
        """
        options, _ = split_options(request.options)
        config, family, native = self._check_supported(request)
        shape = (conditions[0].clip.width, conditions[0].clip.height) if conditions else None
        target = sizes.resolve_output(_single_call_request(request), native, shape=shape)
        placement = self._placement(options, target)
        short = placement.notes()
        progress.stage("loading")
        with in_turn(self._in_use, progress.cancelled):
            loaded = self._load_with(options, placement)
            runner = PipelineRunner(self.preset, request, loaded, family, config, options, target, progress)
            inputs = runner.prepare_inputs(conditions, native)
            prepared = modes.PreparedRequest(
                request,
                target.width or 0,
                target.height or 0,
                target.frames,
                target.fps,
                native,
                family.abilities(config),
                inputs,
                runner.run_call,
            )
            clip = Clip.from_array(modes.run_mode(prepared), target.fps)
        settings = {**runner.settings, "mode": request.mode, "parts": runner.parts}
        notes = (*target.notes, *family.notes(config), *short, *runner.notes)
        return Generated(clip, self.model_ref(loaded), settings, notes)

    def outlook(self, request: Request) -> Outlook:
        """Size, duration and rate as they will be, with a note on all rounding; nothing is loaded.

        ``needs``: device, number format, offload and a guess of the memory. Raises UsageError for what the
        pipeline cannot do or make.
        """
        options, _ = split_options(request.options)
        config, family, native = self._check_supported(request)
        target = sizes.resolve_output(_single_call_request(request), native)
        seconds: float | None = target.frames / target.fps
        width, height = target.width, target.height
        notes = [*target.notes, *family.notes(config)]
        needs, short = self._requirements(options, target)
        notes += short
        if MODES[request.mode].from_clip or not target.frames:
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

    def _check_supported(self, request: Request) -> tuple[model_config.PipelineConfig, Family, NativeFormat]:
        """What is known of the pipeline. Raises UsageError for a mode it does not have."""
        _, rest = split_options(request.options)
        config = model_config.pipeline_config(self.preset)
        family = family_of(config)
        can = family.modes(config)
        if request.mode not in can:
            raise UsageError(
                f"{self.name} cannot do {request.mode.replace('_', ' ')}: its pipeline is "
                f"{config.pipeline or 'unknown'}",
                hint=f"it can do {', '.join(sorted(can)) or 'nothing safegen knows'}; "
                + _who_can(request.mode),
            )
        check_request_supported(family, config, request, rest)
        native = sizes.with_preset(self.preset, family.native(config))
        return config, family, native

    def _placement(self, options: PipelineOptions, target: sizes.OutputSpec | None) -> Placement:
        config = model_config.pipeline_config(self.preset)
        size = (target.width, target.height, target.frames) if target else (None, None, None)
        return choose_placement(self.preset, options, family_of(config), config, size=size)

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
        folder = model_config.local_folder(self.preset)
        missing = (
            {} if folder else {"download": f"not on this machine: run `safegen models pull {self.name}`"}
        )
        try:
            placement = self._placement(options, target)
            return {**placement.describe(), **missing}, placement.notes()
        except GenerationFailed as error:
            return missing, (f"{error} ({error.hint})",)


def presets_supporting(mode: Mode) -> tuple[str, ...]:
    """Names of the presets whose pipeline can do *mode*."""
    return tuple(name for name, preset in PRESETS.items() if mode in DiffusersGenerator(preset).modes)


def _who_can(mode: Mode) -> str:
    """Models that can do *mode*, as a hint."""
    others = {"last": "LTX 0.9.5 or later can", "both": "LTX 0.9.5 or later can, and Wan FLF2V"}
    fallback = others.get(MODES[mode].ability, "an image-to-video model can")
    return f"{', '.join(('tiny', *presets_supporting(mode)))} can; {fallback}"


def _single_call_request(request: Request) -> Request:
    """A request whose ``seconds`` are those of one call; of an extension or a storyboard they are not."""
    if MODES[request.mode].single_call or (request.mode == "loop" and not request.inputs):
        return request
    return replace(request, seconds=None)
