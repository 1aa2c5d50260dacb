"""Plug-ins are found by file name, one loader for each kind.

Each kind has its package; every public module in it that defines ``create()`` is a plug-in named like its
file. What ``create()`` says it returns tells the kinds of one package apart: the name of a protocol. One that
names none is listed as the package's usual kind and may be asked for as any of its kinds. Adding a plug-in is
adding one file.
"""

from __future__ import annotations

import difflib
import importlib
import io
import tokenize
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast

from safegen.errors import UsageError
from safegen.protocols import (
    AttributeExtractor,
    FrameDetector,
    PromptDetector,
    Questions,
    ShippedGenerator,
    Watermark,
)
from safegen.types import Attribute, CheckRun, Clip, Finding

Kind: TypeAlias = Literal[
    "generator", "watermark", "prompt detector", "frame detector", "attribute extractor"
]


class _Home(NamedTuple):
    """Where plug-ins of a kind lie, the protocol they follow, and where a user names them."""

    package: str
    protocol: str
    use: str


_HOMES: dict[Kind, _Home] = {
    "generator": _Home("safegen.generators", "ShippedGenerator", "give it to `--model`"),
    "watermark": _Home("safegen.watermarks", "Watermark", "give it to `--watermark`"),
    "prompt detector": _Home(
        "safegen.detectors.prompt", "PromptDetector", "name it under `checks: required:` in a policy"
    ),
    "frame detector": _Home(
        "safegen.detectors.frames", "FrameDetector", "name it under `frames:` in a policy"
    ),
    "attribute extractor": _Home(
        "safegen.detectors.frames",
        "AttributeExtractor",
        "name it under `attributes:` in a policy, or in an audit suite",
    ),
}
"""The first kind of a package is its usual one."""


def load_generator(name: str) -> ShippedGenerator:
    """The embedded generator *name*. Raises UsageError for an unknown one."""
    return cast("ShippedGenerator", _create("generator", name))


def load_watermark(name: str) -> Watermark:
    """The watermark scheme *name*. Raises UsageError for an unknown one, MissingExtra."""
    return cast("Watermark", _create("watermark", name))


def load_prompt_detector(name: str) -> PromptDetector:
    """The prompt detector *name*; one that has only ``run`` is completed.

    Raises UsageError for an unknown one, and whatever its ``create`` raises when it cannot work here.
    """
    made = _create("prompt detector", name)
    members = ("name", "rates_whole_prompt", "run_many", "with_lists")
    if all(hasattr(made, member) for member in members):
        return cast("PromptDetector", made)
    return _CompletedDetector(name, made)


def load_frame_detector(name: str) -> FrameDetector:
    """The frame detector *name*. Raises UsageError for an unknown one or an attribute extractor."""
    return cast("FrameDetector", _create("frame detector", name))


def load_attribute_extractor(name: str) -> AttributeExtractor:
    """The attribute extractor *name*; one that has only ``run`` is completed.

    Raises UsageError for an unknown one or a frame detector.
    """
    made = _create("attribute extractor", name)
    if hasattr(made, "name") and hasattr(made, "prepare"):
        return cast("AttributeExtractor", made)
    return _CompletedExtractor(name, made)


@cache
def names(kind: Kind) -> tuple[str, ...]:
    """Names of the plug-ins of *kind*, sorted. None of them is imported for it."""
    package = _HOMES[kind].package
    return tuple(sorted(name for name, file in _modules(package) if _kind_of(file, package) == kind))


def require(kind: Kind, name: str) -> None:
    """Raise UsageError unless there is a plug-in *name* of *kind*; nothing is imported for it."""
    wanted = name.replace("-", "_")
    known = names(kind)
    package = _HOMES[kind].package
    if wanted in known or any(n == wanted and _returned_by_create(f) == "" for n, f in _modules(package)):
        return
    for other, home in _HOMES.items():
        if wanted in names(other):
            raise UsageError(f"{name!r} is {_a(other)}, not {_a(kind)}", hint=home.use)
    near = difflib.get_close_matches(wanted, known, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"there is no {kind} called {name!r}", hint=f"{meant}known: {', '.join(known)}")


