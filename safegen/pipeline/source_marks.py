"""Marks that a file carries before it is protected: somebody else's, and recorded as such.

Anyone can plant a mark in any picture, so one that was there before says nothing about the release; without
a record of it, though, the release would look like a theft.
"""

from __future__ import annotations

from pathlib import Path

from safegen import plugins
from safegen.credentials.assertions import MOST_MARKS, binding_value
from safegen.errors import CheckUnavailable, SafegenError
from safegen.media import sandbox
from safegen.types import SoftBinding
from safegen.watermarks import PUBLIC_KEY

SCHEME = "tile"
"""The scheme that ``verify`` always looks for; others only where credentials name them."""


def find_source_marks(path: Path, watermark: str = SCHEME) -> tuple[SoftBinding, ...]:
    """The marks in the pictures at *path*, of the scheme that is always looked for and of *watermark*.

    Raises CheckUnavailable when a detector fails: what is not known cannot be recorded.
    """
    found: list[SoftBinding] = []
    for name in dict.fromkeys((SCHEME, watermark)):
        scheme = plugins.load_watermark(name)
        try:
            sample = sandbox.sample_frames(
                path, frames=scheme.sample_frames, short_side=scheme.sample_short_side
            )
            readings = scheme.detect(sample, key=PUBLIC_KEY)
        except SafegenError:
            raise
        except Exception as error:
            raise CheckUnavailable(f"the watermark detector {scheme.alg} failed: {error}") from error
        for reading in readings:
            if reading.present and reading.payload is not None:
                found.append(SoftBinding(scheme.alg, binding_value(reading.payload, scheme.payload_bits)))
    return tuple(dict.fromkeys(found))[:MOST_MARKS]
