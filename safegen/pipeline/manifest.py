"""What the manifest of this release states."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safegen.errors import SigningFailed
from safegen.pipeline.audit_assertion import add_audit_assertion
from safegen.pipeline.iscc import iscc_binding_value
from safegen.pipeline.stages import Encoded, IngredientFile
from safegen.types import Json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from safegen.credentials.sign import Ingredient
    from safegen.pipeline.context import ReleaseContext
    from safegen.policies.schema import Policy
    from safegen.review.queue import Approval

UPSTREAM = "upstream"
"""Label of the clip that another system made and signed for us, where that is an ingredient of ours."""
UPSTREAM_TITLE = "the clip as the server sent it"
_FORMATS = {".png": "image/png", ".jpg": "image/jpeg"}


def manifest_definition(encoded: Encoded, context: ReleaseContext) -> tuple[Json, list[Ingredient]]:
    """The manifest definition and its ingredients. Raises SigningFailed when parts are missing."""
    from safegen.credentials.manifest import ManifestInputs, build_manifest, private_texts

    unmarked, decision = encoded.moderated.unmarked, context.decision
    if unmarked.origin == "protected":
        return _protection_definition(encoded, context)
    if decision is None or unmarked.model is None:
        raise SigningFailed("a generated video needs the decision that allowed it and the model that made it")
    config, ledger = context.config, context.session.ledger
    ingredients = build_ingredients(
        unmarked.ingredients, () if config.publish_prompt else private_texts(decision.request)
    )
    inputs = ManifestInputs(
        title=unmarked.annotations.title or context.job.destination.name,
        content_id=encoded.content_id,
        watermark_alg=encoded.watermark_alg,
        model=unmarked.model,
        settings=unmarked.settings,
        decision=decision,
        when=context.session.clock(),
        prompt_commitment=context.commitment,
        publish_prompt=config.publish_prompt,
        provider=config.organisation,
        attributes=encoded.moderated.attributes,
        frame_checks=encoded.moderated.checks,
        warnings=unmarked.warnings,
        training_mining=training_mining_entries(context.policy),
        iscc=iscc_binding_value(encoded),
        frames_sha256=unmarked.generation.frames_sha256 if unmarked.generation else "",
        caption=unmarked.annotations.caption,
        reproduces=unmarked.annotations.reproduces,
        ingredients=ingredients,
        source_type=digital_source_type(unmarked.ingredients),
        rendition=unmarked.rendition,
        label=config.label,
        accessibility=encoded.accessibility.record if encoded.accessibility else {},
    )
    definition = build_manifest(inputs)
    add_audit_assertion(definition, ledger, unmarked.model)
    if context.approval is not None:
        _add_review_reference(definition, ledger.origin, context.approval)
    return definition, ingredients


def add_upstream(ingredients: tuple[IngredientFile, ...], file: Path | None) -> tuple[IngredientFile, ...]:
    """*ingredients* with the *file* that another system sent as their parent; its manifest store stays in it.

    C2PA 2.4: ``parentOf`` is the asset that this one is a rendition of, and there is one at most. What the
    request itself was built on went into the other system's model, so it is ``inputTo``. Nothing in the
    clip was filmed beyond what the inputs hold: it was made on this request.
    """
    if file is None:
        return ingredients
    inputs = tuple(replace(part, relationship="inputTo") for part in ingredients)
    return (*inputs, IngredientFile(file, UPSTREAM_TITLE, "parentOf", UPSTREAM, generated=True))


def build_ingredients(parts: Sequence[IngredientFile], prompts: Sequence[str]) -> list[Ingredient]:
    """What a clip was made from, as C2PA ingredients; a file name that quotes a prompt becomes the label."""
    from safegen.credentials.redact import QUOTE, Redactor
    from safegen.credentials.sign import Ingredient

    redact = Redactor(tuple(text for text in prompts if text.strip()))
    titles = [redact.text(part.title) for part in parts]
    return [
        Ingredient(part.path, part.label if title == QUOTE else title, part.relationship, part.label)
        for part, title in zip(parts, titles, strict=True)
    ]


def digital_source_type(parts: Sequence[IngredientFile]) -> str:
    """What the pictures are: generated throughout, unless a part may hold something that was filmed or drawn.

    IPTC digital source types. A part counts as generated only where a trusted signer says so.
    """
    from safegen.credentials.assertions import GENERATED, PARTLY_GENERATED

    return GENERATED if all(part.generated for part in parts) else PARTLY_GENERATED


def _protection_definition(encoded: Encoded, context: ReleaseContext) -> tuple[Json, list[Ingredient]]:
    """Nothing is claimed about how the source was made."""
    from safegen.credentials.manifest import ProtectionInputs, build_protection
    from safegen.credentials.sign import Ingredient
    from safegen.credentials.source_types import source_type_address

    unmarked = encoded.moderated.unmarked
    if unmarked.source is None:
        raise SigningFailed("a protected video needs its source")
    stated = unmarked.source.digital_source_type
    kind = None if stated is None else source_type_address(stated)
    source = Ingredient(unmarked.source.path, unmarked.source.name, "parentOf", "source", kind)
    inputs = ProtectionInputs(
        title=context.job.destination.name,
        content_id=encoded.content_id,
        watermark_alg=encoded.watermark_alg,
        source=source,
        when=context.session.clock(),
        stated_source_type=unmarked.source.digital_source_type,
        source_marks=unmarked.source.marks,
        provider=context.config.organisation,
        frame_checks=encoded.moderated.checks,
        warnings=unmarked.warnings,
        training_mining=training_mining_entries(context.policy),
        iscc=iscc_binding_value(encoded),
        format=_FORMATS.get(encoded.path.suffix, "video/mp4"),
        label=context.config.label,
    )
    return build_protection(inputs), [source]


def _add_review_reference(manifest: Json, origin: str, approval: Approval) -> None:
    """Say in the policy assertion of *manifest* which review entry of the log *origin* let the request pass.

    Raises SigningFailed when there is no such assertion.
    """
    for assertion in manifest["assertions"]:
        if assertion["label"] == "org.safegen.policy":
            assertion["data"]["review"] = {"log": origin, "entry": approval.entry}
            return
    raise SigningFailed("the manifest has no place for the review that let this pass")


def training_mining_entries(policy: Policy) -> dict[str, str]:
    """The policy's training and data mining rules under CAWG's names."""
    return {f"cawg.{name}": use for name, use in policy.generation.training_mining.model_dump().items()}
