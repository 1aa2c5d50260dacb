"""A clip divided into stretches of time, each with what is seen in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from safegen import plugins
from safegen._util.logs import logger
from safegen.accessibility import visual_features
from safegen.accessibility.cues import Interval
from safegen.accessibility.phrasing import Phrase, describe_attributes
from safegen.errors import CheckUnavailable, Interrupted
from safegen.protocols import NoProgress, Progress
from safegen.types import Attribute, Clip

_log = logger(__name__)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 6.0
"""Pictures a second that are looked at."""
SHORT_SIDE = 64
"""Their short side in pixels."""
MAX_FRAMES = 2400
"""Pictures that are kept at most: 400 s at full rate, longer clips at a lower one."""
LONG, PIECE = 8.0, 6.0
"""A stretch longer than this many seconds is looked at in pieces of about this many."""
SHORTEST = 1.0
"""Seconds below which a cut does not begin a stretch of its own."""
EXTRACTOR = "world"
"""Reads small pictures; what is asked about each stretch."""


@dataclass(frozen=True)
class SampledClip:
    """Small pictures of a whole clip: (n, height, width, 3) uint8 RGB, and the time of each in seconds."""

    pictures: NDArray[np.uint8]
    times: tuple[float, ...]
    seconds: float

    def frames_in(self, span: Interval) -> NDArray[np.uint8]:
        """The pictures of a stretch, at least one."""
        chosen = [i for i, t in enumerate(self.times) if span[0] <= t < span[1]]
        if not chosen:
            middle = sum(span) / 2
            chosen = [min(range(len(self.times)), key=lambda i: abs(self.times[i] - middle))]
        return self.pictures[chosen[0] : chosen[-1] + 1]


@dataclass(frozen=True)
class Scene:
    """What is seen from ``span[0]`` to ``span[1]`` seconds. ``shot``: its number in a storyboard, from 1."""

    span: Interval
    phrase: Phrase
    attributes: tuple[Attribute, ...]
    shot: int | None = None


def rate_for(seconds: float) -> float:
    """Pictures a second to look at in a clip that lasts *seconds*."""
    return min(SAMPLE_RATE, MAX_FRAMES / max(seconds, 1e-3))


def sample_clip(clip: Clip, progress: Progress = NoProgress()) -> SampledClip:
    """*clip* as small pictures, in one pass."""
    import cv2

    step = max(1, round(float(clip.fps) / rate_for(clip.seconds)))
    scale = SHORT_SIDE / max(1, min(clip.width, clip.height))
    size = (max(8, round(clip.width * scale)), max(8, round(clip.height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC

    def small() -> Iterable[tuple[NDArray[np.uint8], float]]:
        for i, frame in enumerate(clip):
            if i % step == 0 or i == clip.count - 1:
                yield cv2.resize(frame, size, interpolation=method), float(i / clip.fps)
                progress.advance()

    return collect_samples(small(), clip.seconds)


def collect_samples(pictures: Iterable[tuple[NDArray[np.uint8], float]], seconds: float) -> SampledClip:
    """Small pictures and their times as ``Seen``. Raises CheckUnavailable when there are none."""
    import numpy as np

    kept: list[NDArray[np.uint8]] = []
    times: list[float] = []
    for picture, time in pictures:
        if not kept or picture.shape == kept[0].shape:
            kept.append(picture)
            times.append(time)
    if not kept:
        raise CheckUnavailable("there are no frames to describe", hint="is it a video?")
    return SampledClip(np.stack(kept), tuple(times), max(seconds, times[-1] + 1e-3))


def segment_scenes(
    sampled: SampledClip, *, shots: Sequence[float] = (), clip_attributes: Sequence[Attribute] = ()
) -> list[Scene]:
    """What is seen when. *shots*: the times (s) at which a storyboard's shots begin, from 0 on, are kept;
    without them a new stretch begins where the picture cuts. *whole*: what was found in all of it.

    Stretches that read the same are one.
    """
    begins = [t for t in shots if t < sampled.seconds]
    spans = _pieces(begins or _cut_times(sampled), sampled.seconds)
    known = tuple(a for a in clip_attributes if a.extractor.partition("/")[0] == EXTRACTOR)
    out: list[Scene] = []
    for span in spans:
        own = known if len(spans) == 1 and known else _extract_attributes(sampled, span, bool(begins))
        said = describe_attributes(own, visual_features.measure_features(sampled.frames_in(span)))
        shot = sum(t <= span[0] + 1e-6 for t in begins) or None
        if out and out[-1].phrase == said and out[-1].shot == shot:
            out[-1] = Scene((out[-1].span[0], span[1]), said, out[-1].attributes, shot)
        else:
            out.append(Scene(span, said, own, shot))
    return out


def _cut_times(seen: SampledClip) -> list[float]:
    """Times at which stretches begin: 0, and cuts that are far enough apart."""
    begins = [0.0]
    for number in visual_features.detect_cuts(seen.pictures):
        time = seen.times[number]
        if time - begins[-1] >= SHORTEST and seen.seconds - time >= SHORTEST:
            begins.append(time)
    return begins


def _pieces(begins: Sequence[float], seconds: float) -> list[Interval]:
    """Stretches from each beginning to the next, long ones in pieces of equal length."""
    out = []
    for start, end in zip(begins, [*begins[1:], seconds], strict=True):
        parts = max(1, round((end - start) / PIECE)) if end - start > LONG else 1
        edges = [start + (end - start) * i / parts for i in range(parts + 1)]
        out += list(pairwise(edges))
    return out


_PASSAGE = 1.5
"""Seconds before a storyboard's next shot in which a generator may already be turning into it."""


def _extract_attributes(seen: SampledClip, span: Interval, from_storyboard: bool) -> tuple[Attribute, ...]:
    """What the extractor finds in a stretch; of a storyboard's shot without the passage to the next."""
    if from_storyboard and span[1] < seen.seconds and span[1] - span[0] > _PASSAGE:
        span = (span[0], span[1] - min(_PASSAGE, (span[1] - span[0]) / 2))
    pictures = seen.frames_in(span)
    rate = Fraction(len(pictures) / max(span[1] - span[0], 1e-3)).limit_denominator(1000)
    try:
        values, _ = plugins.load_attribute_extractor(EXTRACTOR).run(
            Clip.from_array(pictures, max(rate, Fraction(1, 1000)))
        )
    except Interrupted:
        raise
    except Exception as error:  # what is not recognised is said to be so: no reason to stop a release
        _log.warning("attribute extractor %(name)s failed: %(reason)s", {"name": EXTRACTOR, "reason": error})
        return ()
    return tuple(values)
