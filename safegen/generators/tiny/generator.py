"""The embedded model: a WanPipeline of a few megabytes that knows a small rendered world.

Its weights come with safegen and are compared with their shipped digests at every load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.model_loading import MODEL_LOADING
from safegen._util.resources import data_path
from safegen.errors import UsageError
from safegen.generators.diffusers import loading, options
from safegen.generators.diffusers.arguments import (
    call_arguments,
    check_request_supported,
    recorded_settings,
)
from safegen.generators.diffusers.call import generate_frames
from safegen.generators.diffusers.families import family_of
from safegen.generators.diffusers.generator import DiffusersGenerator
from safegen.generators.diffusers.libraries import single_threaded
from safegen.generators.diffusers.model_config import PipelineConfig
from safegen.generators.hub import digests
from safegen.generators.modes import MODES
from safegen.generators.presets import Preset
from safegen.generators.tiny import modes
from safegen.generators.tiny.latents import NATIVE_FPS
from safegen.generators.upscale import check_output, upscale_clip
from safegen.types import Generated, ModelRef, Outlook

if TYPE_CHECKING:
    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request

_FIXED_LENGTH_MODES: dict[str, str] = {
    "edit": "keeps the length of a clip",
    "loop": "chooses the length of a loop itself",
    "blend": "chooses the length of a blend itself",
}
_HINT = (
    "Its small world: `safegen models show tiny`; a real model: `--model wan2.1-1.3b` (`safegen models list`)"
)
FOLDER = data_path("models", "tiny")
VERSION = "3"
SIDE, SECONDS, FPS = 512, 3.0, 24
SLOW = 2
"""From how many times its usual duration on it is said that everything is slower."""

PRESET = Preset(
    name="tiny",
    source=str(FOLDER),
    summary="embedded: simple things moving in simple places, made in seconds on any CPU",
    licence="Apache-2.0",
    width=64,
    height=64,
    frames=17,
    fps=FPS,
    steps=16,
    guidance=2.5,
    # Wan attends to the padding of the prompt, so the length it was trained at is part of the model.
    options={"max_sequence_length": 40},
)


class TinyGenerator(DiffusersGenerator):
    """The embedded model, its clips scaled up and slowed down for release."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Use the weights in ``folder`` (the shipped ones unless a test says otherwise)."""
        super().__init__(replace(PRESET, source=str(folder)))
        self.folder = folder

    @property
    def modes(self) -> frozenset[Mode]:
        """All of them."""
        return frozenset(MODES)

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        """Make a clip of 512 x 512 pixels, 24 fps and 3 seconds unless the request says otherwise.

        Every mode is the model's own: see ``modes``. Inputs are seen at 64 x 64 pixels.

        ``warnings`` name words the model does not know. Raises as DiffusersGenerator does, and
        GenerationFailed when the weights are not the shipped ones.
        """
        progress.stage("loading")
        loaded = self.loaded_pipeline()
        outlook = self.outlook(request)
        native = replace(request, width=None, height=None, seconds=None, fps=None)
        arguments = call_arguments(self.preset, native, loaded.pipe)
        fps = request.fps or FPS
        with single_threaded(progress.cancelled):
            if request.mode == "text":
                frames = generate_frames(loaded, arguments, seed=request.seed, progress=progress)
                seconds = request.seconds or SECONDS
            else:
                run = modes.prepare(loaded, arguments, request, conditions, progress)
                frames = modes.MODES[request.mode](run)
                own = _seconds(request) if request.mode == "image" else None
                seconds = own or (len(frames) - 1) / NATIVE_FPS
        width, height = outlook.width or SIDE, outlook.height or SIDE
        looping = request.mode == "loop"
        clip = upscale_clip(
            frames, width=width, height=height, seconds=seconds + looping / fps, fps=fps, drop_last=looping
        )
        settings = {"mode": request.mode, **recorded_settings(arguments, loaded)}
        return Generated(clip, self.model_ref(loaded), settings, outlook.notes)

    def loaded_pipeline(self) -> loading.LoadedPipeline:
        """The pipeline, loaded once, its files compared with the shipped digests first."""
        with MODEL_LOADING:
            if self._loaded is None:
                self._loaded = loading.load_pipeline(
                    self.preset, digest=digests.verify_shipped_weights(self.folder)
                )
            return self._loaded

    def model_ref(self, loaded: loading.LoadedPipeline) -> ModelRef:
        """What manifest and ledger say of the model: no local path."""
        return ModelRef("tiny", "safegen/models/tiny", VERSION, loaded.digest, PRESET.licence)

    def unknown_words(self, prompt: str) -> tuple[str, ...]:
        """Words of a prompt that the model never saw, in order, each once. Reads the tokenizer only."""
        known = _vocabulary(self.folder)
        return tuple(dict.fromkeys(w for w in re.findall(r"[a-z0-9]+", prompt.lower()) if w not in known))

    def truncated_words(self, prompt: str) -> list[str]:
        """What of a prompt lies beyond the tokens that the model reads, as its tokenizer words it (some
        phrases are one word there). Reads the tokenizer only."""
        own = _tokenizer(self.folder)
        text = prompt.lower()
        for step in own["normalizer"]["normalizers"]:
            if step["type"] == "Replace":
                text = re.sub(step["pattern"]["Regex"], step["content"], text)
        added = sum("SpecialToken" in piece for piece in own["post_processor"]["single"])
        return text.split()[PRESET.options["max_sequence_length"] - added :]

    def outlook(self, request: Request) -> Outlook:
        """What is released, and what a user should know before it is made: unknown words, cut-off edges.

        Raises UsageError for a size, a duration or an option that it does not have.
        """
        typed, rest = options.split_options(request.options)
        if typed != options.PipelineOptions():
            raise UsageError(
                "the embedded model has only one way of loading",
                hint=f"omit --option {next(n for n in request.options if n not in rest)}",
            )
        if rest:
            config = PipelineConfig("WanPipeline")
            check_request_supported(family_of(config), config, request, rest)
        if request.seconds is not None and request.mode in _FIXED_LENGTH_MODES:
            raise UsageError(f"the embedded model {_FIXED_LENGTH_MODES[request.mode]}", hint="omit --seconds")
        unknown = self.unknown_words(request.prompt)
        notes = []
        if unknown:
            words = ", ".join(unknown)
            notes.append(f"the embedded model does not know: {words}; it will make something up. {_HINT}")
        for prompt in [shot.prompt for shot in request.shots] or [request.prompt]:
            if unread := self.truncated_words(prompt):
                notes.append(
                    "the prompt is too long for the embedded model, which ignores the last "
                    f"{len(unread)} words, from {unread[0]!r} on"
                )
        width, height = request.width or request.height or SIDE, request.height or request.width or SIDE
        if width != height:
            notes.append("the embedded model makes square pictures; they are cropped to this size")
        seconds, fps = _seconds(request), request.fps or FPS
        check_output(width, height, SECONDS if seconds is None else seconds, fps)
        if request.mode in ("text", "image") and seconds and seconds > SLOW * SECONDS:
            notes.append(f"what the embedded model shows in {SECONDS:g} s is stretched to {seconds:g} s")
        return Outlook(width, height, seconds, fps, tuple(notes))

    def describe(self) -> dict[str, Any]:
        """Row of the catalogue. Raises GenerationFailed when the weights are missing or altered."""
        digest = digests.verify_shipped_weights(self.folder)
        row = {
            **PRESET.describe(),
            "source": "safegen/models/tiny",
            "size": f"{SIDE}x{SIDE}",
            "digest": digest,
        }
        return {**row, "native": "64x64, 17 frames", "words": sorted(_vocabulary(self.folder))}


def _seconds(request: Request) -> float | None:
    """How long the clip will be, unless that depends on an input. Raises UsageError for impossible shots."""
    if request.mode in ("text", "image"):
        return request.seconds or SECONDS
    if request.mode == "storyboard":
        return sum(modes.shot_durations(request))
    return None


@cache
def _tokenizer(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))
    return data


def _vocabulary(folder: Path) -> frozenset[str]:
    return frozenset(w for w in _tokenizer(folder)["model"]["vocab"] if not w.startswith("<"))
