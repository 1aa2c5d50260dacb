"""The sandboxed worker's colours: into which form a picture is brought, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from safegen.media._child import Refuse
from safegen.media._worker import pixels

_BT709, _FULL, _LIMITED, _UNSPECIFIED = 1, 2, 1, 2
_HDR = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of HDR (ITU-T H.273)."""


@dataclass(frozen=True)
class Target:
    """The form: planar 4:2:0 of *depth* bits; ``colours`` = primaries, transfer, matrix (H.273 numbers)."""

    depth: int
    full_range: bool
    colours: tuple[int, int, int]
    rgb: bool
    alpha: bool

    @property
    def format(self) -> str:
        """FFmpeg's name of the pixel format."""
        if self.depth > 8:
            return "yuv420p10le"
        return "yuvj420p" if self.full_range else "yuv420p"


def target_of(first: Any) -> tuple[Target, list[str]]:
    """The form for a file whose first picture is *first*, with notes. Raises Refuse."""
    shape = first.format
    name, notes = str(shape.name), []
    parts = shape.components
    bits = max((c.bits for c in parts), default=0)
    alpha = any(c.is_alpha for c in parts) or name == "pal8"
    if not parts or "bayer" in name or "xyz" in name or name.endswith(("f32le", "f32be", "f16le", "f16be")):
        raise Refuse(
            f"frames of pixel format {name} cannot be kept", "convert the file to 8-bit or 10-bit video"
        )
    rgb = bool(shape.is_rgb) or name == "pal8"
    depth = 8 if bits <= 8 or name == "pal8" else 10
    if bits > 10 and not rgb:
        notes.append(f"{bits}-bit colour is reduced to 10 bits")
    if rgb:
        notes.append("RGB is stored as YCbCr BT.709 4:2:0")
    elif name.startswith(("yuv", "yuva")) and not name.startswith(("yuv420", "yuvj420", "yuva420")):
        notes.append("colour is reduced to 4:2:0")
    full = not rgb and (name.startswith("yuvj") or int(first.color_range) == _FULL)
    if name.startswith("gray"):
        full = int(first.color_range) != _LIMITED
    colours = (int(first.color_primaries), int(first.color_trc), int(first.colorspace))
    if rgb:
        known = colours[:2] if _UNSPECIFIED not in colours[:2] else (_BT709, _BT709)
        colours = (*known, _BT709)
    if colours[1] in _HDR:
        if depth == 8:
            raise Refuse(f"{_HDR[colours[1]]} in 8 bits cannot be kept without damage", "give a 10-bit file")
        notes.append(f"HDR ({_HDR[colours[1]]}) is kept in 10 bits; the checks see it converted to SDR")
    return Target(depth, full, colours, rgb, alpha), notes


def flatten(frame: Any, target: Target) -> tuple[Any, int]:
    """*frame* in the target's form, and 1 where transparent parts had to be laid onto black."""
    import av
    import numpy as np

    holes = 0
    if target.alpha:
        rgba = frame.reformat(format="rgba64le" if target.depth > 8 else "rgba").to_ndarray()
        full = np.iinfo(rgba.dtype).max
        holes = int(bool((rgba[..., 3] < full).any()))
        if holes:
            cover = rgba[..., 3:].astype(np.float32) / full
            rgb = np.ascontiguousarray((rgba[..., :3] * cover).round().astype(rgba.dtype))
        else:
            rgb = np.ascontiguousarray(rgba[..., :3])
        solid = av.VideoFrame.from_ndarray(rgb, format="rgb48le" if target.depth > 8 else "rgb24")
        return _from_rgb(solid, target, full=target.full_range), holes
    if target.rgb:
        return _from_rgb(frame, target, full=False), 0
    if frame.format.name == target.format:
        return frame, 0
    ranges = "JPEG" if target.full_range else "MPEG"
    shown = frame.reformat(format=target.format, src_color_range=ranges, dst_color_range=ranges)
    return shown, 0


def _from_rgb(frame: Any, target: Target, *, full: bool) -> Any:
    """RGB to YCbCr with the target's matrix (BT.601 where the file names none)."""
    from av.video.reformatter import Colorspace

    matrix = Colorspace.ITU709 if target.colours[2] == _BT709 else Colorspace.ITU601
    return frame.reformat(
        format=target.format,
        dst_colorspace=matrix,
        src_color_range="JPEG",
        dst_color_range="JPEG" if full else "MPEG",
    )


def small_rgb(shown: Any, short_side: int, target: Target, turn: int) -> Any:
    """8-bit RGB of short side *short_side* at most, turned by *turn* degrees; HDR converted to SDR."""
    width, height = shown.width, shown.height
    scale = min(1.0, short_side / min(width, height))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    shown = shown.reformat(width=size[0], height=size[1], interpolation="AREA")
    if target.colours[1] in _HDR:
        import av

        # FFmpeg would build a three-dimensional table for every frame; the checks need no exact colours.
        sdr = _to_sdr(target.colours[1])[shown.to_ndarray(format="rgb48le")]
        return pixels(av.VideoFrame.from_ndarray(sdr, format="rgb24"), None, turn)
    return pixels(shown, None, turn)


@lru_cache(maxsize=2)
def _to_sdr(transfer: int) -> Any:
    """Table from a 16-bit HDR code value to an 8-bit sRGB one, channel by channel: uint8 (65536,).

    PQ (SMPTE ST 2084) or HLG (ITU-R BT.2100, as 1,000 cd/m2) to light, white at 203 cd/m2 (BT.2408), what is
    brighter rolled off.
    """
    import numpy as np

    code = np.arange(65_536) / 65_535
    if _HDR[transfer] == "PQ":
        root = code ** (1 / 78.84375)
        top, low = np.maximum(root - 0.8359375, 0), 18.8515625 - 18.6875 * root
        light = 10_000 * (top / low) ** (1 / 0.1593017578125)
    else:
        upper = (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12
        light = 1_000 * np.where(code <= 0.5, code**2 / 3, upper) ** 1.2
    shown = light / 203
    shown = shown * (1 + shown / 25) / (1 + shown)
    srgb = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * np.maximum(shown, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(np.round(255 * srgb / srgb.max()), 0, 255).astype(np.uint8)


def hdr_text(side: dict[str, bytes]) -> str:
    """Mastering display and content light level as x265 wants them; empty where the file names none.

    SMPTE ST 2086 and CTA-861.3, from FFmpeg's structures (pairs of 32-bit integers).
    """
    words = []
    raw = side.get("MASTERING_DISPLAY_METADATA", b"")
    if len(raw) >= 88:
        n = [int.from_bytes(raw[i : i + 4], "little", signed=True) for i in range(0, 88, 4)]
        v = [n[i] / n[i + 1] if n[i + 1] else 0.0 for i in range(0, 20, 2)]
        if n[20] and n[21]:
            r, g, b, w = ((round(v[i] * 50_000), round(v[i + 1] * 50_000)) for i in (0, 2, 4, 6))
            low, high = round(v[8] * 10_000), round(v[9] * 10_000)
            words.append(
                f"master-display=G({g[0]},{g[1]})B({b[0]},{b[1]})R({r[0]},{r[1]})"
                f"WP({w[0]},{w[1]})L({high},{low})"
            )
    light = side.get("CONTENT_LIGHT_LEVEL", b"")
    if len(light) >= 8:
        most, mean = (int.from_bytes(light[i : i + 4], "little") for i in (0, 4))
        words.append(f"max-cll={most},{mean}")
    return ":".join(words)
