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
    IngredientEvidence,
    LedgerEvidence,
    SoftBinding,
    StatedAction,
    StatedIdentity,
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
    Mode,
    PathLike,
    PolicyRef,
    Refused,
    Request,
    Role,
    Shot,
    Span,
)
from safegen.types.serial import Json, JsonResult
from safegen.types.verdict import NotChecked, Origin, OriginKind, Report, TextBeside, Verdict
from safegen.types.watermark import (
    DetectedMark,
    Detection,
    FrameSample,
    Geometry,
    WatermarkReading,
    WatermarkSegment,
)

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
    "JsonResult",
    "LedgerEvidence",
    "Mode",
    "ModelRef",
    "NotChecked",
    "Origin",
    "OriginKind",
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
    "StatedAction",
    "StatedIdentity",
    "TextBeside",
    "Verdict",
    "WatermarkReading",
    "WatermarkSegment",
]
