"""From a spooled clip to a release: moderate, mark, sign, check, record, publish.

Generated and protected videos take the same way; they differ in what their manifest claims.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from safegen._util.logs import logger
from safegen.errors import SigningFailed
from safegen.media.encode import Encoding
from safegen.pipeline.accessibility import make_accessible
from safegen.pipeline.frames_gate import NO_FINDINGS, moderate
from safegen.pipeline.held_clips import record_if_held, store_held_clip
from safegen.pipeline.iscc import add_iscc, iscc_public
from safegen.pipeline.ledger_records import release_private, release_public
from safegen.pipeline.manifest import add_review_reference, manifest_definition
from safegen.pipeline.mark import mark_and_encode
from safegen.pipeline.readback import read_back
from safegen.pipeline.stages import Encoded, Moderated, ReadBack, Signed, UnmarkedClip
from safegen.pipeline.timestamp import timestamp_release
from safegen.types import Decision, Json, Release
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.release import ReleaseJob
    from safegen.review.queue import Approval

_log = logger(__name__)


def release_clip(
    unmarked: UnmarkedClip,
    decision: Decision | None,
    policy: Policy,
    *,
    job: ReleaseJob,
    studio: Session,
    content_id: int,
    watermark: str = "tile",
    encoding: Encoding = Encoding(),
    decision_index: int | None = None,
    approval: Approval | None = None,
    timings: Mapping[str, float] | None = None,
    encoded: Encoded | None = None,
) -> Release:
    """Take *made* the rest of the way. *decision* is None for a video made elsewhere.

    *encoded*: moderated, marked and encoded already, where that was done in one pass.

    Raises CheckUnavailable, GenerationFailed (frames gate), ReleaseFailed, Interrupted: nothing is left.
    """
    spent = dict(timings or {})
    progress = studio.progress
    if encoded is None:
        with _time_stage(spent, "moderation"):
            moderated = _moderate_or_hold(
                unmarked, decision, policy, studio, content_id, decision_index, approval
            )
        with _time_stage(spent, "marking and encoding"):
            encoded = mark_and_encode(
                moderated,
                job.temporary("marked.mp4"),
                content_id=content_id,
                watermark=watermark,
                encoding=encoding,
                label=studio.workspace.config.label,
                progress=progress,
            )
    with _time_stage(spent, "describing"):
        encoded = make_accessible(encoded, decision, job=job, studio=studio, title=unmarked.annotations.title)
    with _time_stage(spent, "fingerprinting"):
        encoded = add_iscc(encoded)
    with _time_stage(spent, "signing"):
        signed = _sign(encoded, decision, policy, job, studio, decision_index, approval)
    with _time_stage(spent, "verifying"):
        checked = read_back(signed, roots=studio.signer_anchors, watermark=watermark, progress=progress)
    with _time_stage(spent, "recording"):
        progress.stage("recording")
        return _record_and_publish(checked, job, studio, decision_index, approval, spent)


def _moderate_or_hold(
    made: UnmarkedClip,
    decision: Decision | None,
    policy: Policy,
    studio: Session,
    content_id: int,
    decision_index: int | None,
    approval: Approval | None,
) -> Moderated:
    """Through the frames gate; a clip that it holds is kept and recorded, for a person to decide about it."""
    approved = NO_FINDINGS if approval is None else approval.findings
    if decision is None:
        return moderate(made, policy, progress=studio.progress, approved=approved)
    with record_if_held(
        decision, studio, lambda: store_held_clip(made, studio, content_id), request_index=decision_index
    ):
        return moderate(made, policy, progress=studio.progress, approved=approved)


@contextmanager
def _time_stage(spent: dict[str, float], name: str) -> Iterator[None]:
    """Add the seconds spent inside to *spent*."""
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    _log.info("%(stage)s took %(seconds).2f s", {"stage": name, "seconds": seconds})
    spent[name] = spent.get(name, 0.0) + seconds


def _sign(
    encoded: Encoded,
    decision: Decision | None,
    policy: Policy,
    job: ReleaseJob,
    studio: Session,
    decision_index: int | None,
    approval: Approval | None,
) -> Signed:
    """Build the manifest and sign."""
    from safegen.credentials.sign import sign_file

    studio.progress.stage("signing")
    commitment = "" if decision_index is None else studio.ledger.entry(decision_index).commitment
    stated, ingredients = manifest_definition(
        encoded, decision, policy, studio=studio, title=job.destination.name, commitment=commitment
    )
    if approval is not None and decision is not None:
        add_review_reference(stated, studio.ledger.origin, approval)
    target = job.temporary(f"signed{encoded.path.suffix}")
    result = sign_file(
        encoded.path,
        target,
        stated,
        signer=studio.signer,
        ingredients=ingredients,
        thumbnail=encoded.thumbnail,
        tsa_url=studio.workspace.config.tsa_url,
        ocsp_url=studio.workspace.config.ocsp_url,
        manifest_location=studio.workspace.config.manifest.replace("{id}", f"{encoded.content_id:016x}"),
    )
    if not result.manifest_id:
        raise SigningFailed("the signature does not name a manifest")
    beside = None
    if studio.workspace.config.manifest != "embedded":
        beside = job.temporary("manifest.c2pa")
        beside.write_bytes(result.manifest_bytes)
    return Signed(encoded, target, result.manifest_id, result.manifest_bytes, beside)


def _record_and_publish(
    checked: ReadBack,
    job: ReleaseJob,
    studio: Session,
    decision_index: int | None,
    approval: Approval | None,
    spent: dict[str, float],
) -> Release:
    """Record and publish: the release protocol of docs/ledger.md."""
    from safegen.ledger.records import ReleaseRecord

    signed = checked.signed
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
        public=release_public(moderated, decision_index, approval)
        | _accessibility_public(encoded)
        | iscc_public(encoded),
        private=release_private(moderated.unmarked),
    )
    sidecars = {} if signed.sidecar is None else {job.destination.name + ".c2pa": signed.sidecar}
    sidecars |= encoded.accessibility.sidecars if encoded.accessibility else {}
    recorded = job.record(signed.path, release=record, sidecars=sidecars)
    with timestamp_release(job, recorded.proof, studio) as stamp:
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
        warnings=(*moderated.unmarked.warnings, *published.warnings, *stamp.warnings),
        timings=spent,
    )


def _accessibility_public(encoded: Encoded) -> Json:
    """That the clip was made accessible, or why not; the whole record is in the manifest."""
    if encoded.accessibility is None:
        return {}
    named = ("made", "reason", "audioDescription")
    return {"accessibility": {k: v for k, v in encoded.accessibility.record.items() if k in named}}


def _rounded(probabilities: Mapping[str, float]) -> dict[str, str]:
    """Probabilities as text with three decimals: canonical JSON has no floats."""
    return {k: f"{v:.3f}" for k, v in probabilities.items()}
