"""Marks that a file carries before it is protected: somebody else's, and recorded as such.

Anyone can plant a mark in any picture, so one that was there before says nothing about the release; without
a record of it, though, the release would look like a theft.
"""

from __future__ import annotations

from pathlib import Path

from safegen import plugins
from safegen.credentials.assertions import MOST_MARKS, binding_value
from safegen.media import sandbox
from safegen.types import SoftBinding
from safegen.verification.watermarks import DEFAULT_SCHEME, run_detector


def find_source_marks(path: Path, watermark: str = DEFAULT_SCHEME) -> tuple[SoftBinding, ...]:
    """The marks in the pictures at *path*, of the scheme that is always looked for and of *watermark*.

    Raises CheckUnavailable when a detector fails: what is not known cannot be recorded.
    """
    found: list[SoftBinding] = []
    for name in dict.fromkeys((DEFAULT_SCHEME, watermark)):
        scheme = plugins.load_watermark(name)
        sample = sandbox.sample_frames(path, frames=scheme.sample_frames, short_side=scheme.sample_short_side)
        for reading in run_detector(scheme, sample):
            if reading.present and reading.payload is not None:
                found.append(SoftBinding(scheme.alg, binding_value(reading.payload, scheme.payload_bits)))
    return tuple(dict.fromkeys(found))[:MOST_MARKS]
