"""What a row asks for: its request, its clip's label, and the names by which rows are recognised."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from safegen.request.settings import check_settings
from safegen.request.sizes import Natural, resolve_size
from safegen.templates.fill import fill_placeholders
from safegen.types import Outlook, Request

if TYPE_CHECKING:
    from safegen.pipeline.stages import Annotations
    from safegen.policies.schema import Policy
    from safegen.templates.schema import Template, Variant


_LATER_OPTIONS = frozenset({"negative_prompt", "size", "aspect", "fps", "guidance"})


@dataclass(frozen=True)
class Options:
    """What is the same for all rows; ``None`` leaves it to the template, or to chance (``seed``)."""

    model: str | None = None
    policy: str = "default"
    negative_prompt: str | None = None
    seed: int | None = None
    size: str | None = None
    aspect: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    fps: int | None = None
    steps: int | None = None
    guidance: float | None = None
    watermark: str = "tile"
    crf: int = 18
    publish_caption: bool = False

    def check(self) -> None:
        """Raise UsageError for a setting that no model can follow."""
        check_settings({name: value for name, value in vars(self).items() if value is not None})

    def for_key(self) -> dict[str, object]:
        """The options that name a run: the later ones only where they are set.

        So a run that an older version began keeps its name and can be resumed.
        """
        return {n: v for n, v in vars(self).items() if v is not None or n not in _LATER_OPTIONS}


def build_request(
    variant: Variant,
    values: Mapping[str, str],
    options: Options,
    *,
    model: str,
    seed: int,
    outlook: Callable[[Request], Outlook],
) -> Request:
    """The whole prompt with the row's values in it: that is what is screened.

    *outlook* is the model's, asked only for its own size where there is an aspect ratio and nothing else.
    Raises UsageError for sizes that contradict each other.
    """

    def chosen(name: str) -> Any:
        value = getattr(options, name)
        return getattr(variant, name) if value is None else value

    request = Request(
        prompt=fill_placeholders(variant.prompt, values),
        negative_prompt=chosen("negative_prompt"),
        model=model,
        policy=options.policy,
        seed=seed,
        seconds=chosen("seconds"),
        fps=chosen("fps"),
        steps=chosen("steps"),
        guidance=chosen("guidance"),
    )

    def natural() -> tuple[int | None, int | None]:
        expected = outlook(request)
        return expected.width, expected.height

    width, height = _resolve_size(variant, options, natural)
    check_settings({"width": width, "height": height})
    return replace(request, width=width, height=height)


def _resolve_size(variant: Variant, options: Options, natural: Natural) -> tuple[int | None, int | None]:
    """Width and height: what the run says, and where it leaves something open, the template.

    With a size or an aspect ratio of the run, the template's own size counts for nothing but its short side
    (for an aspect ratio alone); one side of the run goes with the template's aspect ratio or other side.
    """

    def own() -> tuple[int | None, int | None]:
        return resolve_size(
            size=variant.size,
            aspect=variant.aspect,
            width=variant.width,
            height=variant.height,
            natural=natural,
        )

    def own_or_natural() -> tuple[int | None, int | None]:
        sides = (None, None) if variant.size is None and variant.aspect is not None else own()
        return natural() if sides == (None, None) else sides

    sides = (options.width, options.height)
    if options.size is not None or options.aspect is not None:
        return resolve_size(
            size=options.size,
            aspect=options.aspect,
            width=options.width,
            height=options.height,
            natural=own_or_natural,
        )
    if sides == (None, None):
        return own()
    if variant.aspect is not None and None in sides:
        return resolve_size(
            aspect=variant.aspect, width=options.width, height=options.height, natural=natural
        )
    if variant.size is not None and None in sides:
        width, height = own()
    else:
        width, height = variant.width, variant.height
    return width if sides[0] is None else sides[0], height if sides[1] is None else sides[1]


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
