"""Find and read template files: those shipped with safegen, and the user's own."""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from safegen._util import yaml
from safegen._util.resources import data_path
from safegen.errors import UnreadableInput, UsageError
from safegen.templates.schema import Template, TemplateFile

PACKS = data_path("templates", "packs")
MAX_BYTES = 100_000


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the templates in *folder* (default: the shipped ones), sorted. Raises UsageError."""
    if folder is not None and not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder", hint="give the folder that contains your template files"
        )
    return tuple(sorted(p.stem for p in (folder or PACKS).glob("*.yaml")))


def load(name_or_path: str, folder: Path | None = None) -> Template:
    """The template of that name: a path to a YAML file, one of *folder*, or a shipped one, in this order.

    Raises UsageError for an unknown name and for a file that is no valid template (file and line named).
    """
    if name_or_path.endswith((".yaml", ".yml")) or Path(name_or_path).name != name_or_path:
        return _read(Path(name_or_path))
    for where in filter(None, (folder, PACKS)):
        if name_or_path in names(where):
            return _read(where / f"{name_or_path}.yaml")
    known = sorted({*names(), *(names(folder) if folder else ())})
    near = get_close_matches(name_or_path, known, n=1)
    raise UsageError(
        f"there is no template called {name_or_path!r}",
        hint=f"did you mean {near[0]!r}?"
        if near
        else f"known: {', '.join(known)}; or a path to a .yaml file",
    )


def catalogue(folder: Path | None = None) -> list[Template]:
    """Every template: those of *folder* first, then the shipped ones whose names it does not use."""
    own = [load(name, folder) for name in names(folder)] if folder else []
    taken = {t.name for t in own}
    return own + [load(name) for name in names() if name not in taken]


def _read(path: Path) -> Template:
    """Parse and validate one file."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check the path") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path.name} is too large for a template", hint="check that it is a template file")
    document = yaml.parse(raw, path)
    try:
        content = TemplateFile.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        place = tuple(first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        what = ".".join(map(str, place))
        raise document.error(
            place,
            f"{what}: {message}" if what else message,
            "see docs/templates.md for what a template contains",
        ) from error
    return Template(**content.model_dump(), name=path.stem, digest=hashlib.sha256(raw).hexdigest())
