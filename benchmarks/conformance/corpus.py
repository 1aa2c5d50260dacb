"""The files that are looked at, with whom to trust for each: the field's, the cases, our own, the user's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CASES_AT = "2026-12-01T12:00:00+00:00"
"""The time at which the certificates of the cases are valid."""
PASSED_OVER = {".pem", ".json", ".yaml", ".yml", ".md", ".toml", ".txt", ".crl", ""}
"""What lies among credentialed files and is none."""
PINNED_FOR_BOTH = "shared"
"""A root with this word in its name is pinned for signers and for time stamps (such roots are on both of
the official lists)."""
MAX_FILE = 512 * 2**20


@dataclass(frozen=True)
class Subject:
    """A file, its name in tables and reasons, and whom to trust: PEM texts for signers and for time stamps.

    ``at`` (ISO 8601) is the time at which certificates are judged, None: now. ``expected`` is the one right
    answer where it is known from how the file was made.
    """

    name: str
    path: Path
    anchors: str = ""
    tsa_anchors: str = ""
    at: str | None = None
    expected: str | None = None


def field_files(shared: Path) -> Iterator[Subject]:
    """The field's own test files, with its test anchors and the official lists."""
    folder = shared / "data/c2pa"
    settings = json.loads((folder / "trust_config_test_settings.json").read_text(encoding="utf-8"))
    anchors = settings["trust"]["trust_anchors"] + (folder / "C2PA-TRUST-LIST.pem").read_text(
        encoding="utf-8"
    )
    stamps = (folder / "C2PA-TSA-TRUST-LIST.pem").read_text(encoding="utf-8")
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix not in PASSED_OVER and not path.name.startswith("LICENSE"):
            yield Subject(f"c2pa/{path.name}", path, anchors, stamps)


def folder_files(folder: Path, name: str, *, at: str | None = None) -> Iterator[Subject]:
    """Every file below *folder*; the PEM files beside a file are the anchors for it.

    Where one of them carries the file's own name (``a.root.pem`` beside ``a.jpg``) or its version mark
    (``root_v1.pem`` beside ``x_v1.jpg``), that one alone counts.
    """
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not path.is_file() or path.suffix in PASSED_OVER or path.stat().st_size > MAX_FILE:
            continue
        anchors, stamps = _beside(path)
        yield Subject(f"{name}/{path.relative_to(folder).as_posix()}", path, anchors, stamps, at)


def _beside(path: Path) -> tuple[str, str]:
    found = sorted(path.parent.glob("*.pem"))
    words = set(re.split(r"[_.]", path.stem))
    own = [p for p in found if p.name.startswith(f"{path.stem}.")]
    alike = [p for p in found if len(words & set(re.split(r"[_.]", p.stem)) - {"root"}) > 0]
    chosen = own or alike or found
    texts = [p.read_text(encoding="utf-8") for p in chosen]
    both = [t for p, t in zip(chosen, texts, strict=True) if PINNED_FOR_BOTH in p.stem]
    return "".join(texts), "".join(both)


def case_files(shared: Path) -> Iterator[Subject]:
    """The inputs on which the product was wrong once."""
    yield from folder_files(shared / "data/cases", "cases", at=CASES_AT)


def own_files(folder: Path) -> Iterator[Subject]:
    """Signed samples of our own in every container we can make, each with an altered twin."""
    from tests.support import signed

    for name in signed.containers():
        place = folder / name
        path = signed.make(name, place)
        twin = signed.alter(path)
        anchors = signed.root_pem(place).decode()
        yield Subject(f"ours/{name}", path, anchors, expected="intact, trusted")
        yield Subject(f"ours/{name} altered", twin, anchors, expected="altered")
