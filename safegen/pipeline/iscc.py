"""The ISCC of an encoded clip, for its manifest and its ledger entry."""

from __future__ import annotations

from dataclasses import replace

from safegen.media import sandbox
from safegen.pipeline.stages import Encoded
from safegen.types import Json

_RATE = 25.0
"""Pictures a second that are looked at; five of them go into the code."""
_STILL_SUFFIXES = frozenset({".png", ".jpg"})


def add_iscc(encoded: Encoded) -> Encoded:
    """*encoded* with its Video-Code; as it was for a single picture, or without ``iscc-core``.

    Raises UnreadableInput when the clip cannot be decoded.
    """
    from safegen.detectors.provenance import iscc

    if not iscc.available() or encoded.path.suffix in _STILL_SUFFIXES:
        return encoded
    sampled = sandbox.stream_frames(encoded.path, rate=_RATE, short_side=iscc.SHORT_SIDE)
    pictures = ((item[0], item[1]) for item in sampled if not isinstance(item, str))
    return replace(encoded, iscc=iscc.video_code(pictures))


def iscc_binding_value(encoded: Encoded) -> str:
    """``value`` of the manifest's soft binding to the ISCC; empty where there is none."""
    from safegen.detectors.provenance.iscc import binding_value

    return binding_value(encoded.iscc) if encoded.iscc else ""


def iscc_public(encoded: Encoded) -> Json:
    """The ISCC in the public part of the release's entry."""
    return {"iscc": encoded.iscc} if encoded.iscc else {}
