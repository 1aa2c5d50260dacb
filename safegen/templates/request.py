"""What a row asks for: its request, its clip's label, and the names by which rows are recognised."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen.templates.fill import fill_placeholders
from safegen.types import Request

if TYPE_CHECKING:
    from safegen.pipeline.stages import Annotations
    from safegen.policies.schema import Policy
    from safegen.templates.schema import Template, Variant


@dataclass(frozen=True)
class Options:
    """What is the same for all rows; ``None`` leaves it to the template, or to chance (``seed``)."""

    model: str | None = None
    policy: str = "default"
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    steps: int | None = None
    watermark: str = "tile"
    crf: int = 18
    publish_caption: bool = False


def build_request(
    variant: Variant, values: Mapping[str, str], options: Options, *, model: str, seed: int
) -> Request:
    """The whole prompt with the row's values in it: that is what is screened."""
    return Request(
        prompt=fill_placeholders(variant.prompt, values),
        negative_prompt=variant.negative_prompt,
        model=model,
        policy=options.policy,
        seed=seed,
        width=options.width or variant.width,
        height=options.height or variant.height,
        seconds=options.seconds or variant.seconds,
        steps=options.steps,
    )


def build_annotations(
    template: Template, values: Mapping[str, str], options: Options, row: str
) -> Annotations:
    """Names and the like stay private unless the user wants the caption published; *row* names the row."""
    from safegen.pipeline.stages import Annotations

    label_values = {n: v for n, v in values.items() if template.fields[n].goes_into == "label"}
    private = {
        "template": template.name,
        "template_sha256": template.digest,
        "row": row,
        "values": label_values,
    }
    return Annotations(
        title=template.title, caption=published_caption(template, values, options), private=private
    )


def published_caption(template: Template, values: Mapping[str, str], options: Options) -> str:
    """The caption that goes into the manifest; empty where the user did not ask for it."""
    return fill_placeholders(template.caption, values) if options.publish_caption else ""


def screen_caption(template: Template, values: Mapping[str, str], options: Options, policy: Policy) -> None:
    """Check a caption to be published against the policy. Raises RefusedByPolicy, HeldForReview."""
    from safegen.pipeline.authorize import raise_for_decision
    from safegen.screening import screen
    from safegen.types import Allowed

    text = published_caption(template, values, options)
    if not text:
        return
    decision = screen(Request(prompt=text, policy=options.policy), policy=policy)
    if not isinstance(decision, Allowed):
        raise_for_decision(decision)


def content_key(value: object) -> str:
    """A short name for a JSON value: 16 hex digits of the SHA-256 of its text."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
