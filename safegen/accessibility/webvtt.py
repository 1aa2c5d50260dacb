"""WebVTT (W3C, https://www.w3.org/TR/webvtt1/): written strictly, read as leniently as browsers do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from safegen.accessibility.cues import Cue, rounded_cue
from safegen.errors import UnreadableInput

MAX_BYTES = 4 * 2**20
_TIME = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"\s*{_TIME}\s+-->\s+{_TIME}(?:\s.*)?$")
_TAG = re.compile(r"<[^>]*>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": "", "&amp;": "&"}


def format_cues(cues: Sequence[Cue], *, kind: str, note: str = "") -> str:
    """The file's text. *kind* and *note* become comments: what this is, and what a reader should know."""
    blocks = ["WEBVTT", f"NOTE {_plain(kind)}"]
    if note:
        blocks.append(f"NOTE {_plain(note)}")
    for number, item in enumerate(cues, 1):
        span = f"{format_timestamp(item.start)} --> {format_timestamp(item.end)}"
        blocks.append(f"{number}\n{span}\n{_escaped(item.text)}")
    return "\n\n".join(blocks) + "\n"


def format_timestamp(seconds: float) -> str:
    """``HH:MM:SS.mmm``."""
    whole = round(seconds * 1000)
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def parse_cues(text: str) -> list[Cue]:
    """The cues of a WebVTT file in order, tags dropped, comments and styles passed over.

    Raises UnreadableInput for text that is not WebVTT or whose times run backwards.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    blocks = [b.split("\n") for b in re.split(r"\n{2,}", lines.strip("\n"))]
    if not blocks or not re.match(r"WEBVTT(?:[ \t]|$)", blocks[0][0]):
        raise UnreadableInput(
            "not WebVTT: the file does not begin with WEBVTT", hint="give a WebVTT (.vtt) file"
        )
    found = [c for block in blocks for c in _cue(block)]
    return sorted(found, key=lambda c: (c.start, c.end))


def read_file(path: Path) -> list[Cue]:
    """``read`` of a file. Raises UnreadableInput, also for what is missing, huge or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror}", hint="check the path") from error
    if len(data) > MAX_BYTES:
        raise UnreadableInput(f"{path}: more than 4 MiB of captions", hint="is it a caption file?")
    try:
        return parse_cues(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnreadableInput(f"{path}: not UTF-8", hint="save the captions as WebVTT in UTF-8") from error
    except UnreadableInput as error:
        raise UnreadableInput(f"{path}: {error}", hint=error.hint) from error


def _cue(block: Sequence[str]) -> list[Cue]:
    """The cue of one block of lines, if it is one."""
    at = next((i for i, line in enumerate(block[:2]) if "-->" in line), None)
    if at is None:
        return []
    timing = _TIMING.match(block[at])
    if timing is None:
        raise UnreadableInput(
            f"not a WebVTT time: {block[at][:80]!r}", hint="write times like 00:01.000 --> 00:02.500"
        )
    start, end = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
    if end <= start:
        raise UnreadableInput(
            f"a cue ends before it begins: {block[at][:80]!r}", hint="correct its start and end times"
        )
    words = _TAG.sub("", "\n".join(block[at + 1 :]))
    for name, character in _ENTITIES.items():
        words = words.replace(name, character)
    return [rounded_cue(start, end, words.strip())]


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, milli = (int(p or 0) for p in parts)
    return hours * 3600 + minutes * 60 + seconds + milli / 1000


def _plain(text: str) -> str:
    """A comment's words: on one line, without an arrow."""
    return " ".join(text.replace("-->", "->").split())


def _escaped(text: str) -> str:
    """Cue text: no markup, no arrow, no empty line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [" "]
    return "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
