"""Read the written file back: only what reads back as expected may be recorded and released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safegen import plugins
from safegen.errors import MarkingFailed, SigningFailed
from safegen.media import sandbox
from safegen.pipeline.stages import ReadBack, Signed
from safegen.types import CredentialState, WatermarkReading
from safegen.watermarks import PUBLIC_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safegen.pipeline.context import ReleaseContext


def read_back(signed: Signed, context: ReleaseContext) -> ReadBack:
    """Read credentials, mark and pictures back from the signed file.

    Raises SigningFailed when the credentials are not valid and trusted through the session's anchors, or
    an ingredient is broken; MarkingFailed when the mark does not decode to the content id.
    """
    from safegen.credentials.read import read_credentials
    from safegen.detectors.provenance.content import compute_descriptors

    context.progress.stage("verifying")
    detached = None if signed.sidecar is None else signed.sidecar.read_bytes()
    evidence = read_credentials(signed.path, anchors_pem=context.session.signer_anchors, manifest=detached)
    if evidence.state is not CredentialState.VALID or evidence.failures:
        why = "; ".join(evidence.failures) or evidence.reason or evidence.state.value
        raise SigningFailed(f"the signed file does not validate when read back: {why}")
    if not evidence.trusted:
        raise SigningFailed(
            "the signing certificate does not chain to the root it was issued under",
            hint="check the certificate chain in safegen.toml: leaf first, root included",
        )
    unmarked = signed.encoded.moderated.unmarked
    expected = unmarked.source is not None or any(part.broken for part in unmarked.ingredients)
    if evidence.ingredient_failures and not expected:
        raise SigningFailed(f"an ingredient is broken: {'; '.join(evidence.ingredient_failures)}")
    scheme = plugins.load_watermark(context.settings.watermark)
    sample = sandbox.sample_frames(
        signed.path, frames=scheme.sample_frames, short_side=scheme.sample_short_side
    )
    content_id = signed.encoded.content_id
    readings = scheme.detect(sample, key=PUBLIC_KEY)
    if not any(r.present for r in readings):  # schemes that claim no mark without a candidate
        readings = scheme.detect(sample, key=PUBLIC_KEY, known=[content_id])
    reading = _reading_of(readings, content_id)
    return ReadBack(signed, evidence.manifest or {}, reading, compute_descriptors(sample).to_bytes())


def _reading_of(readings: Sequence[WatermarkReading], content_id: int) -> WatermarkReading:
    """The reading that carries our id."""
    for reading in readings:
        if reading.present and reading.payload == content_id:
            return reading
    raise MarkingFailed(
        "the watermark cannot be read back from the encoded video",
        hint="use a larger size or a longer clip (512 px and 3 s are enough), or a lower --crf",
    )
