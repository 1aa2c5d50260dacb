"""The statements in a manifest: one pure function for each.

Labels and fields: C2PA 2.x section 18 (actions, soft binding, AI disclosure), CAWG training and data
mining 1.1; ``org.safegen.*`` are our own and documented in ``docs/credentials.md``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from safegen.credentials.redact import Redactor
from safegen.errors import UsageError
from safegen.types import Attribute, CheckRun, Decision, Json, ModelRef, SoftBinding

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PARTLY_GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
OVERSIGHT = ("fully_autonomous", "prompt_guided", "human_validated")
"""C2PA 2.4, AI disclosure: contentProfile.humanOversightLevel."""
MINING = ("cawg.data_mining", "cawg.ai_training", "cawg.ai_generative_training", "cawg.ai_inference")
MOST_MARKS = 16
"""Marks of a source that are recorded or read."""
USES = ("allowed", "notAllowed", "constrained")


def binding_value(content_id: int, bits: int = 64) -> str:
    """A watermark's payload as the ``value`` of a soft binding: base64 of its big-endian bytes."""
    return base64.b64encode(content_id.to_bytes((bits + 7) // 8, "big")).decode("ascii")


def parse_binding_value(value: str) -> int | None:
    """The payload in a soft binding's ``value``; ``None`` when it is not one that ``binding_value`` makes."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return None
    return int.from_bytes(raw, "big") if 0 < len(raw) <= 32 else None


def iso(when: datetime) -> str:
    """*when* (aware) in UTC to the second, with a ``Z``. Raises UsageError for a time without a zone."""
    if when.tzinfo is None:
        raise UsageError("the time has no time zone", hint="pass an aware datetime")
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def source_marks(bindings: Sequence[SoftBinding]) -> list[Json]:
    """Marks found in the pictures before they were marked, for ``org.safegen.protection``."""
    return [binding.to_dict() for binding in bindings]


def parse_source_marks(protection: Any) -> tuple[SoftBinding, ...]:
    """What ``source_marks`` put into an ``org.safegen.protection`` assertion; () for anything else."""
    listed = protection.get("sourceMarks") if isinstance(protection, Mapping) else None
    found = []
    for item in listed if isinstance(listed, list) else ():
        alg, value = (item.get("alg"), item.get("value")) if isinstance(item, Mapping) else (None, None)
        if isinstance(alg, str) and isinstance(value, str):
            found.append(SoftBinding(alg, value))
    return tuple(found[:MOST_MARKS])


def assertion(label: str, data: Json) -> Json:
    """An assertion as c2pa's manifest definition wants it."""
    return {"label": label, "data": data}


def soft_binding(alg: str, content_id: int) -> Json:
    """``c2pa.soft-binding``: which watermark scheme hides which payload, over the whole file."""
    return assertion(
        "c2pa.soft-binding", {"alg": alg, "blocks": [{"scope": {}, "value": binding_value(content_id)}]}
    )


def iscc_binding(value: str) -> Json:
    """``c2pa.soft-binding`` of an ISCC (ISO 24138): *value* is base64 of its units (IEP-0020)."""
    return assertion("c2pa.soft-binding", {"alg": "io.iscc.v0", "blocks": [{"scope": {}, "value": value}]})


def ai_disclosure(model: ModelRef, oversight: str, redact: Redactor) -> Json:
    """``c2pa.ai-disclosure`` (C2PA 2.4). Raises UsageError on an unknown level of oversight."""
    if oversight not in OVERSIGHT:
        raise UsageError(f"unknown oversight level {oversight!r}", hint=f"use one of {', '.join(OVERSIGHT)}")
    return assertion(
        "c2pa.ai-disclosure",
        {
            "modelType": f"c2pa.types.model.{model.kind}",
            "modelName": redact.text(model.name),
            "modelIdentifier": redact.text(model.identifier),
            "contentProfile": {"humanOversightLevel": oversight},
        },
    )


def training_mining(uses: Mapping[str, str]) -> Json:
    """``cawg.training-mining``; *uses* maps an entry of MINING to ``allowed`` or ``notAllowed``.

    Raises UsageError on other names or values.
    """
    for name, use in uses.items():
        if name not in MINING or use not in USES:
            raise UsageError(
                f"unknown training or mining rule {name}={use}",
                hint=f"names: {', '.join(MINING)}; values: {', '.join(USES)}",
            )
    return assertion("cawg.training-mining", {"entries": {n: {"use": u} for n, u in uses.items()}})


def policy(decision: Decision, commitment: str, frame_checks: Sequence[CheckRun], redact: Redactor) -> Json:
    """``org.safegen.policy``: what was decided, by which policy, by which checks that really ran.

    Findings are a summary: category, score, detector, threshold. Their reasons and texts may quote
    the prompt and stay in the workspace.
    """
    data: Json = {
        "outcome": decision.outcome,
        "policy": {"name": redact.text(decision.policy.name), "sha256": decision.policy.digest},
        "score": redact.value(float(decision.score)),
        "categories": redact.mapping(decision.categories),
        "language": redact.text(decision.language),
        "checks": [check(c, redact) for c in decision.checks],
        "frameChecks": [check(c, redact) for c in frame_checks],
        "findings": [
            _present(
                category=redact.text(f.category),
                detector=redact.text(f.detector),
                score=redact.value(float(f.score)),
                threshold=redact.value(f.threshold),
                time=redact.value(f.time),
            )
            for f in decision.findings
        ],
    }
    if commitment:
        data["promptCommitment"] = commitment
    return assertion("org.safegen.policy", data)


def check(run: CheckRun, redact: Redactor) -> Json:
    """One check that ran: name, version, SHA-256 of its model or list, score."""
    return _present(
        name=redact.text(run.name),
        version=redact.text(run.version),
        sha256=run.digest,
        score=redact.value(run.score),
    )


def model(ref: ModelRef, redact: Redactor) -> Json:
    """The model: name, identifier, version, SHA-256 over its weights, licence, kind."""
    return _present(
        name=redact.text(ref.name),
        identifier=redact.text(ref.identifier),
        version=redact.text(ref.version),
        sha256=ref.digest,
        licence=redact.text(ref.licence) or None,
        kind=ref.kind,
    )


def attributes(found: Iterable[Attribute], redact: Redactor) -> Json:
    """``org.safegen.attributes``: what extractors say is in the clip (input of the bias audit)."""
    return assertion(
        "org.safegen.attributes",
        {
            "attributes": [
                {
                    "name": redact.text(a.name),
                    "value": redact.text(a.value),
                    "confidence": redact.value(float(a.confidence)),
                    "probabilities": redact.mapping(a.probabilities),
                    "extractor": redact.text(a.extractor),
                }
                for a in found
            ]
        },
    )


def _present(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}
