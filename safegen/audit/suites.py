"""Find and read suites: those shipped with safegen, and the user's own YAML files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from safegen._util import yaml
from safegen._util.hashing import text_sha256
from safegen._util.resources import data_path
from safegen.audit.schema import Suite
from safegen.errors import UsageError
from safegen.types import Json

SHIPPED = data_path("audit", "suites")


@dataclass(frozen=True)
class LoadedSuite:
    """A suite and the SHA-256 (hex) of its content in canonical JSON: comments and layout do not count."""

    suite: Suite
    digest: str


def names() -> tuple[str, ...]:
    """Names of the shipped suites, sorted."""
    return tuple(sorted(p.stem for p in SHIPPED.glob("*.yaml")))


def load(name_or_path: str) -> LoadedSuite:
    """A shipped suite by name, or the one in a YAML file. Raises UsageError naming file and line."""
    if name_or_path in names():
        return _read(SHIPPED / f"{name_or_path}.yaml")
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.name != name_or_path:
        return _read(path)
    near = get_close_matches(name_or_path, names(), n=1)
    raise UsageError(
        f"there is no suite called {name_or_path!r}",
        hint=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names())}; or a .yaml file",
    )


def from_json(content: Json) -> LoadedSuite:
    """A suite as stored by a run. Raises UsageError if it is not one."""
    try:
        return with_digest(Suite.model_validate(content))
    except ValidationError as error:
        raise UsageError("the run's suite is damaged", hint="run the audit again") from error


def with_digest(suite: Suite) -> LoadedSuite:
    """*suite* with its digest."""
    content = json.dumps(suite.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return LoadedSuite(suite, text_sha256(content))


def _read(path: Path) -> LoadedSuite:
    """Parse and validate one file."""
    document = yaml.read(path)
    try:
        suite = Suite.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise document.error(
            tuple(first["loc"]),
            f"{where}: {message}" if where else message,
            "see docs/audit.md, or `safegen audit suites world-open`",
        ) from error
    return with_digest(suite)
