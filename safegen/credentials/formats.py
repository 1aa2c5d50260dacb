"""Which container a file is, told from its first bytes and never from its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safegen._util.files import not_a_file
from safegen.errors import UnreadableInput, UsageError
from safegen.media.transport import find_packets

Kind = Literal["picture", "video", "sound", "document", "file"]
SIGNABLE = {
    "video/mp4": "mp4",
    "video/x-m4v": "m4v",
    "video/quicktime": "mov",
    "audio/mp4": "m4a",
    "video/avi": "avi",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "audio/wav": "wav",
}
"""MIME types that can carry an embedded manifest and that we sign, with their usual extension."""
BRANDS = {b"qt  ": "video/quicktime", b"M4V ": "video/x-m4v", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
STILL_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heif"),
}
OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
BMFF = {"video/mp4", "video/x-m4v", "video/quicktime", "audio/mp4"}
BOXED = BMFF | set(STILL_BRANDS.values())
SVG, JXL, ZIP = "image/svg+xml", "image/jxl", "application/x-zip"
TOLD = {SVG, ZIP}
"""What c2pa does not recognise by itself and has to be told."""
DOCUMENT_PARTS = (b"mimetype", b"[Content_Types].xml", b"_rels/.rels", b"FixedDocSeq.fdseq")
"""Names with which the archive of an OpenDocument, EPUB, Office or OpenXPS document begins."""
DOCUMENT = "document in a zip archive"
NAMES = {SVG: "svg", JXL: "jxl", ZIP: "zip", "audio/mpeg": "mp3"}
KINDS: dict[str, Kind] = {
    "application/pdf": "document",
    "application/ogg": "sound",
    "application/mxf": "video",
}
"""Kinds that the first half of the MIME type does not tell."""
HEAD = 4096
"""Bytes from the beginning that tell what a file is."""
RIFF = {b"WAVE": "audio/wav", b"AVI ": "video/avi", b"WEBP": "image/webp"}
PREFIXES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JXL),
    (b"\xff\n", JXL),
    (b"PK\x03\x04", ZIP),
    (b"OggS", "application/ogg"),
    (b"fLaC", "audio/flac"),
    (b"FLV\x01", "video/x-flv"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\0\0\x01\xb3", "video/mpeg"),
    (b"DKIF", "video/x-ivf"),
    (b"\x06\x0e+4\x02\x05\x01\x01", "application/mxf"),
    (b"0&\xb2u\x8ef\xcf\x11", "video/x-ms-asf"),
    (b"YUV4MPEG2 ", "video/x-yuv4mpeg"),
)


@dataclass(frozen=True)
class Container:
    """``mime`` is ``None`` when the bytes are not known; ``name`` is for people."""

    mime: str | None
    name: str

    @property
    def signable(self) -> bool:
        """Whether a manifest can be embedded by ``sign_file``."""
        return self.mime in SIGNABLE


def detect(path: Path) -> Container:
    """The container of the file at *path*. Raises UnreadableInput: missing, a folder, empty, forbidden."""
    try:
        if not path.is_file():
            raise not_a_file(path)
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise UnreadableInput(
            f"cannot read {path}: {error.strerror}", hint="check its permissions"
        ) from error
    if not head:
        raise UnreadableInput(f"{path} is empty", hint="check that the file was written completely")
    return sniff(head)


def sniff(head: bytes) -> Container:
    """The container whose file starts with *head* (``HEAD`` bytes; 64 are enough for all but SVG)."""
    kind = head[4:8]
    if kind == b"ftyp":
        brand = head[8:12]
        mime = BRANDS.get(brand) or STILL_BRANDS.get(brand) or "video/mp4"
        return Container(mime, SIGNABLE.get(mime, mime))
    if kind in (b"styp", b"moof", b"sidx"):
        return Container(None, "a fragment of an MP4 (its initialisation segment is in another file)")
    if kind in OLD_QUICKTIME:
        return Container("video/quicktime", "mov")
    if head[:4] == b"RIFF" and (found := RIFF.get(head[8:12])):
        return Container(found, SIGNABLE[found])
    if head[:4] == b"\x1aE\xdf\xa3":
        name = "webm" if b"webm" in head else "mkv"
        return Container(f"video/{'webm' if name == 'webm' else 'x-matroska'}", name)
    if head.startswith(b"PK\x03\x04") and head[30:].startswith(DOCUMENT_PARTS):
        return Container(ZIP, DOCUMENT)
    for prefix, mime in PREFIXES:
        if head.startswith(prefix):
            return Container(mime, SIGNABLE.get(mime) or NAMES.get(mime) or mime.rpartition("/")[2])
    if find_packets(head) is not None:
        return Container("video/mp2t", "mp2t")
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # MPEG audio, layer III, without ID3
        return Container("audio/mpeg", "mp3")
    if _is_svg(head):
        return Container(SVG, "svg")
    return Container(None, "an unknown format")


def _is_svg(head: bytes) -> bool:
    """Whether the first element of the XML that begins with *head* is ``svg``."""
    rest = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for _ in range(HEAD):
        ends = ((b"<?", b"?>"), (b"<!--", b"-->"), (b"<!", b">"))
        end = next((end for start, end in ends if rest.startswith(start)), None)
        if end is None:
            break
        before, _, after = rest.partition(end)
        if end == b">" and b"[" in before:  # a document type with declarations of its own
            after = rest.partition(b"]")[2].partition(b">")[2]
        rest = after.lstrip()
    return rest[:4].lower() == b"<svg" and rest[4:5] in b" \t\r\n/>"


def kind_of(what: Path | Container) -> Kind:
    """What a person would call the file: ``picture``, ``video``, ``sound``, ``document`` or ``file``.

    Told from its bytes (an MP4 is a video whatever is in it). Raises UnreadableInput as ``detect`` does.
    """
    container = what if isinstance(what, Container) else detect(what)
    mime = container.mime or ""
    if mime == ZIP:
        return "document" if container.name == DOCUMENT else "file"
    kinds: dict[str, Kind] = {"image": "picture", "video": "video", "audio": "sound"}
    if mime in KINDS:
        return KINDS[mime]
    return kinds.get(mime.partition("/")[0], "file")


def require_signable(path: Path) -> str:
    """MIME type for signing the file at *path*. Raises UsageError naming the formats that can be signed."""
    container = detect(path)
    if container.mime is None or not container.signable:
        able = ", ".join(sorted(set(SIGNABLE.values())))
        raise UsageError(
            f"{path.name} is {container.name}, which cannot carry Content Credentials",
            hint=f"convert it to MP4; these formats can be signed: {able}",
        )
    if container.mime in BMFF:
        _require_whole(path)
    return container.mime


def _require_whole(path: Path) -> None:
    """Refuse an MP4 or MOV that was cut off: c2pa would sign one without a ``moov`` (UnreadableInput).

    Refuse also the initialisation part of a fragmented MP4 by itself (UsageError): its fragments are other
    files, and c2pa-python has no call to sign those along.
    """
    size, at, kinds = path.stat().st_size, 0, set()
    with path.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:
                length = size - at
            if length < 8:
                break
            kinds.add(kind)
            at += length
    if at != size or b"moov" not in kinds:
        raise UnreadableInput(f"{path.name} is truncated or damaged", hint="write the file again")
    if not kinds & {b"mdat", b"moof"}:
        raise UsageError(
            f"{path.name} is the initialisation segment of a fragmented MP4; its fragments are in "
            "other files, and a signature over it alone would not cover them",
            hint="join the parts into one file (`cat init.mp4 *.m4s > whole.mp4`) and sign that",
        )
