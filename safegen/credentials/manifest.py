"""Build the manifest of a video: a pure function from typed inputs to c2pa's definition.

Two kinds: ``build_manifest`` for a video made here, ``build_protection`` for somebody else's video
that is only marked and signed, about whose making nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from safegen._version import __version__
from safegen.credentials import assertions as make
from safegen.credentials.redact import QUOTE, Redactor
from safegen.credentials.sign import Ingredient
from safegen.credentials.source_types import owners_word, source_type_address
from safegen.errors import UsageError
from safegen.types import Attribute, CheckRun, Decision, Json, ModelRef, Request, SoftBinding

GENERATOR: Json = {"name": "safegen", "version": __version__}
SPEC_VERSION = "2.4.0"
"""C2PA specification that the manifest follows; the conformance programme wants it said (2.4, 10.2.3.2)."""


@dataclass(frozen=True)
class ManifestInputs:
    """Everything that a manifest of a generated video states.

    ``content_id`` is the watermark's payload and ``watermark_alg`` its scheme; ``when`` is aware.
    ``prompt_commitment`` stands for the prompt; the prompt itself goes in only with
    ``publish_prompt``. ``training_mining`` maps CAWG entries to ``allowed`` or ``notAllowed``.
    """

    title: str
    content_id: int
    watermark_alg: str
    model: ModelRef
    settings: Mapping[str, Any]
    decision: Decision
    when: datetime
    prompt_commitment: str = ""
    publish_prompt: bool = False
    provider: str = ""
    attributes: Sequence[Attribute] = ()
    frame_checks: Sequence[CheckRun] = ()
    warnings: Sequence[str] = ()
    ingredients: Sequence[Ingredient] = ()
    source_type: str | None = None
    """What the pictures are (IPTC digital source type); by default generated, with a parent only partly."""
    rendition: bool = False
    """The parent is this very clip as the model's own server signed it: opened and transcoded, not edited."""
    training_mining: Mapping[str, str] = field(default_factory=dict)
    accessibility: Mapping[str, Any] = field(default_factory=dict)
    oversight: str = "prompt_guided"
    extra_actions: Sequence[Json] = ()
    """Further actions in order."""
    label: str = ""
    """The visible label in the pictures."""
    frames_sha256: str = ""
    """SHA-256 of the generated frames before marking, by which a reproduction is compared."""
    iscc: str = ""
    """``value`` of the soft binding to the clip's ISCC; empty: none is stated."""
    caption: str = ""
    """Text that goes with the video; published as it is."""
    reproduces: Json = field(default_factory=dict)
    """The release that this one repeats, and whether its frames are the same."""
    format: str = "video/mp4"


@dataclass(frozen=True)
class ProtectionInputs:
    """What a manifest for a video made elsewhere states. ``source`` MUST be ``parentOf``.

    ``stated_source_type`` is what the user says about it (an IPTC digital source type), if anything.
    """

    title: str
    content_id: int
    watermark_alg: str
    source: Ingredient
    when: datetime
    stated_source_type: str | None = None
    transcoded: bool = True
    provider: str = ""
    frame_checks: Sequence[CheckRun] = ()
    warnings: Sequence[str] = ()
    training_mining: Mapping[str, str] = field(default_factory=dict)
    iscc: str = ""
    format: str = "video/mp4"
    label: str = ""
    source_marks: Sequence[SoftBinding] = ()
    """Marks that were in the pictures before: somebody else's, and recorded as such."""


def build_manifest(inputs: ManifestInputs) -> Json:
    """The manifest definition for a video generated here; give it to ``sign_file`` with its ingredients.

    Raises UsageError: a time without a zone, an unknown oversight level, training rule or relationship.
    """
    request = inputs.decision.request
    private = () if inputs.publish_prompt else private_texts(request)
    redact = Redactor(tuple(text for text in private if text.strip()))
    facts = Redactor()  # names of models, checks and categories stay, though the prompt be one of them
    generation: Json = {
        "contentId": f"{inputs.content_id:016x}",
        "system": GENERATOR,
        "model": make.model(inputs.model, facts),
        "mode": request.mode,
        "settings": redact.mapping(inputs.settings),
        "seed": request.seed,
        "when": make.iso(inputs.when),
        "warnings": [redact.text(w) for w in inputs.warnings],
    }
    if inputs.provider:
        generation["provider"] = facts.text(inputs.provider)
    if inputs.frames_sha256:
        generation["framesSha256"] = inputs.frames_sha256
    if inputs.caption:
        generation["caption"] = facts.text(inputs.caption)
    if inputs.reproduces:
        generation["reproduces"] = facts.mapping(inputs.reproduces)
    if request.strength is not None:
        generation["strength"] = redact.value(float(request.strength))
    if request.shots:
        generation["shots"] = [redact.value(float(shot.at)) for shot in request.shots]
    if inputs.publish_prompt:
        generation["prompt"] = request.prompt
        generation["negativePrompt"] = request.negative_prompt
    stated = [
        _actions(_generation_actions(inputs, facts)),
        make.soft_binding(inputs.watermark_alg, inputs.content_id),
        make.ai_disclosure(inputs.model, inputs.oversight, facts),
        make.policy(inputs.decision, inputs.prompt_commitment, inputs.frame_checks, facts),
        make.assertion("org.safegen.generation", generation),
        make.attributes(inputs.attributes, facts),
    ]
    if inputs.iscc:
        stated.append(make.iscc_binding(inputs.iscc))
    if inputs.accessibility:
        stated.append(make.assertion("org.safegen.accessibility", redact.mapping(inputs.accessibility)))
    if inputs.training_mining:
        stated.append(make.training_mining(inputs.training_mining))
    title = redact.text(inputs.title)
    title = f"safegen video {inputs.content_id:016x}" if title == QUOTE else title
    return _definition(title, inputs.format, stated)


