"""Find, resolve and validate policy files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from safegen._util import yaml
from safegen._util.resources import data_path
from safegen.errors import SafegenError, UsageError
from safegen.policies.schema import Policy

PACKS = data_path("policies", "packs")
LISTS = data_path("policies", "lists")
_MAX_CHAIN = 16
_OWN = ("name", "version", "description", "extends", "examples")
"""Keys that a policy does not inherit."""


@dataclass(frozen=True)
class Problem:
    """Something wrong in a policy file: which file, which line (from 1), what, and what to do."""

    path: Path
    line: int
    message: str
    hint: str = ""


def names() -> tuple[str, ...]:
    """Names of the shipped packs, sorted."""
    return tuple(sorted(p.stem for p in PACKS.glob("*.yaml")))


def list_names() -> tuple[str, ...]:
    """Names of the shipped rule lists, sorted."""
    return tuple(sorted(p.stem for p in LISTS.glob("*.yaml")))


def load(name_or_path: str) -> Policy:
    """The policy called *name_or_path*: a shipped pack's name, or a path to a YAML file.

    Raises UsageError for an unknown name (the hint names what exists) and for a file that is not a valid
    policy (the message names file and line).
    """
    path = _locate(name_or_path, Path())
    if path.parent == PACKS:
        return _load_pack(path)
    return _load_file(path)


@lru_cache(maxsize=16)
def _load_pack(path: Path) -> Policy:
    """Shipped packs do not change while the program runs."""
    return _load_file(path)


def _load_file(path: Path) -> Policy:
    document = yaml.read(path)
    merged = _resolve(document, (path.resolve(),))
    try:
        policy = Policy.model_validate(merged)
    except ValidationError as e:
        raise _explain(document, e) from e
    unknown = [n for n in policy.lists if n not in list_names()]
    if unknown:
        at = policy.lists.index(unknown[0])
        raise document.error(
            ("lists", at), f"unknown list {unknown[0]!r}", f"known lists: {', '.join(list_names())}"
        )
    return policy


def chain(name_or_path: str) -> list[tuple[str, dict[str, Any]]]:
    """The files that make up a policy, itself first, then what it extends: name and own content of each.

    Raises UsageError as ``load`` does.
    """
    load(name_or_path)  # so that what follows is known to be sound
    path: Path | None = _locate(name_or_path, Path())
    out: list[tuple[str, dict[str, Any]]] = []
    while path is not None:
        data = yaml.read(path).data
        out.append((str(data["name"]), data))
        path = _locate(data["extends"], path.parent) if data.get("extends") else None
    return out


def lint(path: str | Path) -> tuple[Problem, ...]:
    """Problems of the policy file at *path*, empty when there are none. Raises nothing for a bad file."""
    path = Path(path)
    try:
        policy = _load_file(path)
    except SafegenError as e:
        return (_problem(path, e),)
    document = yaml.read(path)
    found: list[Problem] = []
    if not policy.checks.required:
        found.append(Problem(path, document.line(("checks",)), "no prompt check is required",
                             "name `rules`: a policy without checks lets nothing through"))  # fmt: skip
    if not policy.examples:
        found.append(
            Problem(
                path, 1, "the policy has no examples", "add prompts that the policy must allow and refuse"
            )
        )
    if not any(rule.lowest is not None for rule in policy.categories.values()):
        found.append(Problem(path, document.line(("categories",)), "no category has a threshold",
                             "set `review` or `block` for at least one"))  # fmt: skip
    return tuple(found)


def _problem(path: Path, error: SafegenError) -> Problem:
    """What *error* says about the file at *path*; one in a file that it extends lies at its `extends`."""
    where, _, what = str(error).partition(": ")
    name, _, number = where.rpartition(", line ")
    if not number.isdigit():
        return Problem(path, 1, str(error), error.hint)
    if name == path.name:
        return Problem(path, int(number), what, error.hint)
    return Problem(path, yaml.read(path).line(("extends",)), str(error), error.hint)


def _locate(name: str, base: Path) -> Path:
    """Path of a pack or file; relative paths start at *base*."""
    if name in names():
        return PACKS / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name:
        path = base / name
        if path.is_file():
            return path
        raise UsageError(f"there is no policy file {name!r}", hint=f"shipped policies: {', '.join(names())}")
    near = get_close_matches(name, names(), 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"there is no policy called {name!r}", hint=f"{meant}known: {', '.join(names())}")


def _resolve(document: yaml.Document, chain: tuple[Path, ...]) -> dict[str, Any]:
    """The document's content over that of what it extends."""
    data = document.data
    if not isinstance(data, dict):
        raise document.error((), "a policy must be a mapping of keys to values", "start with `name:`")
    parent = data.get("extends")
    if parent is None:
        return data
    if not isinstance(parent, str):
        raise document.error(("extends",), "`extends` must name one policy", "write `extends: default`")
    try:
        path = _locate(parent, document.path.parent)
    except UsageError as e:
        raise document.error(("extends",), str(e), e.hint) from e
    if path.resolve() in chain:
        loop = " -> ".join(p.stem for p in (*chain, path.resolve()))
        raise document.error(("extends",), f"`extends` forms a loop: {loop}", "remove one of the links")
    if len(chain) >= _MAX_CHAIN:
        raise document.error(("extends",), "the chain of `extends` is too long", "flatten it")
    base = _resolve(yaml.read(path), (*chain, path.resolve()))
    return _merge({k: v for k, v in base.items() if k not in _OWN}, data)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged, except a category's rule, which is replaced as a whole; so is everything else."""
    out = dict(base)
    for key, value in over.items():
        if key == "categories" and isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = {**out[key], **value}
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = _merge(out[key], value)
        else:
            out[key] = value
    return out


def _explain(document: yaml.Document, error: ValidationError) -> UsageError:
    """The first problem pydantic found, with file, line and what would be right."""
    first = error.errors()[0]
    place = tuple(first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    hint = "see docs/policies.md"
    if first["type"] == "extra_forbidden":
        message = f"unknown key {place[-1]!r}"
        near = get_close_matches(str(place[-1]), _keys(place[:-1]), 1)
        hint = f"did you mean {near[0]!r}?" if near else hint
    elif first["type"] == "missing":
        message = f"the key {place[-1]!r} is missing"
    else:
        if "unknown category" in message and len(place) == 1:
            place = (*place, message.split("'")[1])
        message = f"{'.'.join(map(str, place))}: {message}"
    return document.error(place, message, hint)


def _keys(place: tuple[str | int, ...]) -> list[str]:
    """Keys that exist at *place* of the schema."""
    from pydantic import BaseModel

    model: Any = Policy
    for part in place:
        if part == "categories" or isinstance(part, int):
            return (
                ["review", "block"]
                if place[0] == "categories"
                else ["prompt", "negative_prompt", "expect", "category"]
            )
        inner = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
