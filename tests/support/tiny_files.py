"""One tiny file in each container that can carry Content Credentials, a few kilobytes each."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from PIL import Image

SIDE = 32
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
MARKER = bytes(range(0x61, 0x71)) * 4
"""Bytes of the content in containers that hold it as it is."""


def _video(path: Path, *, container: str, codec: str = "libx264", fragmented: bool = False) -> None:
    with av.open(str(path), "w", format=container, options=FRAGMENTS if fragmented else {}) as file:
        stream = file.add_stream(codec, rate=8)
        stream.width, stream.height = SIDE * 2, SIDE * 2
        stream.pix_fmt = "yuv420p"
        for i in range(8):
            frame = np.full((SIDE * 2, SIDE * 2, 3), i * 25, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())


def _sound(path: Path, *, container: str, codec: str, sample: str) -> None:
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=16000, layout="mono")
        wave = np.sin(np.arange(8000) / 7)
        scaled = (wave * 9000).astype(np.int16) if sample == "s16" else wave.astype(np.float32)
        frame = av.AudioFrame.from_ndarray(scaled.reshape(1, -1), format=sample, layout="mono")
        frame.rate, frame.pts = 16000, 0
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=16000)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while (block := fifo.read(size, partial=True)) is not None:
            file.mux(stream.encode(block))
        file.mux(stream.encode())


def _picture(path: Path, kind: str, **options: object) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(SIDE) * 8, np.arange(SIDE)[:, None] * 8
    Image.fromarray(pixels).save(path, kind, **options)


def _heic(path: Path) -> None:
    """The AVIF with HEIC's brand: the boxes are the same, only the codec of the picture is not."""
    made = io.BytesIO()
    pixels = np.full((SIDE, SIDE, 3), 90, np.uint8)
    Image.fromarray(pixels).save(made, "AVIF")
    path.write_bytes(made.getvalue().replace(b"ftypavif", b"ftypheic", 1))


def _dng(path: Path) -> None:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[50706] = b"\x01\x04\x00\x00"
    tags.tagtype[50706] = 1
    tags[50708] = "safegen test"
    _picture(path, "TIFF", tiffinfo=tags)


def _svg(path: Path) -> None:
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32">'
        f'<desc>{MARKER.decode()}</desc><rect width="32" height="32" fill="#804020"/></svg>\n'
    )


def _jxl(path: Path) -> None:
    """The boxes of JPEG XL around a codestream of one pixel."""
    stream = bytes.fromhex("ff0a001000505c08080201009c004b1a0800")

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    path.write_bytes(
        box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ") + box(b"jxlc", stream + MARKER)
    )


def _pdf(path: Path) -> None:
    stream = b"% " + MARKER + b"\n0 0 m 9 9 l S"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 5\n0000000000 65535 f \n" + table
    out += b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (out.rindex(b"xref\n0 5"))
    path.write_bytes(out)


def _epub(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, body in (("mimetype", b"application/epub+zip"), ("OEBPS/text.txt", MARKER)):
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), body)


MAKERS: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "mp4": ("mp4", "video/mp4", lambda p: _video(p, container="mp4")),
    "fragmented": ("mp4", "video/mp4", lambda p: _video(p, container="mp4", fragmented=True)),
    "mov": ("mov", "video/quicktime", lambda p: _video(p, container="mov")),
    "m4v": ("m4v", "video/x-m4v", lambda p: _video(p, container="ipod")),
    "m4a": ("m4a", "audio/mp4", lambda p: _sound(p, container="ipod", codec="aac", sample="flt")),
    "avi": ("avi", "video/avi", lambda p: _video(p, container="avi", codec="mpeg4")),
    "png": ("png", "image/png", lambda p: _picture(p, "PNG")),
    "jpg": ("jpg", "image/jpeg", lambda p: _picture(p, "JPEG")),
    "webp": ("webp", "image/webp", lambda p: _picture(p, "WEBP", lossless=True)),
    "wav": ("wav", "audio/wav", lambda p: _sound(p, container="wav", codec="pcm_s16le", sample="s16")),
    "gif": ("gif", "image/gif", lambda p: _picture(p, "GIF")),
    "tiff": ("tiff", "image/tiff", lambda p: _picture(p, "TIFF")),
    "dng": ("dng", "image/x-adobe-dng", _dng),
    "mp3": ("mp3", "audio/mpeg", lambda p: _sound(p, container="mp3", codec="libmp3lame", sample="flt")),
    "flac": ("flac", "audio/flac", lambda p: _sound(p, container="flac", codec="flac", sample="s16")),
    "svg": ("svg", "image/svg+xml", _svg),
    "jxl": ("jxl", "image/jxl", _jxl),
    "avif": ("avif", "image/avif", lambda p: _picture(p, "AVIF")),
    "heic": ("heic", "image/heic", _heic),
    "epub": ("epub", "application/epub+zip", _epub),
    "pdf": ("pdf", "application/pdf", _pdf),
}
"""Name: extension, MIME type, what writes the file."""
