"""Which speech engine is installed."""

from __future__ import annotations

from safegen.accessibility.espeak import find_espeak
from safegen.accessibility.speech import SpeechEngine


def find_engine() -> SpeechEngine | None:
    """The installed engine, or None."""
    return find_espeak()
