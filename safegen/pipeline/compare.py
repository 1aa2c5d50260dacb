"""How much two clips differ, and what differs in how they were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from safegen.pipeline.ledger_records import to_canonical

if TYPE_CHECKING:
    from safegen.pipeline.stages import UnmarkedClip
    from safegen.types import Clip, Json

PEAK = 255.0


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was: ``name`` (dotted), then and now; "" where it was or is absent."""

    name: str
    then: str
    now: str


@dataclass(frozen=True)
class FrameSimilarity:
    """Peak signal-to-noise ratio in dB over all frames of two clips and of their worst frame (number from
    0). Infinite when every pixel is the same; ``None``, with the reason in ``note``, when they cannot be
    compared.
    """

    psnr: float | None = None
    worst_psnr: float | None = None
    worst_frame: int | None = None
    note: str = ""


def measure_similarity(first: Clip, second: Clip) -> FrameSimilarity:
    """Compare two clips frame by frame, streaming. Raises UnreadableInput when one cannot be decoded."""
    import numpy as np

    if (first.width, first.height) != (second.width, second.height):
        return FrameSimilarity(
            note=f"the sizes differ: {first.width}x{first.height} and {second.width}x{second.height}"
        )
    errors: list[float] = []
    uneven = False
    for one, other in zip_longest(first, second):
        if one is None or other is None:
            uneven = True
            break
        errors.append(float(np.mean(np.square(one.astype(np.float32) - other.astype(np.float32)))))
    if not errors:
        return FrameSimilarity(note="there are no frames to compare")
    worst = max(range(len(errors)), key=errors.__getitem__)
    note = f"one has more frames; only {len(errors)} were compared" if uneven else ""
    return FrameSimilarity(_psnr(sum(errors) / len(errors)), _psnr(errors[worst]), worst, note)


def _psnr(error: float) -> float:
    """PSNR in dB of a mean squared error of 8-bit values."""
    import math

    return math.inf if error == 0 else 10 * math.log10(PEAK**2 / error)


def find_differences(public: Json, private: Json, unmarked: UnmarkedClip) -> tuple[Difference, ...]:
    """What was recorded with a release and is otherwise now: model, settings, libraries and processor."""
    model = unmarked.model
    now_model = {"name": model.name, "version": model.version, "sha256": model.digest} if model else {}
    pairs = (
        ("model", public.get("model", {}), {k: v for k, v in now_model.items() if v}),
        ("settings", private.get("settings", {}), to_canonical(unmarked.settings)),
        (
            "build",
            *_common_keys(
                private.get("build", {}),
                to_canonical(unmarked.generation.environment) if unmarked.generation else {},
            ),
        ),
    )
    return tuple(difference for name, then, now in pairs for difference in _differing_leaves(name, then, now))


def _common_keys(then: Json, now: Json) -> tuple[Json, Json]:
    """The entries that both have: a library that was not at hand then says nothing about the pictures."""
    names = then.keys() & now.keys()
    return {n: then[n] for n in names}, {n: now[n] for n in names}


def _differing_leaves(name: str, then: Any, now: Any) -> Iterator[Difference]:
    """The leaves in which two JSON values differ."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now}):
            yield from _differing_leaves(f"{name}.{key}", then.get(key, ""), now.get(key, ""))
    elif then != now:
        yield Difference(name, str(then), str(now))
