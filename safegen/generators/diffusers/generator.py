"""Any diffusers video pipeline as a generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.errors import GenerationFailed, UsageError
from safegen.generators.diffusers.call import accepted, call, checked_arguments, run, to_uint8
from safegen.generators.diffusers.families import Family, Native, family_of
from safegen.generators.diffusers.generator import loading, model_config, preflight, sizes
from safegen.generators.diffusers.generator import modes as _work
from safegen.generators.diffusers.generator import options as _options
from safegen.generators.diffusers.options import Options
from safegen.generators.diffusers.run import Desk, who_can
from safegen.generators.presets import Preset
from safegen.types import Clip, Generated, ModelRef, Outlook

if TYPE_CHECKING:
    from safegen.generators.diffusers.placement import Placement
    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request

__all__ = ["DiffusersGenerator", "call", "checked_arguments", "run", "to_uint8"]


class DiffusersGenerator:
    """Generator around one preset. The pipeline is loaded at the first call and kept."""

    def __init__(self, preset: Preset) -> None:
        """Keep the preset; nothing is loaded yet."""
        self.preset = preset
        self.name = preset.name
        self._loaded: loading.Loaded | None = None
        self._key: tuple[Options, tuple[Any, ...]] | None = None

    @property
    def modes(self) -> frozenset[Mode]:
        """What the pipeline can do, by its files, or by its name until they are here."""
        facts = model_config.facts_of(self.preset)
        return family_of(facts).modes(facts)

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        """Make the clip at the pipeline's native frame rate.

        The same request gives the same bytes on the same machine and library versions. Raises MissingExtra,
        GenerationFailed, Interrupted, UsageError for what the pipeline does not have or cannot make.
        """
        options, _ = _options.parse(request.options)
        facts, family, native = self._native(request)
        shape = (conditions[0].clip.width, conditions[0].clip.height) if conditions else None
        target = sizes.target(_own(request), native, shape=shape)
        placement = self._placement(options, target)
        short = placement.notes()
        progress.stage("loading")
        loaded = self._with(options, placement)
        desk = Desk(self, request, loaded, family, facts, options, target, progress)
        inputs = desk.inputs(conditions, native)
        job = _work.Job(
            request,
            target.width or 0,
            target.height or 0,
            target.frames,
            target.fps,
            native,
            family.abilities(facts),
            inputs,
            desk.make,
        )
        clip = Clip.from_array(_work.run(job), target.fps)
        settings = {**desk.settings, "mode": request.mode, "parts": desk.parts}
        notes = (*target.notes, *family.notes(facts), *short, *desk.notes)
        return Generated(clip, self.reference(loaded), settings, notes)

    def outlook(self, request: Request) -> Outlook:
        """Size, duration and rate as they will be, with a note on all rounding; nothing is loaded.

        ``needs``: device, number format, offload and a guess of the memory. Raises UsageError for what the
        pipeline cannot do or make.
        """
        options, _ = _options.parse(request.options)
        facts, family, native = self._native(request)
        target = sizes.target(_own(request), native)
        seconds: float | None = target.frames / target.fps
        width, height = target.width, target.height
        notes = [*target.notes, *family.notes(facts)]
        needs, short = self._needs(options, target)
        notes += short
        if request.mode not in ("text", "image", "storyboard") or not target.frames:
            seconds = None
        if request.mode == "storyboard":
            span = sizes.at_most(native.frames or target.frames, native)
            seconds = sum(_work.shot_frames(request, target.fps, span)) / target.fps
        if request.inputs and request.width is None and request.height is None and not native.fixed:
            width = height = None
            notes.append("the input's shape determines the size")
        return Outlook(width, height, seconds, target.fps, tuple(notes), needs)

    def loaded(self) -> loading.Loaded:
        """The pipeline, loaded once."""
        return self._with(Options(), self._placement(Options(), None))

    def reference(self, loaded: loading.Loaded) -> ModelRef:
        """What manifest and ledger say about the model: for a folder its name, not its location."""
        preset = self.preset
        name, source = preset.name, preset.source
        if Path(source).is_dir():
            source = Path(source).resolve().name
            name = source if name == preset.source else name
        return ModelRef(name, source, loaded.version, loaded.digest, preset.licence)

    def settings(self, arguments: dict[str, Any], loaded: loading.Loaded) -> dict[str, Any]:
        """Every setting that shaped the clip, except prompts, which do not belong in a public record."""
        hidden = ("prompt", "negative_prompt", "output_type")
        public = {k: v for k, v in arguments.items() if k not in hidden and _plain(v)}
        where = {"pipeline": type(loaded.pipe).__name__, "device": loaded.device}
        return {**public, **where, **loaded.details}

    def arguments(
        self, request: Request, loaded: loading.Loaded, extra: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Arguments of the pipeline's call: the request's, else the preset's, else the pipeline's own.

        *extra* comes before the preset: sizes that were settled, a family's defaults. Raises UsageError for
        what the pipeline does not take.
        """
        preset = self.preset
        _, rest = _options.parse(request.options)
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
        if "num_frames" not in accepted(loaded.pipe):
            values["video_length"] = values["frames"] = values["num_frames"]
        taken = {k: v for k, v in values.items() if v is not None}
        return checked_arguments(loaded.pipe, taken, rest)

    def _native(self, request: Request) -> tuple[model_config.Facts, Family, Native]:
        """What is known of the pipeline. Raises UsageError for a way of working it does not have."""
        _, rest = _options.parse(request.options)
        facts = model_config.facts_of(self.preset)
        family = family_of(facts)
        can = family.modes(facts)
        if request.mode not in can:
            raise UsageError(
                f"{self.name} cannot do {request.mode.replace('_', ' ')}: its pipeline is "
                f"{facts.pipeline or 'unknown'}",
                hint=f"it can do {', '.join(sorted(can)) or 'nothing safegen knows'}; "
                f"{who_can(request.mode)}",
            )
        preflight.check(family, facts, request, rest)
        native = sizes.native_of(self.preset, family.native(facts))
        return facts, family, native

    def _placement(self, options: Options, target: sizes.Target | None) -> Placement:
        from safegen.generators.diffusers import placement as _placement

        facts = model_config.facts_of(self.preset)
        size = (target.width, target.height, target.frames) if target else (None, None, None)
        return _placement.choose(self.preset, options, family_of(facts), facts, size=size)

    def _with(self, options: Options, placement: Placement) -> loading.Loaded:
        """The pipeline loaded with *options*: kept until others are asked for."""
        if self._loaded is None or self._key != (options, placement.key):
            self._loaded = None
            self._loaded = loading.load(self.preset, options=options, placement=placement)
            self._key = (options, placement.key)
        return self._loaded

    def _needs(self, options: Options, target: sizes.Target) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What it takes, for a dry run, and what to say of it."""
        here = model_config.at_hand(self.preset)
        missing = {} if here else {"download": f"not on this machine: run `safegen models pull {self.name}`"}
        try:
            placement = self._placement(options, target)
            return {**placement.describe(), **missing}, placement.notes()
        except GenerationFailed as error:
            return missing, (f"{error} ({error.hint})",)


def _own(request: Request) -> Request:
    """A request whose ``seconds`` are those of one call; of an extension or a storyboard they are not."""
    if request.mode in ("extend", "extend_back", "blend", "storyboard") or (
        request.mode == "loop" and request.inputs
    ):
        return replace(request, seconds=None)
    return request


def _plain(value: Any) -> bool:
    """Whether a value can stand in a record: numbers, texts, switches, and lists of them."""
    if isinstance(value, list | tuple):
        return all(_plain(v) for v in value)
    return value is None or isinstance(value, str | int | float | bool)