def private_texts(request: Request) -> tuple[str, ...]:
    """What nothing published may quote: the prompts, each shot's as well."""
    return (request.prompt, request.negative_prompt, *(shot.prompt for shot in request.shots))


def build_protection(inputs: ProtectionInputs) -> Json:
    """The manifest definition for a video made elsewhere: opened, marked, signed, and no more claimed.

    What its owner states it to be stands in the first action after that, and is said to be the owner's word.
    Raises UsageError: ``source`` is not the parent, a time without a zone, an unknown training rule or type.
    """
    if inputs.source.relationship != "parentOf":
        raise UsageError("the protected video must be the parent", hint="use relationship='parentOf'")
    redact, when = Redactor(), make.iso(inputs.when)
    actions: list[Json] = [_opened(inputs.source, when)]
    if inputs.transcoded:
        actions.append({"action": "c2pa.transcoded", "when": when, "softwareAgent": GENERATOR})
    actions += [*_added_text(inputs.label, when), _watermarked(when)]
    if inputs.stated_source_type:
        # C2PA 2.4 forbids it on c2pa.opened, and on an ingredient that has a manifest of its own.
        actions[1] = owners_word(actions[1], source_type_address(inputs.stated_source_type))
    protection: Json = {
        "contentId": f"{inputs.content_id:016x}",
        "system": GENERATOR,
        "when": when,
        "claim": "marked and signed; no claim is made about how the source was made",
        "frameChecks": [make.check(c, redact) for c in inputs.frame_checks],
        "warnings": [redact.text(w) for w in inputs.warnings],
    }
    if inputs.stated_source_type:
        protection["sourceTypeStatedByUser"] = redact.text(inputs.stated_source_type)
    if inputs.source_marks:
        protection["sourceMarks"] = make.source_marks(inputs.source_marks)
    if inputs.provider:
        protection["provider"] = redact.text(inputs.provider)
    stated = [
        _actions(actions),
        make.soft_binding(inputs.watermark_alg, inputs.content_id),
        make.assertion("org.safegen.protection", protection),
    ]
    if inputs.iscc:
        stated.append(make.iscc_binding(inputs.iscc))
    if inputs.training_mining:
        stated.append(make.training_mining(inputs.training_mining))
    return _definition(redact.text(inputs.title), inputs.format, stated)


def _definition(title: str, mime: str, stated: list[Json]) -> Json:
    generator = {**GENERATOR, "specVersion": SPEC_VERSION}
    return {"claim_generator_info": [generator], "title": title, "format": mime, "assertions": stated}


def _actions(actions: list[Json]) -> Json:
    # The conformance programme wants allActionsIncluded said; these are all that safegen does.
    return make.assertion("c2pa.actions.v2", {"actions": actions, "allActionsIncluded": True})


def _generation_actions(inputs: ManifestInputs, redact: Redactor) -> list[Json]:
    when = make.iso(inputs.when)
    model = inputs.model
    agent = {"name": redact.text(model.name), "version": redact.text(model.version)}
    parents = [i for i in inputs.ingredients if i.relationship == "parentOf"]
    placed = [i for i in inputs.ingredients if i.relationship == "componentOf"]
    references = [i.label for i in inputs.ingredients if i.relationship == "inputTo"]
    if len(parents) > 1:
        raise UsageError("a video has at most one parent", hint="use inputTo for the others")
    making: Json = {"when": when, "softwareAgent": agent}
    if references:
        making["parameters"] = {"ingredientIds": references}
    kind = inputs.source_type or (make.PARTLY_GENERATED if parents else make.GENERATED)
    making["digitalSourceType"] = kind
    if parents and inputs.rendition:
        transcoded = {"action": "c2pa.transcoded", **making, "softwareAgent": GENERATOR}
        first = [_opened(parents[0], when), transcoded]
    elif parents:
        first = [_opened(parents[0], when), {"action": "c2pa.edited", **making}]
    else:
        first = [{"action": "c2pa.created", **making}]
    for component in placed:
        first.append(
            {
                "action": "c2pa.placed",
                "when": when,
                "digitalSourceType": kind if inputs.source_type else make.PARTLY_GENERATED,
                "parameters": {"ingredientIds": [component.label]},
            }
        )
    return [*first, *inputs.extra_actions, *_added_text(inputs.label, when), _watermarked(when)]


def _opened(parent: Ingredient, when: str) -> Json:
    return {"action": "c2pa.opened", "when": when, "parameters": {"ingredientIds": [parent.label]}}


def _added_text(label: str, when: str) -> list[Json]:
    """The visible label, as the action that wrote it (C2PA 2.4: ``c2pa.addedText``)."""
    if not label:
        return []
    shown = {"org.safegen.visibleLabel": label}
    return [{"action": "c2pa.addedText", "when": when, "softwareAgent": GENERATOR, "parameters": shown}]


def _watermarked(when: str) -> Json:
    return {"action": "c2pa.watermarked.bound", "when": when, "softwareAgent": GENERATOR}
