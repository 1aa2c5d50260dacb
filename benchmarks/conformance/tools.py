"""The three readers, each asked in its own words: c2pa (c2pa-rs), encypher-c2pa, and ``safegen verify``.

They are asked about the same bytes, with the same anchors, offline. c2pa is set up here and not by
``safegen.credentials.library``: how safegen sets it up is part of what is looked at.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.conformance.answers import Answer, Content
from benchmarks.conformance.corpus import Subject

PURPOSES = """
1.3.6.1.5.5.7.3.4
1.3.6.1.5.5.7.3.36
1.3.6.1.5.5.7.3.8
1.3.6.1.5.5.7.3.9
1.3.6.1.4.1.311.76.59.1.9
1.3.6.1.4.1.62558.2.1
"""
"""Key purposes that the field's own configuration accepts: e-mail, documents, time stamps, OCSP, C2PA."""
UNCHECKED = {
    "signingCredential.untrusted",
    "signingCredential.expired",
    "signingCredential.invalid",
    "signingCredential.revoked",
    "signingCredential.ocsp.revoked",
    "claimSignature.outsideValidity",
    "timeStamp.untrusted",
    "timeStamp.mismatch",
    "timeStamp.outsideValidity",
    "timeStamp.malformed",
    "algorithm.unsupported",
    "manifest.inaccessible",
    "cawg.x509.credential.untrusted",
    "cawg.ica.untrusted_issuer",
    "cawg.ica.did_unavailable",
}
"""Codes that say who signed, or that something could not be checked, and nothing about changed bytes."""
KNOWN_SIGNER = "signingCredential.trusted"
MIMES = {
    ".svg": "image/svg+xml",
    ".jxl": "image/jxl",
    ".epub": "application/epub+zip",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".zip": "application/zip",
    ".dng": "image/x-adobe-dng",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".heif": "image/heif",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".ogg": "audio/ogg",
    ".c2pa": "application/c2pa",
}


def mime_of(path: Path) -> str:
    """The MIME type told to readers that ask for one: from the bytes, else from the name."""
    from safegen.credentials import formats

    named = MIMES.get(path.suffix.lower())
    return named or formats.detect(path).mime or "application/octet-stream"


def ask_c2pa(subject: Subject) -> Answer:
    """c2pa's own answer."""
    import c2pa

    lists = [
        {"trust_uri": f"conformance:{kind}", "trust_kind": kind, "trust_anchors": pem}
        for kind, pem in (("manifest", subject.anchors), ("tsa", subject.tsa_anchors))
        if pem
    ]
    settings: dict[str, Any] = {
        "version": 1,
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "trust": {"anchors": lists, "trust_config": PURPOSES},
    }
    context = c2pa.Context.from_json(json.dumps(settings))
    try:
        with (
            subject.path.open("rb") as file,
            c2pa.Reader(MIMES.get(subject.path.suffix.lower()), file, context=context) as reader,
        ):
            document = json.loads(reader.json())
    except c2pa.C2paError as error:
        return _not_opened(str(error))
    results = document.get("validation_results", {})
    active = results.get("activeManifest", {})
    failures = [entry["code"] for entry in active.get("failure", [])]
    known = any(entry["code"] == KNOWN_SIGNER for entry in active.get("success", []))
    state = document.get("validation_state")
    detail = f"{state} {' '.join(dict.fromkeys(failures))}".strip()
    if state in ("Valid", "Trusted"):
        return Answer(Content.INTACT, known, detail)
    return Answer(_content(failures), False, detail)


def _not_opened(text: str) -> Answer:
    """c2pa's errors by their kind, which leads the text."""
    kind = text.partition(": ")[0]
    if kind == "ManifestNotFound":
        return Answer(Content.NONE, detail=kind)
    if kind in ("NotSupported", "Io") or "asset could not be parsed" in text:
        return Answer(Content.ABSTAINS, detail=kind)
    return Answer(Content.UNREADABLE, detail=text[:120])


