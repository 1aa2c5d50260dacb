"""Single pictures and animations of every kind that people have, as cases."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from tests.support.capabilities.make import Case, picture

_MODES = ("RGB", "L", "CMYK")


def cases() -> Iterator[Case]:
    """Every picture."""
    for mode in ("RGB", "L", "LA", "RGBA", "P", "1", "I;16"):
        yield _case("png", "PNG", mode, "", _saved("PNG", mode))
    yield _case("png", "PNG", "P", "transparency", _saved("PNG", "P", transparency=3))
    yield _case("png", "PNG", "RGB", "ICC profile", _saved("PNG", "RGB", icc_profile=srgb()))
    yield _case("png", "PNG", "RGB", "EXIF", _saved("PNG", "RGB", exif=exif(6)))
    yield _case("png", "PNG", "RGB", "animation", _animation("PNG"))
    for mode in _MODES:
        yield _case("jpg", "JPEG", mode, "", _saved("JPEG", mode))
    for number, name in enumerate(("4:4:4", "4:2:2", "4:2:0")):
        yield _case("jpg", "JPEG", "RGB", name, _saved("JPEG", "RGB", subsampling=number))
    yield _case("jpg", "JPEG", "RGB", "progressive", _saved("JPEG", "RGB", progressive=True))
    for turn in range(1, 9):
        yield _case("jpg", "JPEG", "RGB", f"EXIF orientation {turn}", _saved("JPEG", "RGB", exif=exif(turn)))
    yield _case("jpg", "JPEG", "RGB", "ICC profile", _saved("JPEG", "RGB", icc_profile=srgb()))
    yield _case("jpg", "JPEG", "CMYK", "CMYK profile", _saved("JPEG", "CMYK", icc_profile=_profile(b"CMYK")))
    yield _case(
        "jpg", "JPEG", "RGB", "profile for grey", _saved("JPEG", "RGB", icc_profile=_profile(b"GRAY"))
    )
    yield _case("jpg", "JPEG", "RGB", "XMP", _saved("JPEG", "RGB", xmp=b"<x:xmpmeta/>"))
    yield _case("jpg", "JPEG", "RGB", "comment", _saved("JPEG", "RGB", comment=b"hello"))
    yield _case("jpg", "JPEG", "RGB", "gain map", _gain_map)
    yield _case("jpg", "JPEG", "RGB", "second picture", _followed(jpeg))
    yield _case("jpg", "JPEG", "RGB", "Motion Photo", _followed(_film))
    yield _case("jpg", "JPEG", "RGB", "bytes behind it", _followed(lambda: b"rubbish" * 9))
    for suffix, kind in (
        ("webp", "WEBP"),
        ("tiff", "TIFF"),
        ("avif", "AVIF"),
        ("bmp", "BMP"),
        ("ico", "ICO"),
    ):
        yield _case(suffix, kind, "RGB", "", _saved(kind, "RGB"))
    yield _case("gif", "GIF", "P", "one picture", _saved("GIF", "P"))
    yield _case("gif", "GIF", "P", "animation", _animation("GIF"))


def _case(suffix: str, kind: str, mode: str, beside: str, write: Callable[[Path], None]) -> Case:
    return Case(kind, "picture", mode, "", beside, suffix, write)


def _image(mode: str) -> Image.Image:
    rgb = Image.fromarray(picture(2, 96, 64))
    if mode == "I;16":
        return Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    if mode in ("RGBA", "LA"):
        rgb.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 96), (64, 1)).astype(np.uint8)))
    return rgb.convert(mode)


def _saved(kind: str, mode: str, **more: Any) -> Callable[[Path], None]:
    return lambda path: _image(mode).save(path, kind, **more)


def _animation(kind: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        first, *rest = (Image.fromarray(picture(n, 96, 64)) for n in range(6))
        first.save(path, kind, save_all=True, append_images=rest, duration=80)

    return write


def exif(orientation: int) -> bytes:
    """EXIF with an orientation (TIFF tag 274) and the camera's name."""
    tags = Image.Exif()
    tags[274], tags[271] = orientation, "Camera"
    return tags.tobytes()


def srgb() -> bytes:
    """An ICC profile for RGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _profile(colours: bytes) -> bytes:
    """The header of a profile for other *colours*: what is looked at, and all that there is."""
    whole = bytearray(srgb())
    whole[16:20] = colours
    return bytes(whole)


def jpeg() -> bytes:
    """A small JPEG."""
    out = io.BytesIO()
    _image("RGB").save(out, "JPEG")
    return out.getvalue()


def _film() -> bytes:
    return struct.pack(">I", 24) + b"ftypmp42\0\0\0\0mp42isom" + struct.pack(">I", 8) + b"mdat"


def _followed(rest: Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(jpeg() + rest()))


def _gain_map(path: Path) -> None:
    body = b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)
    whole = jpeg()
    path.write_bytes(whole[:2] + b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body + whole[2:] + jpeg())


def void(_: object) -> None:
    """Nothing."""
