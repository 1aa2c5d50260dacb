"""The transcript: everything seen and heard in a clip, in order, as one HTML page without scripts."""

from __future__ import annotations

from collections.abc import Sequence

from safegen._util.html import escape, render_page
from safegen.accessibility.cues import Cue
from safegen.accessibility.scenes import Scene
from safegen.accessibility.tracks import NOTES, AccessibilityTracks
from safegen.types import Attribute

_STYLE = """
section { border-top-width: 1px; } ul { padding-left: 0; list-style: none; } li { margin: .4rem 0; }
time { color: var(--none); font-variant-numeric: tabular-nums; }
"""
_FOOT = (
    "The descriptions were written by a program that analysed the pictures. Where it guessed it says "
    "&quot;perhaps&quot;; it names what it could not make out."
)


def render_transcript(
    tracks: AccessibilityTracks,
    *,
    title: str,
    prompt: str = "",
    clip_attributes: Sequence[Attribute] = (),
    generated: bool = False,
) -> str:
    """The page. *prompt*: where it is published; *clip_attributes*: findings about the clip as a whole."""
    body = [f"<p>{_text(_length(tracks.seconds))}{' Made by a generative model.' if generated else ''}</p>"]
    if NOTES[tracks.sound_status]:
        body.append(f"<p>{_text(NOTES[tracks.sound_status])}</p>")
    if prompt:
        body.append(f"<p>Prompt: {_text(prompt)}. What was actually made is described below.</p>")
    if clip_attributes:
        found = "; ".join(f"{a.name.replace('_', ' ')}: {a.value}" for a in clip_attributes)
        body.append(f"<p>Also found in it: {_text(found)}.</p>")
    body += [_chapter(chapter, tracks) for chapter in tracks.chapters]
    return render_page(title, "\n".join(body), _FOOT, style=_STYLE)


def _chapter(chapter: Cue, tracks: AccessibilityTracks) -> str:
    """A heading and what is seen and said under it, in order."""
    rows: list[tuple[float, int, str]] = []
    for scene in tracks.scenes:
        if chapter.start <= _milli(scene.span[0]) < chapter.end:
            rows.append((scene.span[0], 0, _scene_line(scene, tracks)))
    if tracks.sound_status == "written":
        for said in tracks.captions:
            if chapter.start <= said.start < chapter.end:
                rows.append((said.start, 1, f"Said: {_text(said.text)}"))
    items = "\n".join(f"<li>{_time(at)} {words}</li>" for at, _, words in sorted(rows))
    return f"<section>\n<h2>{_text(chapter.text)}</h2>\n<ul>\n{items}\n</ul>\n</section>"


def _scene_line(scene: Scene, tracks: AccessibilityTracks) -> str:
    silent = " (no pause is long enough to speak this)" if scene in tracks.schedule.omitted else ""
    return f"Seen: {_text(scene.phrase.wordings[0])}{silent}"


def _milli(seconds: float) -> float:
    return round(seconds * 1000) / 1000


def _time(seconds: float) -> str:
    """Such as ``1:05``, with the exact value for programs."""
    whole = int(seconds)
    return f'<time datetime="PT{_milli(seconds):g}S">{whole // 60}:{whole % 60:02d}</time>'


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    said = f"{rest:g} second" + ("" if rest == 1 else "s")
    if minutes:
        said = f"{minutes:g} minute{'' if minutes == 1 else 's'} {said}"
    return f"A video of {said}."


def _text(value: str) -> str:
    """As HTML text that keeps its lines."""
    return "<br>".join(map(escape, value.split("\n")))
