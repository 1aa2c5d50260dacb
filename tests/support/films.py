"""Putting a film through protect's decoder, encoder and remuxer, and what a player finds in the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from safegen.media.encode import Encoding
from safegen.media.encode_planes import encode_pictures
from safegen.media.footage import open_footage
from safegen.media.pyav import side_data
from safegen.media.remux import add_tracks

_BESIDE = ("DISPLAYMATRIX", "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL", "ICC_PROFILE")


def through(path: Path, tmp_path: Path, *, damaged: bool = False) -> tuple[Path, str]:
    """Decode, encode and remux *path*; the result and the notes on it in one text."""
    footage = open_footage(path, damaged=damaged)
    pictures, whole = tmp_path / "pictures.mp4", tmp_path / "whole.mp4"
    encode_pictures(iter(footage), pictures, footage, encoding=Encoding(crf=16, preset="ultrafast"))
    notes = add_tracks(pictures, footage, whole)
    return whole, "; ".join((*footage.notes, *notes))


def facts(path: Path) -> dict[str, Any]:
    """What a player would find."""
    with av.open(str(path)) as box:
        video = box.streams.video[0]
        context = video.codec_context
        frames = list(box.decode(video))
        first = frames[0]
        return {
            "codec": context.name,
            "pixels": context.pix_fmt,
            "size": (context.width, context.height),
            "frames": len(frames),
            "range": int(first.color_range),
            "colours": (int(first.color_primaries), int(first.color_trc), int(first.colorspace)),
            "aspect": video.sample_aspect_ratio,
            "turn": first.rotation,
            "times": [f.pts * f.time_base for f in frames],
            "interlaced": first.interlaced_frame,
            "field": int(context.field_order),
            "rate": video.average_rate,
            "side": set(side_data(first, _BESIDE, context.name)),
            "sound": [(a.codec_context.name, a.metadata.get("language")) for a in box.streams.audio],
            "words": [(s.codec_context.name, s.metadata.get("language")) for s in box.streams.subtitles],
            "chapters": [c["metadata"].get("title") for c in box.chapters()],
            "title": box.metadata.get("title"),
            "tracks": len(box.streams),
        }
