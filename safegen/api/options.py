"""What the functions that make clips take by name: the settings of a clip, and how it is released.

Type checkers read the ``TypedDict`` classes; ``help()`` and ``inspect.signature`` show the same keywords,
each with its default, from the tables.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypedDict, TypeVar, cast

from safegen.protocols import NoProgress
from safegen.request.build import RequestSettings
from safegen.request.settings import Setting, check_settings, settings_for
from safegen.types import PathLike

if TYPE_CHECKING:
    from safegen.keys.passphrase import Passphrase
    from safegen.protocols import Progress, Signer

F = TypeVar("F", bound=Callable[..., object])


class ReleaseOptions(TypedDict, total=False):
    """How a clip is released, however it was made (``RELEASE_OPTIONS`` says what each means)."""

    watermark: str
    crf: int
    manifest: str | None
    label: str | None
    access: bool | None
    overwrite: bool
    approval: int | None
    workspace: PathLike | None
    passphrase: Passphrase
    signer: Signer | None
    progress: Progress


class GenerationOptions(RequestSettings, ReleaseOptions, total=False):
    """What every way of working takes by name."""


def _option(name: str, kind: type, help: str, default: object = None, unset: str = "") -> Setting:
    return Setting(name, kind, help, frozenset({"release"}), default=default, unset=unset)


RELEASE_OPTIONS: tuple[Setting, ...] = (
    *settings_for("release"),
    _option(
        "manifest",
        str,
        "Where the credentials go: embedded, sidecar, or the https address where you will publish them",
        unset="release.manifest in safegen.toml, else embedded",
    ),
    _option(
        "label",
        str,
        "Visible label in every frame, such as AI-generated",
        unset="release.label in safegen.toml, else none",
    ),
    _option(
        "access",
        bool,
        "Whether captions, descriptions, chapters and a transcript are written with the clip",
        unset="release.access in safegen.toml, else yes",
    ),
    _option("overwrite", bool, "Replace an existing output", False, unset="no"),
    _option(
        "approval",
        int,
        "Number of a held decision that a person approved, or of the approval's own entry: lets exactly the "
        "same request pass the hold, once",
    ),
    _option(
        "workspace",
        object,
        "Workspace folder",
        unset="SAFEGEN_WORKSPACE, else the nearest safegen.toml, else your own",
    ),
    _option(
        "passphrase",
        object,
        "Passphrase of the keys in bytes, or a function that returns it",
    ),
    _option(
        "signer",
        object,
        "Signs instead of the workspace's identity; see ``safegen.keys.signers``",
    ),
    _option("progress", object, "Receives the progress, and can cancel", NoProgress(), unset="none"),
)
"""How a clip is released, in the order of the command line's options."""
_DEFAULTS = cast(ReleaseOptions, {option.name: option.default for option in RELEASE_OPTIONS})


def with_settings(function: F) -> F:
    """Show the settings and the release options in the signature of *function* instead of ``**options``."""
    return _shown(function, (*settings_for("clip"), *RELEASE_OPTIONS))


def with_release_options(function: F) -> F:
    """Show the release options in the signature of *function* instead of ``**how``."""
    return _shown(function, RELEASE_OPTIONS)


def with_explained(*names: str) -> Callable[[F], F]:
    """Explain the keywords *names* of a function, which it has by itself, as the tables do."""
    known = {option.name: option for option in (*settings_for("clip"), *RELEASE_OPTIONS)}
    return lambda function: _explained(function, tuple(known[name] for name in names))


def split_options(function: str, options: GenerationOptions) -> tuple[RequestSettings, ReleaseOptions]:
    """What to make, and how to release it, out of the *options* of *function*.

    Raises TypeError for a name that is neither, UsageError for a release option out of range.
    """
    from safegen.generators.remote.origins import confirm

    known = [setting.name for setting in settings_for("clip")]
    release = [setting.name for setting in RELEASE_OPTIONS]
    refuse_unknown(function, options, (*known, *release))
    made = {name: value for name, value in options.items() if name in known}
    how = {name: value for name, value in options.items() if name in release}
    check_settings(how)
    confirm(options.get("model"))
    return cast(RequestSettings, made), cast(ReleaseOptions, how)


def with_release_defaults(options: ReleaseOptions) -> ReleaseOptions:
    """*options*, and the defaults of those left out."""
    return {**_DEFAULTS, **options}


def check_release_options(function: str, options: ReleaseOptions) -> None:
    """Raise TypeError for an unknown name among the *options* of *function*, UsageError for a wrong value."""
    refuse_unknown(function, options, [setting.name for setting in RELEASE_OPTIONS])
    check_settings(options)


def refuse_unknown(function: str, options: Mapping[str, object], known: tuple[str, ...] | list[str]) -> None:
    """Raise TypeError, as Python would, for a name that is not *known*; similar names are suggested."""
    for name in options:
        if name not in known:
            near = " or ".join(repr(match) for match in get_close_matches(name, known, n=2))
            hint = f"; did you mean {near}?" if near else ""
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint}")


def _shown(function: F, options: tuple[Setting, ...]) -> F:
    """*function* with each of *options* as a keyword of its signature, too, and explained."""
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    keywords = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=option.default,
            annotation=_annotation(option.name),
        )
        for option in options
    ]
    setattr(function, "__signature__", signature.replace(parameters=[*own, *keywords]))  # noqa: B010
    return _explained(function, options)


def _explained(function: F, options: tuple[Setting, ...]) -> F:
    """*function* with each of *options* as an entry of its docstring."""
    if function.__doc__:
        lines = "\n".join(_entry(option) for option in options)
        function.__doc__ = f"{function.__doc__.rstrip()}\n\n    Options:\n{lines}\n    "
    return function


def _entry(option: Setting) -> str:
    """Its lines in a docstring."""
    text = f"{option.name}: {option.describe()}"
    return textwrap.fill(text, 106, initial_indent=" " * 8, subsequent_indent=" " * 12)


def _annotation(name: str) -> str:
    """How the type is written in the ``TypedDict``."""
    written = GenerationOptions.__annotations__.get(name, "object")
    return str(getattr(written, "__forward_arg__", written))
