"""A server's answers, read with suspicion: everything in them is untrusted text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safegen.errors import GenerationFailed

PENDING_STATES = frozenset({"queued", "in_progress"})
REFUSALS = frozenset(
    {
        "moderation_blocked",
        "content_policy_violation",
        "content_filter",
        "content_moderation",
        "input_moderation",
        "output_moderation",
        "sentinel_block",
        "ResponsibleAIPolicyViolation",
    }
)
"""Codes with which servers say that their own rules do not allow a clip."""
FAILED_STATES = frozenset({"failed", "cancelled", "cancelling", "deleted"})
_ID = re.compile(r"[\w.:~-]{1,200}", re.ASCII)
_LENGTH = 300


@dataclass(frozen=True)
class VideoJob:
    """A job on the server. ``progress`` in percent; ``clip`` is base64 where the answer holds the clip.

    ``refused``: it failed because the server's own rules do not allow the clip.
    """

    id: str
    status: str
    progress: int
    model: str = ""
    error: str = ""
    clip: str | None = None
    refused: bool = False


def sanitize(text: object, secret: str | None = None) -> str:
    """*text* from a server on one line, without control characters, not long, and without the key."""
    shown = str(text)[: _LENGTH * 20]
    if secret:
        shown = shown.replace(secret, "(key)")
    shown = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return shown if len(shown) <= _LENGTH else shown[: _LENGTH - 1] + "…"


def parse_json(body: bytes) -> Any:
    """The JSON in *body*. Raises GenerationFailed."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise GenerationFailed(
            f"the server's answer is not JSON but {_what(body)}",
            hint="check that the address ends in /v1",
        ) from error


def _what(body: bytes) -> str:
    start = body[:200].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "a web page"
    return "nothing" if not start else "something else"


def parse_job(body: bytes, secret: str | None = None) -> VideoJob:
    """The job in an answer. Raises GenerationFailed when there is none."""
    data = parse_json(body)
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), str) or not _ID.fullmatch(data["id"]):
        raise GenerationFailed(
            "the server's answer names no job", hint="check that the server supports /v1/videos"
        )
    status = data.get("status")
    if status not in {*PENDING_STATES, *FAILED_STATES, "completed"}:
        raise GenerationFailed(f"the server reports the unknown job status {sanitize(status, secret)!r}")
    progress = data.get("progress")
    known = isinstance(progress, int | float) and 0 <= progress <= 100
    return VideoJob(
        data["id"],
        str(status),
        int(progress) if known and progress is not None else 0,
        sanitize(data.get("model") or "", secret),
        error_message(data.get("error"), secret),
        _clip(data.get("data")),
        is_refusal(data.get("error")),
    )


def _clip(data: Any) -> str | None:
    """The first clip in an answer that holds one."""
    first = data[0] if isinstance(data, list) and data else None
    held = first.get("b64_json") if isinstance(first, Mapping) else None
    return held if isinstance(held, str) else None


def error_message(error: Any, secret: str | None = None) -> str:
    """What an error object says: OpenAI's ``{code, message}``, FastAPI's ``detail``, or plain text."""
    if not error:
        return ""
    if isinstance(error, Mapping):
        inner = error.get("error")
        if isinstance(inner, Mapping | str):
            return error_message(inner, secret)
        text = error.get("message") or error.get("detail") or error.get("code") or "no reason given"
        return sanitize(text, secret)
    return sanitize(error, secret)


def is_refusal(error: Any) -> bool:
    """Whether an error object has a code (of its own or of an error in it) with which servers refuse."""
    for _ in range(4):
        if not isinstance(error, Mapping):
            return False
        if any(isinstance(error.get(name), str) and error[name] in REFUSALS for name in ("code", "type")):
            return True
        error = error.get("error") or error.get("innererror") or error.get("inner_error")
    return False
