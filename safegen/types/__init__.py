"""The values that travel one way through safegen.

``Request -> Allowed | Held | Refused -> Clip -> Moderated -> Marked -> Encoded -> Signed -> Recorded
-> Release``
and, for a file found anywhere, ``Evidence -> Verdict -> Report``.

All are frozen. This module imports nothing heavy: numpy appears in annotations only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.types.asking import (
    Allowed,
    CheckRun,
    Decision,
    Finding,
    Held,
    Json,
    PolicyRef,
    Refused,
    Request,
    Span,
)
from safegen.types.finding_out import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    FrameSample,
    Geometry,
    LedgerEvidence,
    NotChecked,
    Report,
    SoftBinding,
    Verdict,
    WatermarkReading,
    WatermarkSegment,
)
from safegen.types.making import Attribute, AudioTrack, Clip, Generated, ModelRef, Release

if TYPE_CHECKING:
    from safegen.types.making import Frame as Frame

__all__ = [
    "Allowed",
    "Attribute",
    "AudioTrack",
    "CheckRun",
    "Clip",
    "ContentMatch",
    "CredentialState",
    "CredentialsEvidence",
    "Decision",
    "Finding",
    "FrameSample",
    "Generated",
    "Geometry",
    "Held",
    "Json",
    "LedgerEvidence",
    "ModelRef",
    "NotChecked",
    "PolicyRef",
    "Refused",
    "Release",
    "Report",
    "Request",
    "SoftBinding",
    "Span",
    "Verdict",
    "WatermarkReading",
    "WatermarkSegment",
]
