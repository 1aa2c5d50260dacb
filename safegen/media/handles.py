"""Media files by handle: FFmpeg is given bytes, never a name that it could read a meaning into.

``fake%d.jpg`` is a numbered series to FFmpeg, ``concat:a|b`` two files, ``http://...`` a server. Whoever
opens a file here opens that very file, and nothing that is written in it leads to another one.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safegen._util.files import not_a_file
from safegen.errors import UnreadableInput
from safegen.media.pyav import reading_options

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,av1,ivf,obu,flv,ogg,asf,mxf,"
    "gif,apng,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,wav,mp3,flac,aac,yuv4mpegpipe"
)
"""Demuxers that may be used: none of them is a playlist, a series or a list of files."""
_BLOCK = 1 << 17
"""Bytes of one read or write."""


class Handle(io.RawIOBase):
    """An open file, by its descriptor, with a position of its own; it has no name. Does not close it."""

    def __init__(self, descriptor: int, *, writable: bool = False) -> None:
        self._descriptor, self._writable, self._at = descriptor, writable, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def writable(self) -> bool:
        """Whether it was opened for writing."""
        return self._writable

    def seekable(self) -> bool:
        """Yes: only files are opened."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._descriptor).st_size

    def seek(self, offset: int, whence: int = 0) -> int:
        """As ``io.IOBase.seek``. Raises OSError before the start."""
        at = (0, self._at, self.size)[whence] + offset
        if at < 0:
            raise OSError(22, "before the start of the file")
        self._at = at
        return at

    def tell(self) -> int:
        """The position."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """At most *size* bytes, all that are left where it is negative."""
        data = _read_at(self._descriptor, self.size - self._at if size < 0 else size, self._at)
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """As ``io.RawIOBase.readinto``."""
        view = memoryview(buffer).cast("B")
        if hasattr(os, "preadv"):
            done = os.preadv(self._descriptor, [view], self._at)
            self._at += done
            return done
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def write(self, data: Any) -> int:
        """All of *data*. Raises OSError."""
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            done += _write_at(self._descriptor, view[done:], self._at + done)
        self._at += done
        return done


class _Jpeg(Handle):
    """A JPEG: its reader wants a name that ends so; this is no file's."""

    name = "picture.jpg"


def _read_at(descriptor: int, size: int, at: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, max(0, size), at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.read(descriptor, max(0, size))


def _write_at(descriptor: int, data: memoryview, at: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, data, at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.write(descriptor, data)


def open_descriptor(path: Path, *, write: bool = False) -> int:
    """A descriptor for the file at *path*; with *write* an empty file to be written and read.

    Raises UnreadableInput (nothing there, no file, empty, forbidden), OSError where it cannot be written.
    """
    binary, waiting = getattr(os, "O_BINARY", 0), getattr(os, "O_NONBLOCK", 0)
    if write:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | binary, 0o666)
    try:
        descriptor = os.open(path, os.O_RDONLY | binary | waiting)
    except FileNotFoundError:
        raise not_a_file(path) from None
    except OSError as error:
        raise UnreadableInput(
            f"cannot read {path}: {error.strerror}", hint="check its permissions"
        ) from error
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_size:
        return descriptor
    os.close(descriptor)
    if stat.S_ISREG(found.st_mode):
        raise UnreadableInput(f"{path}: the file is empty", hint="fetch or create it again")
    raise not_a_file(path)


@contextmanager
def opened(path: Path, *, write: bool = False) -> Iterator[Handle]:
    """A Handle for the file at *path*, closed at the end. Raises as ``open_descriptor``."""
    descriptor = open_descriptor(path, write=write)
    try:
        yield Handle(descriptor, writable=write)
    finally:
        os.close(descriptor)


def read_media(handle: Handle) -> Any:
    """An ``av`` container that reads *handle* from its start, by the FORMATS only. Raises FFmpegError.

    A JPEG is one picture, whatever follows it: what a telephone puts behind it (a second view, a short film)
    is not a second frame. Raises CheckUnavailable for a PyAV that will not do.
    """
    import av

    source, form, more, again = Handle(handle.fileno()), None, {"format_whitelist": FORMATS}, _refuse
    if Handle(handle.fileno()).read(3) == b"\xff\xd8\xff":
        source, form, more = _Jpeg(handle.fileno()), "image2", {"pattern_type": "none"}

        def again(_url: str, _flags: int, _options: dict[str, str]) -> Handle:
            """This reader of pictures opens its file itself: it is given the same one."""
            return Handle(handle.fileno())

    return av.open(
        source,
        format=form,
        options={"protocol_whitelist": "none", "enable_drefs": "0", **more},
        timeout=30,
        buffer_size=_BLOCK,
        io_open=again,
        **reading_options(),
    )


def write_media(handle: Handle, format: str, *, index_first: bool = False) -> Any:
    """An ``av`` container of that *format* that writes *handle*; *index_first*: MP4 with its index in front.

    Raises FFmpegError, OSError.
    """
    import av

    def again(_url: str, flags: int, _options: dict[str, str]) -> Handle:
        """The muxer reads what it has written when it moves the index to the front."""
        return Handle(handle.fileno(), writable=bool(flags & 2))

    options = {"movflags": "+faststart"} if index_first else {}
    return av.open(handle, "w", format=format, options=options, buffer_size=_BLOCK, io_open=again)


def _refuse(_url: str, _flags: int, _options: dict[str, str]) -> Handle:
    """What a file names is not opened."""
    raise PermissionError(13, "a media file may not open another one")
