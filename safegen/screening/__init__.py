"""Screening: a request in, a decision out, before anything is generated.

``screen`` normalises the prompt, identifies its language, runs every check the policy requires, asks the
policy's guard where it wants one, and lets the policy decide. A refusal is a value, never an exception; a
check that cannot run is an exception, never a pass. ``screen_many`` and ``screen_async`` do so for streams.
"""

from __future__ import annotations

from safegen.screening._checks import rating_detectors
from safegen.screening.batch import screen_async, screen_many
from safegen.screening.run import screen, screen_requests

__all__ = ["rating_detectors", "screen", "screen_async", "screen_many", "screen_requests"]
