"""What the manifest of this release states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen.errors import SigningFailed
from safegen.pipeline.audit_assertion import add_audit_assertion
from safegen.pipeline.iscc import iscc_binding_value
from safegen.pipeline.stages import Encoded, IngredientFile
from safegen.types import Decision, Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safegen.credentials.sign import Ingredient
    from safegen.policies.schema import Policy
    from safegen.review.queue import Approval
    from safegen.workspace.session import Session

_FORMATS = {".png": "image/png", ".jpg": "image/jpeg"}


def manifest_definition(
    encoded: Encoded,
    decision: Decision | None,
    policy: Policy,
    *,
    studio: Session,
    title: str,
    commitment: str,
) -> tuple[Json, list[Ingredient]]:
    """The manifest definition and its ingredients. Raises SigningFailed when parts are missing."""
    from safegen.credentials.manifest import ManifestInputs, build_manifest, private_texts

    made = encoded.moderated.unmarked
    if made.origin == "protected":
        return _protection_definition(encoded, policy, studio=studio, title=title)
    if decision is None or made.model is None:
        raise SigningFailed("a generated video needs the decision that allowed it and the model that made it")
    config = studio.workspace.config
    ingredients = build_ingredients(
        made.ingredients, () if config.publish_prompt else private_texts(decision.request)
    )
    inputs = ManifestInputs(
        title=made.annotations.title or title,
        content_id=encoded.content_id,
        watermark_alg=encoded.watermark_alg,
        model=made.model,
        settings=made.settings,
        decision=decision,
        when=studio.clock(),
        prompt_commitment=commitment,
        publish_prompt=config.publish_prompt,
        provider=config.organisation,
        attributes=encoded.moderated.attributes,
        frame_checks=encoded.moderated.checks,
        warnings=made.warnings,
        training_mining=training_mining_entries(policy),
        iscc=iscc_binding_value(encoded),
        frames_sha256=made.generation.frames_sha256 if made.generation else "",
        caption=made.annotations.caption,
        reproduces=made.annotations.reproduces,
        ingredients=ingredients,
        source_type=digital_source_type(made.ingredients),
        rendition=made.rendition,
        label=config.label,
        accessibility=encoded.accessibility.record if encoded.accessibility else {},
    )
    stated = build_manifest(inputs)
    add_audit_assertion(stated, studio.ledger, made.model)
    return stated, ingredients


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


def _protection_definition(
    encoded: Encoded, policy: Policy, *, studio: Session, title: str
) -> tuple[Json, list[Ingredient]]:
    """Nothing is claimed about how the source was made."""
    from safegen.credentials.manifest import ProtectionInputs, build_protection
    from safegen.credentials.sign import Ingredient

    made = encoded.moderated.unmarked
    if made.source is None:
        raise SigningFailed("a protected video needs its source")
    source = Ingredient(made.source.path, made.source.name, "parentOf", "source")
    inputs = ProtectionInputs(
        title=title,
        content_id=encoded.content_id,
        watermark_alg=encoded.watermark_alg,
        source=source,
        when=studio.clock(),
        stated_source_type=made.source.digital_source_type,
        provider=studio.workspace.config.organisation,
        frame_checks=encoded.moderated.checks,
        warnings=made.warnings,
        training_mining=training_mining_entries(policy),
        iscc=iscc_binding_value(encoded),
        format=_FORMATS.get(encoded.path.suffix, "video/mp4"),
        label=studio.workspace.config.label,
    )
    return build_protection(inputs), [source]


def add_review_reference(manifest: Json, origin: str, approval: Approval) -> None:
    """Say in the policy assertion of *stated* which review entry of the log *origin* let the request pass.

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
