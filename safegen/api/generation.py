"""The generating half of the Python API: every way of working, from words or clips to a release.

Each function screens, admits inputs, generates, marks, signs, records and releases; each takes the same
options (``safegen.api.options``). Every function raises SafegenError subclasses only and never prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from safegen.api.options import (
    GenerationOptions,
    ReleaseOptions,
    check_release_options,
    split_options,
    with_release_defaults,
    with_release_options,
    with_settings,
)
from safegen.pipeline.kept_prompt import prompt_or_kept
from safegen.request import build
from safegen.request.build import BuiltRequest
from safegen.request.build import new_seed as new_seed
from safegen.request.settings import check_settings
from safegen.types import Json, PathLike, Release, Request, Shot

if TYPE_CHECKING:
    from safegen.pipeline.context import ReleaseSettings
    from safegen.request.variations import Variation
    from safegen.workspace.config import Workspace
    from safegen.workspace.session import Session


@with_settings
def generate(
    prompt: str,
    output: PathLike | None = None,
    *,
    image: PathLike | None = None,
    last_image: PathLike | None = None,
    **options: Unpack[GenerationOptions],
) -> Release:
    """Screen *prompt*, generate a video, mark, sign, record and release it.

    *output* is the final path (default: a fresh name in the current folder); it never appears before
    everything has succeeded. *image* is a picture to begin with, *last_image* one to end with, if the model
    supports it.

    Raises RefusedByPolicy, HeldForReview, UsageError (UnreadableInput for a bad input), CheckUnavailable,
    GenerationFailed, ReleaseFailed, Interrupted; in every case no output file is left.
    """
    settings, how = split_options("generate", options)
    return release_request(
        build.generate(prompt, image=image, last_image=last_image, **settings), output, **how
    )


@with_settings
def remix(
    video: PathLike,
    prompt: str,
    output: PathLike | None = None,
    *,
    strength: float | None = None,
    **options: Unpack[GenerationOptions],
) -> Release:
    """Remake *video* from *prompt*; *strength* in (0, 1]: how far to depart from it. As ``generate``."""
    settings, how = split_options("remix", options)
    return release_request(build.remix(video, prompt, strength=strength, **settings), output, **how)


@with_settings
def extend(
    video: PathLike,
    prompt: str | None = None,
    output: PathLike | None = None,
    *,
    backwards: bool = False,
    **options: Unpack[GenerationOptions],
) -> Release:
    """Extend *video* forwards, or with *backwards* backwards; ``seconds`` is the length of the whole result.

    Without *prompt*, the one the workspace kept for the video is used, if any: a warning says which.
    Raises as ``generate``.
    """
    settings, how = split_options("extend", options)
    shot: Literal["first", "last"] = "first" if backwards else "last"
    text, notes = prompt_or_kept(prompt, [video], _find_workspace(how), shot=shot)
    built = build.extend(video, text, backwards=backwards, notes=notes, **settings)
    return release_request(built, output, **how)


@with_settings
def loop(
    video: PathLike,
    prompt: str | None = None,
    output: PathLike | None = None,
    **options: Unpack[GenerationOptions],
) -> Release:
    """Make *video* end where it begins. *prompt* as for ``extend``. Raises as ``generate``."""
    settings, how = split_options("loop", options)
    text, notes = prompt_or_kept(prompt, [video], _find_workspace(how))
    return release_request(build.loop(video, text, notes=notes, **settings), output, **how)


@with_settings
def blend(
    video: PathLike,
    next_video: PathLike,
    prompt: str | None = None,
    output: PathLike | None = None,
    **options: Unpack[GenerationOptions],
) -> Release:
    """Make a clip that turns *video* into *next_video*. *prompt*: see ``extend``. Raises as ``generate``."""
    settings, how = split_options("blend", options)
    text, notes = prompt_or_kept(prompt, [video, next_video], _find_workspace(how))
    return release_request(build.blend(video, next_video, text, notes=notes, **settings), output, **how)


@with_settings
def storyboard(
    shots: Sequence[Shot], output: PathLike | None = None, **options: Unpack[GenerationOptions]
) -> Release:
    """Make one clip from several prompts on a timeline: *shots*, the first at 0 seconds.

    Raises as ``generate``.
    """
    settings, how = split_options("storyboard", options)
    return release_request(build.storyboard(shots, **settings), output, **how)


@with_release_options
def release_request(
    built: BuiltRequest, output: PathLike | None = None, **how: Unpack[ReleaseOptions]
) -> Release:
    """Make and release a request that was *built* (see ``safegen.request.build``). Raises as ``generate``."""
    check_release_options("release_request", how)
    return generate_request(built.request, output, notes=built.notes, **how)


@with_release_options
def generate_request(
    request: Request,
    output: PathLike | None = None,
    *,
    notes: Sequence[str] = (),
    **how: Unpack[ReleaseOptions],
) -> Release:
    """``generate`` for a request that exists already; *notes* join the release's warnings."""
    from safegen.pipeline.produce import produce

    check_release_options("generate_request", how)
    check_settings(vars(request))
    with _open_session(how) as session:
        return produce(
            request,
            None if output is None else Path(output),
            session=session,
            settings=_release_settings(how),
            notes=notes,
            approval=how.get("approval"),
        )