def _create(kind: Kind, name: str) -> object:
    """What the plug-in's ``create()`` gives."""
    require(kind, name)
    made: object = importlib.import_module(f"{_HOMES[kind].package}.{name.replace('-', '_')}").create()
    return made


def _modules(package: str) -> Iterator[tuple[str, Path]]:
    """Public modules and folders of *package*: name and file."""
    for folder in map(Path, importlib.import_module(package).__path__):
        for file in (*folder.glob("*.py"), *folder.glob("*/__init__.py")):
            name = file.parent.name if file.name == "__init__.py" and file.parent != folder else file.stem
            if not name.startswith("_"):
                yield name, file


def _kind_of(file: Path, package: str) -> Kind | None:
    """The kind of plug-in that a module is, by what its ``create`` says it returns; None: it has none."""
    said = _returned_by_create(file)
    if said is None:
        return None
    kinds: list[Kind] = [kind for kind, home in _HOMES.items() if home.package == package]
    return next((kind for kind in kinds if _HOMES[kind].protocol == said), kinds[0])


def _returned_by_create(file: Path) -> str | None:
    """The protocol that a module's ``create`` says it returns; "" for anything else, None without ``create``.

    A file that Python cannot read counts as one that says nothing: loading it then says what is wrong.
    Read by tokens: ``ast.parse`` fails now and then where several threads call it at once (Python 3.11).
    """
    source = file.read_bytes()
    if b"create" not in source:
        return None
    statement: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type == tokenize.NEWLINE:
                if (said := _bound_by(statement)) is not None:
                    return said if said in {home.protocol for home in _HOMES.values()} else ""
                statement = []
            elif token.type in (tokenize.NAME, tokenize.OP, tokenize.STRING):
                statement.append(token)
    except (tokenize.TokenError, SyntaxError):
        return "" if b"def create" in source else None
    return None


def _bound_by(statement: Sequence[tokenize.TokenInfo]) -> str | None:
    """What a statement's ``create`` says it returns, its last name; None where it binds no such global."""
    words = [token.string for token in statement]
    if not words or statement[0].start[1]:
        return None
    if words[:2] == ["def", "create"]:
        depth = 0
        for at, word in enumerate(words):
            depth += (word in "([{") - (word in ")]}")
            if word == "->" and not depth:
                return words[words.index(":", at) - 1].strip("'\"").rpartition(".")[2]
        return ""
    imported = words[0] == "from" and "create" in words and words[-1] in ("create", ")", ",")
    assigned = words[0] == "create" and words[1:2] in (["="], [":"])
    return "" if imported or assigned else None


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


class _CompletedDetector:
    """A prompt detector made of one that has only ``run``, or lacks some of the rest."""

    def __init__(self, name: str, made: object) -> None:
        self._made = cast("PromptDetector", made)
        self.name: str = getattr(made, "name", name)
        self.rates_whole_prompt: bool = getattr(made, "rates_whole_prompt", False)

    def run(self, text: str) -> tuple[Sequence[Finding], CheckRun]:
        """Its own."""
        return self._made.run(text)

    def run_many(self, texts: Sequence[str]) -> Sequence[tuple[Sequence[Finding], CheckRun]]:
        """Its own, or ``run`` for one after the other."""
        if hasattr(self._made, "run_many"):
            return self._made.run_many(texts)
        return [self._made.run(text) for text in texts]

    def with_lists(self, lists: Sequence[str]) -> PromptDetector:
        """Its own, or itself: it reads no lists."""
        if hasattr(self._made, "with_lists"):
            return _CompletedDetector(self.name, self._made.with_lists(lists))
        return self


class _CompletedExtractor:
    """An attribute extractor made of one that has only ``run``."""

    def __init__(self, name: str, made: object) -> None:
        self._made = cast("AttributeExtractor", made)
        self.name: str = getattr(made, "name", name)

    def prepare(self, questions: Questions) -> AttributeExtractor:
        """Its own, or itself: there is nothing to prepare."""
        return self._made.prepare(questions) if hasattr(self._made, "prepare") else self

    def run(self, clip: Clip) -> tuple[Sequence[Attribute], CheckRun]:
        """Its own."""
        return self._made.run(clip)
