"""Ways of working: turn user input into a Request, the same for the Python API and the command line.

Nothing is screened, opened or generated here. Anything that had to be worked out is stated in the notes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from safegen.errors import UsageError
from safegen.generators.modes import check_shots
from safegen.request import sizes
from safegen.request.validate import check_ranges
from safegen.types import Input, Mode, PathLike, Request, Role, Shot

if TYPE_CHECKING:
    from safegen.workspace.config import Workspace


class RequestSettings(TypedDict, total=False):
    """What every way of working may set; anything omitted is the model's choice.

    ``width``, ``height`` (pixels), ``seconds`` and ``fps`` describe the released clip; ``size`` is ``720p``
    or ``1280x720``, ``aspect`` is ``16:9``. ``seed`` defaults to a random one, which the release records.
    ``options`` go to the model by name.
    """

    model: str
    policy: str
    negative_prompt: str
    seed: int | None
    size: str | None
    aspect: str | None
    width: int | None
    height: int | None
    seconds: float | None
    fps: int | None
    steps: int | None
    guidance: float | None
    options: Mapping[str, Any] | None


@dataclass(frozen=True)
class BuiltRequest:
    """A request, with notes for the user on how it was derived."""

    request: Request
    notes: tuple[str, ...] = ()


def generate(
    prompt: str,
    *,
    image: PathLike | None = None,
    last_image: PathLike | None = None,
    **settings: Unpack[RequestSettings],
) -> BuiltRequest:
    """A clip from words alone, or from *image* on (and up to *last_image*). Raises UsageError."""
    if image is None:
        if last_image is not None:
            raise UsageError("there is a last picture but no first one", hint="give --image as well")
        return BuiltRequest(_request("text", prompt, settings))
    inputs = _inputs(first_frame=image, last_frame=last_image)
    return BuiltRequest(_request("image", prompt, settings, inputs=inputs))


def remix(
    video: PathLike, prompt: str, *, strength: float | None = None, **settings: Unpack[RequestSettings]
) -> BuiltRequest:
    """Remake *video* from *prompt*; *strength* in (0, 1]: how far to depart from it. Raises UsageError."""
    return BuiltRequest(_request("edit", prompt, settings, inputs=_inputs(video=video), strength=strength))


def extend(
    video: PathLike,
    prompt: str | None = None,
    *,
    backwards: bool = False,
    workspace: Workspace,
    **settings: Unpack[RequestSettings],
) -> BuiltRequest:
    """*video* and what comes after it (*backwards*: before it).

    Without *prompt* the one that *workspace* kept for the video, else none. Raises UsageError,
    UnreadableInput, LedgerError.
    """
    mode: Mode = "extend_back" if backwards else "extend"
    said, notes = _resolve_prompt(prompt, [video], workspace, "first" if backwards else "last")
    return BuiltRequest(_request(mode, said, settings, inputs=_inputs(video=video)), notes)


def loop(
    video: PathLike, prompt: str | None = None, *, workspace: Workspace, **settings: Unpack[RequestSettings]
) -> BuiltRequest:
    """Make *video* end where it begins. Without *prompt* as ``extend``."""
    said, notes = _resolve_prompt(prompt, [video], workspace, "last")
    return BuiltRequest(_request("loop", said, settings, inputs=_inputs(video=video)), notes)


def blend(
    video: PathLike,
    next_video: PathLike,
    prompt: str | None = None,
    *,
    workspace: Workspace,
    **settings: Unpack[RequestSettings],
) -> BuiltRequest:
    """Make a clip that turns *video* into *next_video*. Without *prompt* as ``extend``."""
    said, notes = _resolve_prompt(prompt, [video, next_video], workspace, "last")
    inputs = _inputs(video=video, next_video=next_video)
    return BuiltRequest(_request("blend", said, settings, inputs=inputs), notes)


def storyboard(shots: Sequence[Shot], **settings: Unpack[RequestSettings]) -> BuiltRequest:
    """Several prompts on one timeline. Raises UsageError: see ``check_shots``."""
    told = tuple(sorted(shots, key=lambda shot: shot.at))
    check_shots(told)
    return BuiltRequest(_request("storyboard", "\n".join(s.prompt for s in told), settings, shots=told))


def new_seed() -> int:
    """A random seed that fits every generator: 31 bits."""
    return secrets.randbits(31)


def _request(mode: Mode, prompt: str, settings: RequestSettings, **more: Any) -> Request:
    """The request, its size worked out."""
    from safegen.generators.registry import find_generator

    plain: dict[str, Any] = {
        k: v for k, v in settings.items() if v is not None and k not in {"size", "aspect", "width", "height"}
    }
    plain.setdefault("seed", new_seed())
    request = Request(prompt=prompt, mode=mode, **plain, **more)
    asked = {name: settings.get(name) for name in ("width", "height")}
    check_ranges(Request(**{**vars(request), **asked}))

    def natural() -> tuple[int | None, int | None]:
        outlook = find_generator(request.model).outlook(request)
        return outlook.width, outlook.height

    width, height = sizes.resolve_size(
        size=settings.get("size"),
        aspect=settings.get("aspect"),
        width=settings.get("width"),
        height=settings.get("height"),
        natural=natural,
    )
    return Request(**{**vars(request), "width": width, "height": height})


def _inputs(
    *,
    first_frame: PathLike | None = None,
    last_frame: PathLike | None = None,
    video: PathLike | None = None,
    next_video: PathLike | None = None,
) -> tuple[Input, ...]:
    """Inputs by role; those that are None left out."""
    files: list[tuple[Role, PathLike | None]] = [
        ("first_frame", first_frame),
        ("last_frame", last_frame),
        ("video", video),
        ("next_video", next_video),
    ]
    return tuple(Input(role, Path(file)) for role, file in files if file is not None)


def _resolve_prompt(
    given: str | None, videos: Sequence[PathLike], workspace: Workspace, which: Literal["first", "last"]
) -> tuple[str, tuple[str, ...]]:
    """The prompt, and a note where it was not given: the one the workspace keeps for a video, else none."""
    if given is not None:
        return given, ()
    for video in videos:
        kept = _kept_prompt(Path(video), workspace, which)
        if kept:
            return kept, (f"no prompt given: using the one this workspace kept for {Path(video).name}",)
    return "", ("no prompt given and none kept: made without a prompt",)


def _kept_prompt(video: Path, workspace: Workspace, which: Literal["first", "last"]) -> str | None:
    """The prompt that made *video*, where it is a release of *workspace* that keeps prompts.

    Of a storyboard the *first* or *last* shot's. Raises UnreadableInput, LedgerError.
    """
    from safegen._util.hashing import file_sha256, require_readable
    from safegen.credentials.read import read_credentials
    from safegen.ledger.store import Ledger

    require_readable(video)
    if not workspace.has_ledger:
        return None
    with Ledger.open(workspace.ledger_url, read_only=True) as ledger:
        found = ledger.find_releases(sha256=file_sha256(video))
        if not found and (manifest := read_credentials(video).manifest_id):
            found = ledger.find_releases(manifest_id=manifest)
        index = found[0].entry.public.get("decision") if found else None
        private = ledger.private(index) if isinstance(index, int) else None
    shots = (private or {}).get("storyboard")
    if isinstance(shots, list) and shots:
        return str(shots[0 if which == "first" else -1]["prompt"])
    prompt = (private or {}).get("prompt")
    return prompt if isinstance(prompt, str) else None
