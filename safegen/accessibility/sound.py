"""Where a clip has sound, and where it is quiet enough for speech.

Nothing here tells speech from other sound, so every sound that is not known to be something else counts as
speech: a description may come too late or be left out, but it never talks over somebody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from safegen.accessibility.cues import Cue, Interval, free_intervals, merge_intervals

if TYPE_CHECKING:
    from safegen.types import AudioTrack

WINDOW = 0.02
"""Seconds over which loudness is measured."""
QUIET = 10 ** (-50 / 20)
"""Root mean square (full scale 1) below which a window is silent: -50 dBFS."""
HANGOVER = 0.4
"""Silences shorter than this many seconds are pauses within speech."""
MARGIN = 0.15
"""Seconds kept free before and after what may be speech."""


def detect_sound(audio: AudioTrack | None) -> list[Interval]:
    """Stretches in which there is any sound, short pauses bridged."""
    import numpy as np

    if audio is None or not len(audio.samples):
        return []
    step = max(1, round(audio.rate * WINDOW))
    mono = audio.samples.astype(np.float64).mean(1) if audio.samples.shape[1] == 1 else None
    power = (audio.samples.astype(np.float64) ** 2).max(1) if mono is None else mono**2
    edges = np.arange(0, len(power), step)
    loud = np.add.reduceat(power, edges) / np.diff([*edges, len(power)]) > QUIET**2
    spans = [(float(i * step / audio.rate), float((i + 1) * step / audio.rate)) for i in np.flatnonzero(loud)]
    return merge_intervals(spans, HANGOVER)


def is_note(text: str) -> bool:
    """Whether a caption only describes a sound: ``[door slams]``, ``(music)``."""
    return re.fullmatch(r"\s*(?:\[[^\[\]]*\]|\([^()]*\)|♪[^♪]*♪?)\s*", text) is not None


def find_pauses(seconds: float, heard: Sequence[Interval], spoken: Sequence[Cue] | None) -> list[Interval]:
    """Where a description may be spoken in a clip of *seconds*.

    *spoken*: what is said and when, where somebody wrote it down; then only that counts as speech, else all
    that is *heard*.
    """
    busy = heard if spoken is None else [c.span for c in spoken if not is_note(c.text)]
    wide = merge_intervals((max(0.0, a - MARGIN), b + MARGIN) for a, b in busy)
    return free_intervals(wide, (0.0, seconds))
