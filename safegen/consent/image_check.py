"""Reference images and videos: whom they show, whether they agreed, and what their uploader states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from safegen import plugins
from safegen.consent.records import STATE_PHRASES, Consent
from safegen.consent.registry import find_attestation
from safegen.detectors.frames._absent import CheckAbsent
from safegen.detectors.frames.known import match_score, pack_descriptors, sample_clip
from safegen.errors import CheckUnavailable, SafegenError
from safegen.types import Action, CheckRun, Clip, Finding, PromptAction

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader

NAME, VERSION = "likeness", "1"
LikenessResult: TypeAlias = tuple[list[tuple[Finding, PromptAction]], CheckRun]
FACE_THRESHOLD = 0.6
"""Score from which a picture shows a face."""


def compute_descriptors(path: Path) -> str:
    """Descriptors (base64) of the picture or video at *path*. Raises UnreadableInput."""
    from safegen.media import sandbox

    return pack_descriptors(sandbox.open_clip(path))


def check_likeness(
    clip: Clip,
    name: str,
    sha256: str,
    *,
    ledger: LedgerReader | None,
    consents: Sequence[Consent],
    generated: bool,
    people: Literal["ignore", "attest"],
) -> LikenessResult:
    """What the input *clip* (a file called *name* with that hash) means for the request.

    One of the registry's references in it: its subject needs live consent. *generated*: trusted credentials
    say that a model made all of it, so it shows nobody. Else, with *people* ``attest``: a face needs the
    uploader's attestation, and where no face detector is installed every input does.

    Raises CheckUnavailable when whether it shows a person can be said by nobody, LedgerError.
    """
    findings: list[tuple[Finding, PromptAction]] = []

    def add(reason: str, action: PromptAction) -> None:
        findings.append((Finding("likeness_consent", 1.0, NAME, f"{name}: {reason}", threshold=1.0), action))

    shown = _matching_consents(clip, consents)
    for consent in shown:
        if not consent.covers("likeness"):
            why = STATE_PHRASES[consent.state] if not consent.live else "does not cover the likeness"
            add(f"it shows {consent.subject}, and the consent (entry {consent.index}) {why}", Action.BLOCK)
    ran = CheckRun(NAME, VERSION, score=float(bool(shown)))
    if generated or people == "ignore":
        return findings, ran
    attestation = None if ledger is None else find_attestation(ledger, sha256)
    face = _shows_face(clip)
    if attestation is None:
        if face is None:
            raise CheckUnavailable(
                f"cannot tell whether {name} shows a person: no face detector is installed",
                hint=f"state it: safegen consent attest {name} --no-person (or --consent ENTRY)",
            )
        if face:
            add("it shows a face, and nobody has stated whose (use `safegen consent attest`)", Action.BLOCK)
        return findings, ran
    if attestation.no_person and (face or shown):
        add(
            f"it shows a face, and entry {attestation.index} states that it shows no real person",
            Action.REVIEW,
        )
    for index in attestation.consents:
        relied_on = next((c for c in consents if c.index == index), None)
        if relied_on is None or not relied_on.covers("likeness"):
            why = (
                STATE_PHRASES[relied_on.state]
                if relied_on is not None and not relied_on.live
                else "does not count"
            )
            add(f"the consent it relies on (entry {index}) {why}", Action.BLOCK)
    return findings, ran


def _matching_consents(clip: Clip, consents: Sequence[Consent]) -> list[Consent]:
    """The consents whose references the clip shows; of one subject a live one, if there is any."""
    if not any(c.references for c in consents):
        return []
    sample = sample_clip(clip)
    by_subject: dict[str, Consent] = {}
    for consent in consents:
        if any(match_score(r.descriptors, sample) > 0 for r in consent.references):
            before = by_subject.get(consent.subject)
            if before is None or (consent.covers("likeness") and not before.covers("likeness")):
                by_subject[consent.subject] = consent
    return list(by_subject.values())


def _shows_face(clip: Clip) -> bool | None:
    """Whether the clip shows a face; None where no detector is installed. Raises CheckUnavailable."""
    try:
        _, ran = plugins.load_frame_detector("faces").run(clip)
    except CheckAbsent:
        return None  # no pass: ``judge`` then wants an attestation, and without one nothing goes on
    except SafegenError as error:
        raise CheckUnavailable(f"the search for faces failed: {error}", hint=error.hint) from error
    except Exception as error:
        raise CheckUnavailable(f"the search for faces failed: {error}") from error
    if ran.score is None:
        raise CheckUnavailable("the search for faces returned no result")
    return bool(ran.score >= FACE_THRESHOLD)
