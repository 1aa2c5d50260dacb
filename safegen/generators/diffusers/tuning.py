"""Makes a loaded pipeline smaller or faster: attention, caches, number formats, compiling, tiling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from safegen.errors import MissingExtra, UsageError
from safegen.generators.diffusers import libraries

if TYPE_CHECKING:
    from safegen.generators.diffusers.options import PipelineOptions

_DENOISERS = ("transformer", "transformer_2", "unet")
_QUANTISED = ("transformer", "transformer_2", "text_encoder")


def denoisers(pipe: Any) -> Iterator[Any]:
    """The networks that are called at every step."""
    for name in _DENOISERS:
        part = getattr(pipe, name, None)
        if part is not None:
            yield part


def quantization_config(options: PipelineOptions, dtype: Any) -> Any:
    """What ``from_pretrained`` is told about weights in fewer bits; None for nothing.

    Raises MissingExtra when the library for it is not installed.
    """
    if options.quantise in ("none", "fp8"):
        return None
    from diffusers.quantizers import PipelineQuantizationConfig

    if options.quantise == "int8":
        torchao = _library("torchao.quantization")
        from diffusers import TorchAoConfig

        config = TorchAoConfig(torchao.Int8WeightOnlyConfig())
        return PipelineQuantizationConfig(
            quant_mapping=dict.fromkeys(("transformer", "transformer_2"), config)
        )
    _library("bitsandbytes")
    four = options.quantise == "bnb-4bit"
    settings: dict[str, Any] = (
        {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": dtype}
        if four
        else {"load_in_8bit": True}
    )
    return PipelineQuantizationConfig(
        quant_backend="bitsandbytes_4bit" if four else "bitsandbytes_8bit",
        quant_kwargs=settings,
        components_to_quantize=list(_QUANTISED),
    )


def apply_options(pipe: Any, options: PipelineOptions) -> None:
    """Apply the options that change a loaded pipeline. Raises UsageError for anything it does not support."""
    torch = libraries.require_module("torch")
    if options.flow_shift is not None:
        pipe.scheduler = _with_flow_shift(pipe, options.flow_shift)
    for name in ("tiling", "slicing"):
        wanted = getattr(options, f"vae_{name}")
        if wanted:
            _enable_vae_feature(pipe, f"enable_{name}", f"vae_{name}")
    for part in denoisers(pipe):
        if options.attention:
            _attention(part, options.attention)
        if options.quantise == "fp8":
            part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=part.dtype)
        if options.compile:
            part.compile_repeated_blocks()


def enable_cache(pipe: Any, options: PipelineOptions, steps: int | None) -> None:
    """Switch on a cache of the denoiser's work between steps, afresh for a number of *steps*.

    Raises UsageError where the pipeline or the options do not allow it.
    """
    if options.cache == "none":
        return
    for part in denoisers(pipe):
        if not hasattr(part, "enable_cache"):
            raise UsageError(f"{type(part).__name__} supports no caches", hint="omit --option cache")
        if part.is_cache_enabled:
            part.disable_cache()
        config = _config(pipe, options, steps)
        try:
            part.enable_cache(config)
        except Exception as error:
            raise UsageError(
                f"{type(pipe).__name__} does not work with cache={options.cache}: {error}",
                hint="try another one: first-block, pab, taylorseer",
            ) from error


def _config(pipe: Any, options: PipelineOptions, steps: int | None) -> Any:
    """The library's description of a cache."""
    hooks = libraries.require_module("diffusers.hooks")
    threshold = {} if options.cache_threshold is None else {"threshold": options.cache_threshold}
    if options.cache == "first-block":
        return hooks.FirstBlockCacheConfig(**threshold)
    if options.cache == "taylorseer":
        # Its early and late limits are for fifty steps; with few steps it would never begin.
        first = min(3, max(1, (steps or 50) // 4))
        return hooks.TaylorSeerCacheConfig(disable_cache_before_step=first)
    if options.cache == "pab":
        return hooks.PyramidAttentionBroadcastConfig(
            spatial_attention_block_skip_range=2,
            cross_attention_block_skip_range=2,
            current_timestep_callback=lambda: _timestep(pipe),
        )
    if not options.mag_ratios:
        raise UsageError(
            "cache=magcache needs the model's own ratios",
            hint="give --option mag_ratios=[...], one number per step, measured with diffusers' "
            "MagCacheConfig",
        )
    return hooks.MagCacheConfig(
        **threshold, mag_ratios=list(options.mag_ratios), num_inference_steps=steps or len(options.mag_ratios)
    )


def _timestep(pipe: Any) -> int:
    """The step a pipeline is at; one it has not begun counts as the first."""
    now = getattr(pipe, "current_timestep", None)
    return 1000 if now is None else int(now)


def _with_flow_shift(pipe: Any, shift: float) -> Any:
    """The scheduler with its noise levels shifted towards the beginning."""
    scheduler = pipe.scheduler
    for name in ("flow_shift", "shift"):
        if name in scheduler.config:
            return type(scheduler).from_config(scheduler.config, **{name: shift})
    raise UsageError(f"{type(scheduler).__name__} has no flow_shift", hint="omit --option flow_shift")


def _attention(part: Any, name: str) -> None:
    """Choose the kernel of the attention."""
    dispatch = libraries.require_module("diffusers.models.attention_dispatch")
    names = sorted(b.value for b in dispatch.AttentionBackendName)
    if name not in names:
        raise UsageError(f"there is no attention backend {name!r}", hint=f"one of {', '.join(names)}")
    if not hasattr(part, "set_attention_backend"):
        raise UsageError(
            f"{type(part).__name__} supports only one attention backend", hint="omit --option attention"
        )
    try:
        part.set_attention_backend(name)
    except (ImportError, RuntimeError, ValueError) as error:
        raise UsageError(f"attention {name!r} does not work here: {error}", hint="try native") from error


def _enable_vae_feature(pipe: Any, method: str, option: str) -> None:
    vae = getattr(pipe, "vae", None)
    try:
        getattr(vae, method)()
    except (AttributeError, NotImplementedError) as error:
        raise UsageError(
            f"{type(vae).__name__} has no {option.removeprefix('vae_')}", hint=f"omit --option {option}"
        ) from error


def _library(module: str) -> Any:
    name = module.split(".")[0]
    try:
        return libraries.require_module(module)
    except MissingExtra as error:
        raise MissingExtra(f"this quantisation needs {name}", hint=f"pip install {name}") from error
