"""The generating half of the Python API: every way of working, from words or clips to a release.

Each function screens, admits inputs, generates, marks, signs, records and releases; each takes the same
options (``Options``). Every function raises SafegenError subclasses only and never prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack, cast

from safegen.request import build
from safegen.request.build import BuiltRequest, RequestSettings
from safegen.types import Json, PathLike, Release, Request, Shot

if TYPE_CHECKING:
    from safegen.keys.passphrase import Passphrase
    from safegen.pipeline.context import ReleaseSettings
    from safegen.protocols import Progress, Signer
    from safegen.request.variations import Variation
    from safegen.workspace.config import Workspace
    from safegen.workspace.session import Session


class ReleaseOptions(TypedDict, total=False):
    """How a clip is released, however it was made.

    ``watermark``: scheme (default ``tile``); ``crf``: H.264 quality (18); ``overwrite``: replace an existing
    output; ``workspace``: its folder; ``signer`` signs instead of the workspace's identity
    (``safegen.keys.signers``); ``approval``: a held decision that a person approved, or the approval's own
    entry: it lets exactly the same request pass the hold, once; ``manifest``, ``label`` and
    ``access`` as in ``safegen.workspace.config.Config``.
    """

    manifest: str | None
    label: str | None
    access: bool | None
    watermark: str
    crf: int
    overwrite: bool
    workspace: PathLike | None
    passphrase: Passphrase
    signer: Signer | None
    progress: Progress
    approval: int | None


class GenerationOptions(RequestSettings, ReleaseOptions, total=False):
    """What every way of working takes by name: ``RequestSettings`` and ``ReleaseOptions``."""


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
    settings, how = _split_options(options)
    return release_request(
        build.generate(prompt, image=image, last_image=last_image, **settings), output, **how
    )


def remix(
    video: PathLike,
    prompt: str,
    output: PathLike | None = None,
    *,
    strength: float | None = None,
    **options: Unpack[GenerationOptions],
) -> Release:
    """Remake *video* from *prompt*; *strength* in (0, 1]: how far to depart from it. As ``generate``."""
    settings, how = _split_options(options)
    return release_request(build.remix(video, prompt, strength=strength, **settings), output, **how)


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
    settings, how = _split_options(options)
    space = _find_workspace(how)
    return release_request(
        build.extend(video, prompt, backwards=backwards, workspace=space, **settings), output, **how
    )


def loop(
    video: PathLike,
    prompt: str | None = None,
    output: PathLike | None = None,
    **options: Unpack[GenerationOptions],
) -> Release:
    """Make *video* end where it begins. *prompt* as for ``extend``. Raises as ``generate``."""
    settings, how = _split_options(options)
    return release_request(
        build.loop(video, prompt, workspace=_find_workspace(how), **settings), output, **how
    )


def blend(
    video: PathLike,
    next_video: PathLike,
    prompt: str | None = None,
    output: PathLike | None = None,
    **options: Unpack[GenerationOptions],
) -> Release:
    """Make a clip that turns *video* into *next_video*. *prompt*: see ``extend``. Raises as ``generate``."""
    settings, how = _split_options(options)
    space = _find_workspace(how)
    return release_request(build.blend(video, next_video, prompt, workspace=space, **settings), output, **how)


def storyboard(
    shots: Sequence[Shot], output: PathLike | None = None, **options: Unpack[GenerationOptions]
) -> Release:
    """Make one clip from several prompts on a timeline, the first at 0 seconds. Raises as ``generate``."""
    settings, how = _split_options(options)
    return release_request(build.storyboard(shots, **settings), output, **how)


def release_request(
    built: BuiltRequest, output: PathLike | None = None, **how: Unpack[ReleaseOptions]
) -> Release:
    """Make and release a request that was *built* (see ``safegen.request.build``). Raises as ``generate``."""
    return generate_request(built.request, output, notes=built.notes, **how)


def generate_request(
    request: Request,
    output: PathLike | None = None,
    *,
    notes: Sequence[str] = (),
    **how: Unpack[ReleaseOptions],
) -> Release:
    """``generate`` for a request that exists already; *notes* join the release's warnings."""
    from safegen.pipeline.produce import produce

    with _open_session(how) as session:
        return produce(
            request,
            None if output is None else Path(output),
            session=session,
            settings=_release_settings(how),
            notes=notes,
            approval=how.get("approval"),
        )


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

    Raises RefusedByPolicy, HeldForReview, UsageError, CheckUnavailable as ``generate`` would.
    """
    from safegen.pipeline.plan import plan as run
    from safegen.workspace.config import find_workspace

    return run(
        request, None if output is None else Path(output), workspace=find_workspace(workspace), notes=notes
    )


def _split_options(options: GenerationOptions) -> tuple[RequestSettings, ReleaseOptions]:
    """What to make, and how to release it. Raises TypeError for a name that is neither."""
    made, how = RequestSettings.__annotations__, ReleaseOptions.__annotations__
    for name in options:
        if name not in made and name not in how:
            raise TypeError(f"unexpected keyword argument {name!r}")
    settings = {k: v for k, v in options.items() if k in made}
    return cast(RequestSettings, settings), cast(
        ReleaseOptions, {k: v for k, v in options.items() if k in how}
    )


def _release_settings(how: ReleaseOptions) -> ReleaseSettings:
    """How the clip is marked and written."""
    from safegen.media.encode import Encoding
    from safegen.pipeline.context import ReleaseSettings

    return ReleaseSettings(
        how.get("watermark", "tile"), Encoding(crf=how.get("crf", 18)), how.get("overwrite", False)
    )


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
