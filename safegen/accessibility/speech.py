"""Speech synthesis: what an engine must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from safegen.types import AudioTrack

PACES = (1.0, 1.15, 1.3)
"""How fast a description may be spoken, by the engine's usual pace: normally, then faster, to fit a pause."""


class SpeechFailed(Exception):
    """The engine produced no speech; the message says why. The text tracks do not depend on it."""


class SpeechEngine(Protocol):
    """Turns text into sound. MUST raise SpeechFailed when it cannot; MUST NOT return silence."""

    @property
    def name(self) -> str:
        """Engine and version, as the record states it: ``espeak-ng 1.51``."""

    def say(self, text: str, pace: float = 1.0) -> AudioTrack:
        """*text* spoken, one channel; *pace* 1.3 is 30 percent faster than usual."""
