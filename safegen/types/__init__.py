"""The values that flow through safegen, in one direction.

``Request -> Allowed | Held | Refused -> Generated -> Release`` (``safegen.pipeline.stages`` has what lies
between the last two) and, for a file found anywhere, ``Evidence -> Verdict -> Report``.

All are frozen. This module imports nothing heavy: numpy appears in annotations only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.types.action import Action, PromptAction
from safegen.types.evidence import (
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    DetectedMark,
    Detection,
    FrameSample,
    Geometry,
    IngredientEvidence,
    LedgerEvidence,
    SoftBinding,
    WatermarkReading,
    WatermarkSegment,
)
from safegen.types.generation import (
    Attribute,
    AudioTrack,
    Clip,
    Condition,
    Generated,
    ModelRef,
    Outlook,
    Release,
)
from safegen.types.request import (
    DECISIONS,
    Allowed,
    CheckRun,
    Decision,
    Finding,
    Held,
    Input,
    Json,
    Mode,
    PathLike,
    PolicyRef,
    Refused,
    Request,
    Role,
    Shot,
    Span,
)
from safegen.types.verdict import NotChecked, Report, TextBeside, Verdict

if TYPE_CHECKING:
    from safegen.types.generation import Frame as Frame

__all__ = [
    "DECISIONS",
    "Action",
    "Allowed",
    "Attribute",
    "AudioTrack",
    "CheckRun",
    "Clip",
    "Condition",
    "ContentMatch",
    "CredentialState",
    "CredentialsEvidence",
    "Decision",
    "DetectedMark",
    "Detection",
    "Finding",
    "FrameSample",
    "Generated",
    "Geometry",
    "Held",
    "IngredientEvidence",
    "Input",
    "Json",
    "LedgerEvidence",
    "Mode",
    "ModelRef",
    "NotChecked",
    "Outlook",
    "PathLike",
    "PolicyRef",
    "PromptAction",
    "Refused",
    "Release",
    "Report",
    "Request",
    "Role",
    "Shot",
    "SoftBinding",
    "Span",
    "TextBeside",
    "Verdict",
    "WatermarkReading",
    "WatermarkSegment",
]