@with_release_options
def variations(
    built: BuiltRequest,
    output: PathLike | None,
    count: int,
    *,
    resume: bool = False,
    **how: Unpack[ReleaseOptions],
) -> Iterator[Variation]:
    """Make *count* clips of one request, one after the other, with seeds derived from its seed.

    *output* ``clip.mp4`` stands for ``clip-1.mp4`` and so on. A clip that fails in generating or marking
    becomes an item with its error, and the others continue; anything else is raised. With *resume*, existing
    files are kept if they are what would be made. Raises UsageError, and as ``generate`` does.
    """
    from safegen.errors import UsageError
    from safegen.pipeline.produce import find_generator, produce
    from safegen.request.variations import generate_variations

    check_release_options("variations", how)
    check_settings(vars(built.request))
    if how.get("approval") is not None:
        raise UsageError("an approval lets a single request pass, once", hint="omit --variations")
    with _open_session(how) as session:
        generator = find_generator(built.request.model)

        def one(request: Request, destination: Path | None) -> Release:
            return produce(
                request,
                destination,
                session=session,
                settings=_release_settings(how),
                generator=generator,
                notes=built.notes,
            )

        first = None if output is None else Path(output)
        ledger = session.ledger if resume else None
        yield from generate_variations(built.request, first, count, produce=one, ledger=ledger)


def plan(
    request: Request,
    output: PathLike | None = None,
    *,
    workspace: PathLike | None = None,
    notes: Sequence[str] = (),
) -> Json:
    """What ``generate_request`` would do, as JSON values; nothing is made, recorded or loaded.

    *request*, *output*, *workspace* and *notes* are those that it would take.

    Raises RefusedByPolicy, HeldForReview, UsageError, CheckUnavailable as ``generate`` would.
    """
    from safegen.pipeline.plan import plan as run
    from safegen.workspace.config import find_workspace

    check_settings(vars(request))
    return run(
        request, None if output is None else Path(output), workspace=find_workspace(workspace), notes=notes
    )


def _release_settings(how: ReleaseOptions) -> ReleaseSettings:
    """How the clip is marked and written."""
    from safegen.media.encode import Encoding
    from safegen.pipeline.context import ReleaseSettings

    full = with_release_defaults(how)
    return ReleaseSettings(full["watermark"], Encoding(crf=full["crf"]), full["overwrite"])


def _find_workspace(how: ReleaseOptions) -> Workspace:
    from safegen.workspace.config import find_workspace

    return find_workspace(how.get("workspace"))


def _open_session(how: ReleaseOptions) -> AbstractContextManager[Session]:
    from safegen.workspace.session import open_session

    return open_session(
        _find_workspace(how).with_release_settings(
            manifest=how.get("manifest"), label=how.get("label"), access=how.get("access")
        ),
        passphrase=how.get("passphrase"),
        signer=how.get("signer"),
        progress=how.get("progress"),
    )
