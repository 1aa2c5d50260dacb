"""From a spooled clip to a release: moderate, mark, sign, check, record, publish.

Generated and protected videos take the same way; they differ in what their manifest claims.
"""

from __future__ import annotations

from collections.abc import Mapping

from safegen.errors import SigningFailed
from safegen.pipeline.accessibility import make_accessible
from safegen.pipeline.context import ReleaseContext
from safegen.pipeline.frames_gate import moderate
from safegen.pipeline.held_clips import record_if_held, store_held_clip
from safegen.pipeline.iscc import add_iscc, iscc_public
from safegen.pipeline.ledger_records import release_private, release_public
from safegen.pipeline.manifest import manifest_definition
from safegen.pipeline.mark import mark_and_encode
from safegen.pipeline.readback import read_back
from safegen.pipeline.stages import Encoded, Moderated, ReadBack, Signed, UnmarkedClip
from safegen.pipeline.timestamp import timestamp_release, witness_warnings, witnesses_public
from safegen.types import Json, Release


def release_clip(unmarked: UnmarkedClip, context: ReleaseContext) -> Release:
    """Take a generated clip the rest of the way.

    Raises CheckUnavailable, GenerationFailed (frames gate), ReleaseFailed, Interrupted: nothing is left.
    """
    with context.timed("moderation"):
        moderated = _moderate_or_hold(unmarked, context)
    with context.timed("marking and encoding"):
        encoded = mark_and_encode(moderated, context)
    return release_encoded(encoded, context)


def release_encoded(encoded: Encoded, context: ReleaseContext) -> Release:
    """Take a clip that is moderated, marked and encoded the rest of the way. Raises as ``release_clip``."""
    with context.timed("describing"):
        encoded = make_accessible(encoded, context)
    with context.timed("fingerprinting"):
        encoded = add_iscc(encoded)
    with context.timed("signing"):
        signed = _sign(encoded, context)
    with context.timed("verifying"):
        checked = read_back(signed, context)
    with context.timed("recording"):
        context.progress.stage("recording")
        return _record_and_publish(checked, context)


def _moderate_or_hold(unmarked: UnmarkedClip, context: ReleaseContext) -> Moderated:
    """Through the frames gate; a clip that it holds is kept and recorded, for a person to decide about it."""
    with record_if_held(context, lambda: store_held_clip(unmarked, context)):
        return moderate(unmarked, context.policy, progress=context.progress, approved=context.approved)


def _sign(encoded: Encoded, context: ReleaseContext) -> Signed:
    """Build the manifest and sign."""
    from safegen.credentials.sign import sign_file

    context.progress.stage("signing")
    definition, ingredients = manifest_definition(encoded, context)
    config = context.config
    target = context.job.temporary(f"signed{encoded.path.suffix}")
    result = sign_file(
        encoded.path,
        target,
        definition,
        signer=context.session.signer,
        ingredients=ingredients,
        thumbnail=encoded.thumbnail,
        tsa_url=config.tsa_url,
        tsa_required=config.tsa_required,
        ocsp_url=config.ocsp_url,
        ocsp_required=config.ocsp_required,
        manifest_location=config.manifest.replace("{id}", f"{encoded.content_id:016x}"),
    )
    if not result.manifest_id:
        raise SigningFailed("the signature does not name a manifest")
    sidecar = None
    if config.manifest != "embedded":
        sidecar = context.job.temporary("manifest.c2pa")
        sidecar.write_bytes(result.manifest_bytes)
    return Signed(
        encoded,
        target,
        result.manifest_id,
        result.manifest_bytes,
        sidecar,
        result.unstamped,
        result.unstapled,
    )


def _record_and_publish(checked: ReadBack, context: ReleaseContext) -> Release:
    """Record and publish: the release protocol of docs/ledger.md."""
    from safegen.ledger.records import ReleaseRecord

    job, signed = context.job, checked.signed
    encoded = signed.encoded
    moderated = encoded.moderated
    record = ReleaseRecord(
        manifest_id=signed.manifest_id,
        manifest=signed.manifest,
        content_id=encoded.content_id,
        watermark_alg=encoded.watermark_alg,
        manifest_json=checked.manifest_json,
        descriptors=checked.descriptors,
        attributes=[
            {"name": a.name, "value": a.value, "probabilities": _rounded(a.probabilities)}
            for a in moderated.attributes
        ],
        public=release_public(moderated, context.decision_index, context.approval)
        | _accessibility_public(encoded)
        | iscc_public(encoded)
        | witnesses_public(signed),
        private=release_private(moderated.unmarked),
    )
    sidecars = {} if signed.sidecar is None else {job.destination.name + ".c2pa": signed.sidecar}
    sidecars |= encoded.accessibility.sidecars if encoded.accessibility else {}
    recorded = job.record(signed.path, release=record, sidecars=sidecars)
    with timestamp_release(recorded.proof, context) as stamp:
        published = job.publish()
    return Release(
        path=published.path,
        sha256=recorded.sha256,
        content_id=encoded.content_id,
        manifest_id=signed.manifest_id,
        index=recorded.index,
        sidecars=(published.sidecars[-1], *stamp.sidecars, *published.sidecars[:-1]),
        attributes=moderated.attributes,
        checks=moderated.checks,
        warnings=(
            *moderated.unmarked.warnings,
            *witness_warnings(signed),
            *published.warnings,
            *stamp.warnings,
        ),
        timings=context.timings,
    )


def _accessibility_public(encoded: Encoded) -> Json:
    """That the clip was made accessible, or why not; the whole record is in the manifest."""
    if encoded.accessibility is None:
        return {}
    public_keys = ("made", "reason", "audioDescription")
    return {"accessibility": {k: v for k, v in encoded.accessibility.record.items() if k in public_keys}}


def _rounded(probabilities: Mapping[str, float]) -> dict[str, str]:
    """Probabilities as text with three decimals: canonical JSON has no floats."""
    return {k: f"{v:.3f}" for k, v in probabilities.items()}
