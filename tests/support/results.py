"""One filled-in value of every result that has a JSON form, for the goldens in ``tests/data/json``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from safegen.types import (
    Action,
    Allowed,
    Attribute,
    CheckRun,
    ContentMatch,
    CredentialsEvidence,
    CredentialState,
    DetectedMark,
    Detection,
    Finding,
    Held,
    IngredientEvidence,
    LedgerEvidence,
    NotChecked,
    PolicyRef,
    Refused,
    Release,
    Report,
    Request,
    SoftBinding,
    TextBeside,
    Verdict,
    WatermarkReading,
    WatermarkSegment,
)

PROMPT = "a marmalade zeppelin over Überlingen"
"""Never in a short form of anything."""
SHA = "ab" * 32
URN = "urn:c2pa:6f1f9a0e-0000-4000-8000-000000000001"
REQUEST = Request(PROMPT, negative_prompt="gherkin rain", seed=7)
POLICY = PolicyRef("default", "cd" * 32)
CHECKS = (CheckRun("rules", "3", SHA), CheckRun("classifier", "2", None, 0.123456789))
FINDINGS = (
    Finding("violence", 0.98765432, "rules", f"it says {PROMPT!r}", (2, 11), "marmalade", 0.5),
    Finding("self_harm", 0.25, "classifier", "likely", None, threshold=None, time=1.23456),
)
ATTRIBUTES = (Attribute("weather", {"clear": 0.75, "unknown": 0.25}, "world", 0.75),)


def release() -> Release:
    """With every field."""
    return Release(
        Path("/out/Überlingen.mp4"),
        SHA,
        0x1234,
        URN,
        4,
        (Path("/out/Überlingen.mp4.tlog-proof"),),
        ATTRIBUTES,
        CHECKS,
        ("shortened to 2 s",),
        {"screening": 0.0123456, "generation": 2.0},
    )


def decision(kind: type[Allowed] | type[Held] | type[Refused]) -> Allowed | Held | Refused:
    """About the prompt, with two findings."""
    return kind(REQUEST, POLICY, CHECKS, FINDINGS, 0.98765432, {"violence": 0.98765432}, "en")


def reading() -> WatermarkReading:
    """A mark in the first of two seconds."""
    segments = (WatermarkSegment(0.0, 1.0, True, -8.123456), WatermarkSegment(1.0, 2.0, False, -0.5))
    return WatermarkReading("io.safegen.tile.1", True, 0x1234, -12.3456, segments=segments)


def detection() -> Detection:
    """A video half marked."""
    runs = (WatermarkSegment(0.0, 1.00049, True, -9.876), WatermarkSegment(1.00049, 2.0, False, -0.1))
    marks = (DetectedMark(reading(), runs),)
    return Detection(
        Path("/in/a.mp4"),
        "video",
        "io.safegen.tile.1",
        256,
        144,
        2.00012,
        24,
        1 / 12,
        marks,
        -12.3456,
        ("x",),
    )


def credentials() -> CredentialsEvidence:
    """Valid ones, with everything stated."""
    return CredentialsEvidence(
        CredentialState.VALID,
        True,
        "CN=root",
        URN,
        "CN=leaf",
        "CN=issuer",
        "2026-01-02T03:04:05Z",
        True,
        codes=("claimSignature.validated",),
        failures=("f",),
        ingredient_failures=("i",),
        notes=("n",),
        soft_bindings=(SoftBinding("io.safegen.tile.1", "1234"),),
        ancestors=("urn:c2pa:0",),
        ingredients=(IngredientEvidence("photo.png", "parentOf", failures=("assertion.dataHash.mismatch",)),),
        manifest={"title": PROMPT},
        store=b"jumbf-bytes",
    )


def report() -> Report:
    """With all layers."""
    return Report(
        Path("/in/a.mp4"),
        SHA,
        Verdict.VERIFIED,
        "all layers agree",
        ("signed", "recorded"),
        credentials(),
        (reading(),),
        LedgerEvidence(True, True, "ledger", "log.example", 4, {"kind": "release"}, True, "2026", False, ""),
        ContentMatch(True, 0.987654, 1.0, 0.6, 0.55555),
        {"title": "t"},
        "your own workspace",
        (NotChecked("revocation", "offline"),),
        (TextBeside("captions", "a.mp4.en.vtt", "as released"),),
    )


def bare_report() -> Report:
    """With none of them."""
    none = CredentialsEvidence(CredentialState.ABSENT)
    return Report(Path("b.png"), SHA, Verdict.NO_PROVENANCE, "nothing", (), none)


def moderation() -> Any:
    """Two findings, a check that is absent."""
    from safegen.moderation.gate import GateResult, RuledFinding
    from safegen.moderation.run import Moderation

    found = (RuledFinding(FINDINGS[1], Action.BLUR), RuledFinding(FINDINGS[0], Action.BLOCK))
    gate = GateResult(
        found, CHECKS, ("rules", "nudity"), {"nudity": "not installed"}, ("nudity", "dangerous")
    )
    return Moderation(Path("/in/a.mp4"), SHA, "video", 640, 360, 2.00049, 23.976023, 48, POLICY, gate, ("x",))


def failed_moderation() -> Any:
    """A file that could not be looked at."""
    from safegen.errors import UnreadableInput
    from safegen.moderation.batch import FileOutcome

    return FileOutcome(Path("/in/b.mp4"), error=UnreadableInput("b.mp4 is empty", hint="fetch it again"))


def compliance() -> Any:
    """One requirement met, one not."""
    from safegen.compliance import model
    from safegen.compliance.statements import Statements

    needs = [model.Requirement(i, "Art. 50", "say so", _stated) for i in ("a", "b")]
    rule = model.Rule("eu", "EU", "a note", tuple(needs))
    answers = (model.met("stated"), model.missing("not stated", "add it"))
    found = tuple(model.RequirementFinding(n, a) for n, a in zip(needs, answers, strict=True))
    return model.ComplianceReport(rule, Statements(report()), found)


def _stated(_: object) -> Any:
    """A check that a process pool can hand on."""
    from safegen.compliance import model

    return model.met("x")


def description() -> Any:
    """One scene."""
    from safegen.accessibility.cues import Cue
    from safegen.accessibility.phrasing import Phrase
    from safegen.accessibility.scenes import Scene
    from safegen.accessibility.scheduling import Schedule
    from safegen.accessibility.tracks import AccessibilityTracks
    from safegen.pipeline.describe import Description

    scene = Scene((0.0, 2.00049), Phrase(("A red ball rolls.", "A ball."), "Ball", False), ATTRIBUTES)
    tracks = AccessibilityTracks(
        2.00049, "nothing", (Cue(0.0, 2.0, "[No sound]"),), Schedule(()), (), (scene,)
    )
    return Description(tracks, {"captions": Path("/out/a.en.vtt")}, {"sound": "none"}, ("cut short",))


def reproduction() -> Any:
    """Not identical; the clip was released again."""
    from safegen.pipeline.compare import Difference, FrameSimilarity
    from safegen.pipeline.find_release import ReleaseMatch
    from safegen.pipeline.reproduce import Reproduction

    found = ReleaseMatch(release_entry(), "file hash")
    near = FrameSimilarity(float("inf"), 41.23456, 3, "")
    changed = (Difference("model.version", "1", "2"),)
    return Reproduction(found, False, SHA, "ef" * 32, changed, near, ("x",), release())


def release_entry() -> Any:
    """A recorded release."""
    from safegen.ledger.records import ReleaseEntry

    return ReleaseEntry(entry(), SHA, URN, 0x1234, "io.safegen.tile.1", b"jumbf", {}, b"", (), 9)


def entry() -> Any:
    """An entry of the ledger."""
    from safegen.ledger.records import Entry

    public = {"policy": {"name": "default"}, "score": "0.9", "categories": ["violence"], "model": "tiny"}
    return Entry(4, "decision", "2026-01-02T03:04:05Z", public, "12" * 32, b"leaf-bytes")


def check_report() -> Any:
    """A ledger with a problem."""
    from safegen.ledger.records import CheckReport, Problem

    problems = (Problem("leaf", "entry 3 was changed", 3), Problem("size", "one is missing"))
    return CheckReport("log.example", 5, SHA, 2, 1, problems, ("no time stamps",), 0)


def case() -> Any:
    """Held, then approved."""
    from safegen.ledger.records import Entry
    from safegen.review.queue import Case

    step = Entry(5, "review", "2026-01-02T04:00:00Z", {"act": "approve", "decision": 4}, "34" * 32, b"")
    return Case(entry(), (step,), "approved")


def consent() -> Any:
    """A live one."""
    from safegen.consent.records import Consent, Reference

    reference = (Reference("face.png", SHA, "AAAA"),)
    return Consent(3, "2026", "Ada", ("A.",), ("likeness",), None, False, SHA, reference, "live")


def variation(what: str) -> Any:
    """Released, kept or failed."""
    from safegen.errors import GenerationFailed
    from safegen.request.variations import Variation

    if what == "kept":
        return Variation(2, 8, kept=Path("/out/a-2.mp4"))
    if what == "failed":
        return Variation(3, 9, error=GenerationFailed("no memory", hint="make it smaller"))
    return Variation(1, 7, release=release())


def audit() -> Any:
    """One cell, one contrast."""
    from safegen.audit.compare import ContrastResult
    from safegen.audit.evaluation import Audit, Cell, Share
    from safegen.audit.schema import Gate

    share = Share("clear", 30, 0.61224489, 0.5, 0.7, 0.5)
    cell = Cell("all", "weather", (share,), 49, 1, 10, 1.0, 49.0, tv=0.11224489)
    contrast = ContrastResult("a", "b", "weather", 0.1, 0.05, 0.04321, 0.08642, 0.3, ("x", "y"), (5, 5))
    return Audit((cell,), Gate(), {"all": {"released": 50}}, (contrast,), ("x",), ({"name": "tiny"},))


def subject() -> Any:
    """Whose audit it is."""
    from safegen.audit.json_report import Subject

    return Subject("model", "Audit of tiny", "about", "weather", SHA, "default", "ef" * 32)


def text_audit() -> Any:
    """Of captions."""
    from safegen.audit.data import DataAudit, LabelRate

    rate = LabelRate("unsafe", "gender", "woman", 10, 0.3, 20, 0.15, -0.1, 0.4, 0.3333333, 0.6666666)
    return DataAudit(audit(), 30, 2, {"gender": 30}, {"gender": {"woman": 10}}, {"unsafe": 6}, (rate,))


def audit_result() -> Any:
    """Written and recorded."""
    from safegen.audit.session import AuditResult

    return AuditResult(audit(), subject(), Path("/out/audit"), 6, 50)


def doctor_check() -> Any:
    """Something missing."""
    from safegen.doctor import DoctorCheck

    return DoctorCheck("torch", False, False, "not installed", "pip install torch")


def standings() -> Any:
    """A category below its limit, one above every limit."""
    from safegen.policies.explanation import CategoryStanding
    from safegen.policies.schema import Rule

    rule = Rule(review=0.5, block=0.9)
    return [
        CategoryStanding("violence", 0.98765432, Action.BLOCK, rule, None),
        CategoryStanding("self_harm", 0.25, Action.ALLOW, rule, 0.25),
    ]


def comparison() -> Any:
    """One prompt with another outcome."""
    from safegen.screening.comparison import Comparison, OutcomeChange
    from safegen.screening.labelled import LabelledPrompt

    moved = OutcomeChange(LabelledPrompt("p1", PROMPT), "allow", "block", "violence 0.95")
    return Comparison(3, 1, (moved,), {"unsafe": {"allow": (1, 0), "block": (0, 1)}})


def pull_plan() -> Any:
    """A model that is not here."""
    from safegen.generators.hub.listing import HubFile, ModelListing
    from safegen.generators.pull import PullPlan

    files = (HubFile("model.safetensors", 1000, "etag", SHA),)
    listing = ModelListing(
        "org/model", "c0ffee", "", "https://x/licence", "auto", {"_class_name": "WanPipeline"}, files
    )
    return PullPlan(listing, "main", 1000, None, "terms")


def pinned_model() -> Any:
    """One that is."""
    from safegen.generators.hub.lockfile import PinnedFile, PinnedModel

    files = {"model.safetensors": PinnedFile(1000, SHA)}
    return PinnedModel("org/model", "main", "c0ffee", "2026-01-02", files, "", "WanPipeline", "terms")


SAMPLES: dict[str, Callable[[], Any]] = {
    "release": release,
    "allowed": lambda: decision(Allowed),
    "held": lambda: decision(Held),
    "refused": lambda: decision(Refused),
    "detection": detection,
    "report": report,
    "report-bare": bare_report,
    "moderation": moderation,
    "moderation-failed": failed_moderation,
    "compliance": compliance,
    "description": description,
    "reproduction": reproduction,
    "entry": entry,
    "ledger-check": check_report,
    "ledger-release": release_entry,
    "case": case,
    "consent": consent,
    "variation": lambda: variation("released"),
    "variation-kept": lambda: variation("kept"),
    "variation-failed": lambda: variation("failed"),
    "audit": audit_result,
    "doctor": doctor_check,
    "pull-plan": pull_plan,
    "pinned-model": pinned_model,
}
"""By the name of the golden."""


def rewrite() -> None:
    """Write every golden anew (``python -m tests.support.results``); read the difference before a commit."""
    folder = Path(__file__).parents[1] / "data" / "json"
    for name, make in SAMPLES.items():
        (folder / f"{name}.json").write_text(f"{make().to_json()}\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()
