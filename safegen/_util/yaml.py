"""YAML that remembers its lines, for error messages a person can act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from safegen.errors import UsageError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 1_000_000
MAX_DEPTH = 12
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Parsed content and the line (from 1) of every key and item, by its path."""

    path: Path
    data: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Line of *place*, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def error(self, place: Place, message: str, hint: str = "") -> UsageError:
        """An error that names file and line."""
        return UsageError(f"{self.path.name}, line {self.line(place)}: {message}", hint=hint)


def read(path: Path) -> Document:
    """Parse *path*. Raises UsageError for what cannot be read: missing, too big, not YAML, duplicate keys,
    aliases.
    """
    try:
        raw = path.read_bytes()
    except OSError as e:
        reason = e.strerror or "cannot be read"
        raise UsageError(f"cannot read {path.name}: {reason}", hint="check the path") from e
    return parse(raw, path)


def parse(raw: bytes, path: Path) -> Document:
    """Parse *raw* as the content of *path*; raises as ``read`` does."""
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path.name} is larger than {MAX_BYTES} bytes", hint="split the file")
    loader = None
    try:
        loader = _Loader(raw)
        node = loader.get_single_node()
        document = Document(path, None)
        data = _convert(loader, node, (), document) if node is not None else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
        mark = getattr(e, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(e, "problem", None) or "not valid YAML"
        raise UsageError(f"{path.name}, line {line}: {problem}", hint="correct the YAML syntax") from e
    finally:
        if loader is not None:
            loader.dispose()
    return Document(path, data, document.lines)


def _convert(loader: Any, node: Any, place: Place, document: Document) -> Any:
    """Node -> plain Python, lines noted. Anchors that nest deeply are refused (they can grow without
    bound).
    """
    document.lines.setdefault(place, node.start_mark.line + 1)
    if len(place) > MAX_DEPTH or len(document.lines) > 200_000:
        raise document.error(place, "nested too deeply or too large", "flatten the file")
    if isinstance(node, yaml.MappingNode):
        out: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            here = (*place, key if isinstance(key, int) else str(key))
            document.lines[here] = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise document.error(here, f"the key {key!r} is not text", "put it in quotes")
            if key in out:
                raise document.error(here, f"the key {key!r} appears twice", "remove one of them")
            out[key] = _convert(loader, value_node, here, document)
        return out
    if isinstance(node, yaml.SequenceNode):
        return [_convert(loader, item, (*place, i), document) for i, item in enumerate(node.value)]
    return loader.construct_object(node, deep=True)
