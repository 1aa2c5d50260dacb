"""What a server sent, before it is trusted: decoded in the sandbox and compared with the request."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.hashing import sha256_of
from safegen.errors import GenerationFailed, UnreadableInput
from safegen.media import sandbox
from safegen.media.sandbox import Limits, MediaInfo
from safegen.types import Clip, CredentialState, Outlook

if TYPE_CHECKING:
    from safegen.types import Frame

LIMITS = Limits(max_pixels=4096 * 4096, max_frames=600 * 120)
"""The longest clip that can be asked for at the highest rate, at the largest size that is sensible."""
_BLACK = 24
"""No channel of any pixel above this: nothing can be seen (8 bits, full range)."""
_STEP = 8
"""Every eighth pixel in both directions is looked at."""


@dataclass(frozen=True)
class ReceivedClip:
    """A clip that was sent: ``clip`` checks itself while it is read. ``signed``: with sound credentials."""

    clip: Clip
    sha256: str
    signed: bool
    notes: tuple[str, ...]


def write_base64_clip(text: str, target: Path, max_bytes: int) -> None:
    """Write a clip of at most *max_bytes* that came as base64. Raises GenerationFailed when it is none."""
    if len(text) > 4 * (max_bytes + 2) // 3:
        raise GenerationFailed(
            f"the clip is larger than {max_bytes} bytes", hint="allow larger clips with --option max_bytes=N"
        )
    try:
        target.write_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise GenerationFailed("the clip in the server's answer is not base64") from error
    except OSError as error:
        raise GenerationFailed(f"the clip could not be written: {error.strerror}") from error


def inspect_clip(file: Path, expected: Outlook, host: str) -> ReceivedClip:
    """Look at what *host* sent for a request whose clip should be as *expected*.

    A clip of another size, length or frame rate is let through with a note. Raises GenerationFailed for
    what is no video, is empty, or carries credentials that do not match it. Frames are looked at while they
    are read: one that is missing, or a clip in which nothing can be seen, raises GenerationFailed then.
    """
    if not file.is_file() or file.stat().st_size == 0:
        raise GenerationFailed(f"{host} reported a finished clip but sent nothing")
    try:
        info = sandbox.probe(file, LIMITS)
        clip = sandbox.open_clip(file, LIMITS, info=info)
        audio = sandbox.read_audio(file, LIMITS) if info.audio else None
    except UnreadableInput as error:
        raise _no_video(file, host, error) from error
    signed = _has_valid_credentials(file, host)
    whole = replace(clip, open=lambda: _checked_frames(clip, file, info, host), audio=audio)
    return ReceivedClip(whole, sha256_of(file), signed, tuple(_differences(whole, expected, host)))


def _no_video(file: Path, host: str, error: UnreadableInput) -> GenerationFailed:
    with file.open("rb") as opened:
        start = opened.read(256).lstrip().lower()
    kind = "that cannot be read"
    if start.startswith((b"<!doctype", b"<html", b"<")):
        kind = "but a web page"
    elif start.startswith((b"{", b"[")):
        kind = "but JSON"
    reason = str(error).removeprefix(f"{file}: ")
    return GenerationFailed(
        f"{host} reported a finished clip but sent no video {kind} ({reason})",
        hint="nothing was released; try again, or check the server",
    )


def _checked_frames(clip: Clip, file: Path, info: MediaInfo, host: str) -> Iterator[Frame]:
    """The frames of *clip*; at their end it is known whether they are all there and show something."""
    count, brightest = 0, 0
    try:
        for frame in clip:
            count += 1
            if brightest <= _BLACK:
                brightest = int(frame[::_STEP, ::_STEP].max())
            yield frame
    except UnreadableInput as error:
        raise _no_video(file, host, error) from error
    if count >= LIMITS.max_frames:
        raise GenerationFailed(f"{host} sent more than {LIMITS.max_frames} frames")
    if count < info.frames:
        raise GenerationFailed(
            f"{host} sent a truncated clip: {count} of its {info.frames} frames can be read",
            hint="nothing was released; try again",
        )
    if brightest <= _BLACK:
        raise GenerationFailed(
            f"{host} sent a black clip",
            hint="nothing was released; the server's own filter may have blanked it: try another prompt",
        )


def _has_valid_credentials(file: Path, host: str) -> bool:
    """Whether the file carries credentials. Raises GenerationFailed for ones that do not match it."""
    from safegen.credentials.in_child import carries_credentials, read_credentials

    if not carries_credentials(file):
        return False
    evidence = read_credentials(file)
    broken = (*evidence.failures, *evidence.ingredient_failures)
    if evidence.state is not CredentialState.VALID and not broken:
        raise GenerationFailed(
            f"{host} sent a clip whose own credentials cannot be checked ({evidence.reason[:300]})",
            hint="nothing was released; nothing shows that the clip was changed: ask the server's operator",
        )
    if broken:
        why = "; ".join(broken) or evidence.reason or evidence.state.value
        raise GenerationFailed(
            f"{host} sent a clip whose own credentials do not match it ({why[:300]})",
            hint="nothing was released; the clip was changed after it was signed",
        )
    return True


def _differences(clip: Clip, expected: Outlook, host: str) -> Iterator[str]:
    """What is not as it was asked, each in a sentence."""
    if expected.width and expected.height and (clip.width, clip.height) != (expected.width, expected.height):
        yield f"requested {expected.width}x{expected.height}, {host} made {clip.width}x{clip.height}"
    if expected.fps and abs(float(clip.fps) - expected.fps) > 0.01:
        yield f"requested {expected.fps} fps, {host} made {float(clip.fps):g}"
    if expected.seconds and abs(clip.seconds - expected.seconds) > max(0.25, 0.1 * expected.seconds):
        yield f"requested {expected.seconds:g} s, {host} made {clip.seconds:.2f}"
