"""The audio description: the clip's own sound with the descriptions spoken into its pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safegen.accessibility.cues import Cue, Interval, rounded_cue
from safegen.accessibility.scheduling import Schedule, schedule_cues
from safegen.accessibility.speech import PACES, SpeechEngine, SpeechFailed
from safegen.types import AudioTrack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from safegen.accessibility.scenes import Scene

_DUCK = 10 ** (-9 / 20)
"""The clip's own sound while a description is spoken: 9 dB less."""
_RAMP = 0.05
"""Seconds in which it gets quieter and louder again."""
LOUDNESS = 10 ** (-20 / 20)
"""Root mean square of the spoken words, full scale 1."""


@dataclass(frozen=True)
class Narration:
    """The described sound track, when what is spoken in it, and scenes without room for it."""

    track: AudioTrack
    cues: tuple[Cue, ...]
    omitted: tuple[Scene, ...]


@dataclass
class CachedVoice:
    """An engine that remembers what it said, and takes the slowest pace at which a text fits."""

    engine: SpeechEngine
    _said: dict[tuple[str, float], AudioTrack] = field(default_factory=dict)

    def say(self, text: str, pace: float = 1.0) -> AudioTrack:
        """*text* spoken. Raises SpeechFailed."""
        key = (text, pace)
        if key not in self._said:
            self._said[key] = self.engine.say(text, pace)
        return self._said[key]

    def synthesize_within(self, text: str, seconds: float) -> AudioTrack | None:
        """*text* in at most *seconds*, None when it does not fit at any pace."""
        for pace in PACES:
            spoken = self.say(text, pace)
            if _seconds(spoken) <= seconds:
                return spoken
        return None


def narrate(
    scenes: Sequence[Scene],
    pauses: Sequence[Interval],
    own: AudioTrack | None,
    seconds: float,
    engine: SpeechEngine,
) -> Narration:
    """Speak *scenes* into *pauses* of a clip that lasts *seconds* and sounds like *own*.

    Raises SpeechFailed.
    """
    voice = CachedVoice(engine)
    placed = _schedule_spoken(scenes, pauses, voice)
    rate = own.rate if own is not None else voice.say("Described.").rate
    base = _base(own, rate, seconds)
    spoken = []
    for item in placed.cues:
        words = voice.synthesize_within(item.text, item.end - item.start)
        if words is None:
            raise SpeechFailed(f"{engine.name} is inconsistent: the same text took longer than before")
        sound = _at_rate(words, rate)
        _mix(base, sound, round(item.start * rate))
        spoken.append(rounded_cue(item.start, min(item.end, item.start + len(sound) / rate), item.text))
    return Narration(AudioTrack(base.clip(-1, 1), rate), tuple(spoken), placed.omitted)


def _schedule_spoken(scenes: Sequence[Scene], pauses: Sequence[Interval], voice: CachedVoice) -> Schedule:
    """As ``place``, but nothing that does not fit when it is really spoken."""

    def length(text: str) -> float:
        return _seconds(voice.say(text, PACES[-1]))

    placed = schedule_cues(scenes, pauses, length)
    long = {c.text for c in placed.cues if length(c.text) > c.end - c.start}
    if not long:
        return placed
    short = tuple(s for s in scenes if s.phrase.wordings[-1] in long)
    return Schedule(tuple(c for c in placed.cues if c.text not in long), (*placed.omitted, *short))


def _seconds(sound: AudioTrack) -> float:
    return len(sound.samples) / sound.rate


def _base(own: AudioTrack | None, rate: int, seconds: float) -> NDArray[np.float32]:
    """The clip's own sound, or silence, as long as the clip: (n, channels)."""
    import numpy as np

    base = np.zeros((round(seconds * rate), 1 if own is None else min(2, own.samples.shape[1])), np.float32)
    if own is not None:
        n = min(len(base), len(own.samples))
        base[:n] = own.samples[:n, : base.shape[1]]
    return base


def _at_rate(sound: AudioTrack, rate: int) -> NDArray[np.float32]:
    """One channel of *sound* at *rate*, at the loudness of speech: (n,)."""
    import numpy as np
    from scipy.signal import resample_poly

    mono = sound.samples[:, 0].astype(np.float32)
    if sound.rate != rate:
        mono = resample_poly(mono, rate, sound.rate).astype(np.float32)
    level = float(np.sqrt(np.mean(mono.astype(np.float64) ** 2)))
    return np.asarray((mono * (LOUDNESS / max(level, 1e-6))).clip(-1, 1), np.float32)


def _mix(base: NDArray[np.float32], sound: NDArray[np.float32], start: int) -> None:
    """Lay *sound* over *base* from sample *start* on, what is under it made quieter."""
    import numpy as np

    sound = sound[: max(0, len(base) - start)]
    ramp = max(1, min(len(sound) // 2, round(_RAMP * 22_050)))
    gain = np.full(len(sound), _DUCK, np.float32)
    gain[:ramp] = np.linspace(1, _DUCK, ramp, dtype=np.float32)
    gain[len(sound) - ramp :] = np.linspace(_DUCK, 1, ramp, dtype=np.float32)
    part = base[start : start + len(sound)]
    part *= gain[:, None]
    part += sound[:, None]