def _content(failures: list[str]) -> Content:
    return Content.UNREADABLE if failures and set(failures) <= UNCHECKED else Content.ALTERED


def ask_encypher(subject: Subject) -> Answer:
    """The answer of encypher-c2pa, which shares no code with c2pa-rs."""
    for name in ("TELEMETRY", "ONLINE"):
        os.environ[f"ENCYPHER_C2PA_{name}"] = "off"
    import encypher_c2pa

    options: dict[str, Any] = {"no_default_trust": True, "telemetry": False, "online": False}
    try:
        report = encypher_c2pa.verify(
            subject.path.read_bytes(),
            mime_of(subject.path),
            trust_pem=subject.anchors or None,
            tsa_trust_pem=subject.tsa_anchors or None,
            validation_time=subject.at,
            **options,
        )
    except ValueError as error:
        silent = "unsupported_mime" in str(error)
        return Answer(Content.ABSTAINS if silent else Content.UNREADABLE, detail=str(error)[:120])
    failures = [entry["code"] for entry in report["validation_results"]["failure"]]
    detail = f"{report['validation_state']} {' '.join(dict.fromkeys(failures))}".strip()
    if not report["present"]:
        return Answer(Content.NONE, detail=detail)
    if report["integrity"] == "valid" and report["hard_binding"] == "match":
        known = any(entry["code"] == KNOWN_SIGNER for entry in report["validation_results"]["success"])
        return Answer(Content.INTACT, known, detail)
    return Answer(_content(failures), False, detail)


def ask_safegen(subject: Subject) -> Answer:
    """What ``safegen verify`` says, in a workspace of its own with these anchors pinned for this run."""
    import safegen

    with tempfile.TemporaryDirectory() as folder:
        try:
            report = safegen.verify(
                subject.path,
                workspace=Path(folder) / "workspace",
                trust=_trust_files(subject, Path(folder)),
                watermark=False,
                at=None if subject.at is None else datetime.fromisoformat(subject.at),
            )
        except safegen.SafegenError as error:
            return Answer(Content.UNREADABLE, detail=f"exit {error.exit_code}: {error}"[:120])
    return _reduced(report)


def _trust_files(subject: Subject, folder: Path) -> list[Path]:
    """The anchors as one trust bundle, or nothing where there are none."""
    from safegen.keys.bundle import TrustBundle, bundle_to_json, parse_trust

    if not (subject.anchors or subject.tsa_anchors):
        return []
    roots = parse_trust(subject.anchors.encode()).roots if subject.anchors else ()
    stamps = parse_trust(subject.tsa_anchors.encode(), kind="tsa").tsa_roots if subject.tsa_anchors else ()
    file = folder / "anchors.json"
    file.write_text(bundle_to_json(TrustBundle("anchors", roots, tsa_roots=stamps)), encoding="utf-8")
    return [file]


def _reduced(report: Any) -> Answer:
    from safegen import Verdict
    from safegen.types import CredentialState

    verdict, credentials = report.verdict, report.credentials
    detail = " ".join(
        [verdict.name, *dict.fromkeys([*credentials.failures, *credentials.ingredient_failures])]
    )
    if verdict in (Verdict.TAMPERED, Verdict.CONFLICT):
        return Answer(Content.ALTERED, False, detail)
    if credentials.state is CredentialState.VALID:
        return Answer(Content.INTACT, credentials.trusted, detail)
    if credentials.state in (CredentialState.UNREADABLE, CredentialState.REMOTE_NOT_FETCHED):
        return Answer(Content.UNREADABLE, False, detail)
    return Answer(Content.NONE, False, f"{detail} {credentials.state.value}")


TOOLS: dict[str, Callable[[Subject], Answer]] = {
    "c2pa": ask_c2pa,
    "encypher": ask_encypher,
    "safegen": ask_safegen,
}
