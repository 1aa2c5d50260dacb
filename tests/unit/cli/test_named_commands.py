"""Every command that a hint, a help text or a page names exists, with the options it is named with."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from safegen.cli import group
from tests.support import pages

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted(
    p for folder in ("safegen", "cli", "detectors", "policies") for p in (ROOT / folder).rglob("*.py")
)
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DATA = sorted((ROOT / "safegen").rglob("*.yaml")) + sorted((ROOT / "policies").rglob("*.yaml"))
_QUOTED = re.compile(r"(?P<ticks>`+)(?:(?:\w*\$ )?safegen (?P<words>[^`]+)|[^`]+)(?P=ticks)")
_TYPED = re.compile(r"^(?:\w*\$ )?safegen (?P<words>[^\n#]+)", re.M)
_TOLD = re.compile(r"\b(?:[Rr]un|try) safegen (?P<words>[a-z][\w ={}.-]*)")
NAMED_OLD = {"docs/adr/0001-names-of-the-field.md"}
"""It says what things were called before."""
PROSE = {"video", "log key rotation", "frames 1: WIDTHxHEIGHT rgb24 FPS"}
"""What stands in quotes and is typed by nobody: a certificate's name, a file's first line."""


def named() -> Iterator[tuple[str, str]]:
    """Where a command is named, and its words after ``safegen``."""
    for path in [*SOURCES, *DATA, *DOCUMENTS]:
        name = path.relative_to(ROOT).as_posix()
        if name in NAMED_OLD or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        # Texts in the sources that go on in the next line are one text.
        whole = re.sub(r'"\n\s*f?"', "", text) if path.suffix == ".py" else text
        typed = ""
        if path.suffix == ".md":
            typed = "\n".join(b.text for b in pages.blocks(path) if b.language in ("sh", "console"))
            whole = re.sub(r"^```.*?^```", "", whole, flags=re.S | re.M)
        for pattern, place in ((_QUOTED, whole), (_TOLD, whole), (_TYPED, typed)):
            for found in pattern.finditer(place):
                words = " ".join((found["words"] or "").split())
                if words and words not in PROSE:
                    yield name, words


def missing(words: str) -> str:
    """What of *words* does not exist; empty when all of it does."""
    command: click.Command = group
    context = click.Context(group)
    options = {"-h", "--help", "-v", "-vv", "--verbose", "--version"}
    for word in re.split(r"[\s|]+", words):
        if word.startswith("-"):
            option = re.split(r"[=`\"',.;:)\]]", word)[0]
            known = options | {o for p in command.get_params(context) for o in (*p.opts, *p.secondary_opts)}
            if option.strip("-") and option not in known:
                return f"{command.name} {option}"
        elif isinstance(command, click.Group):
            if not re.fullmatch(r"[a-z][a-z0-9-]*", word):
                break  # a name that stands for any, as in `safegen {command}`
            found = command.get_command(context, word)
            if found is None:
                return f"{command.name} {word}"
            command, context = found, click.Context(found, parent=context)
    return ""


def test_every_command_that_is_named_exists() -> None:
    places = list(named())
    assert len(places) > 150
    assert [f"{where}: safegen {words}" for where, words in places if missing(words)] == []


def test_every_module_that_a_page_runs_exists() -> None:
    found = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"python -m ([a-z_.]+[a-z])", path.read_text(encoding="utf-8"))
    }
    assert len(found) > 10
    for name in found:
        assert importlib.util.find_spec(name) is not None, name


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("init", "safegen init"),
        ("keys unmake", "keys unmake"),
        ("verify FILE --sideways", "verify --sideways"),
        ("verify FILE --require signed", ""),
        ("keys export-trust -o t.json", ""),
        ("models pull {name}", ""),
    ],
)
def test_the_test_itself(words: str, gone: str) -> None:
    assert missing(words).removeprefix("main ").removeprefix("group ").endswith(gone.removeprefix("safegen "))
    assert bool(missing(words)) == bool(gone)
