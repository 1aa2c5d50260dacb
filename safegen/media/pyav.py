"""PyAV 18.1 and 19: where the versions differ, and whether the one installed will do."""

from __future__ import annotations

import ctypes
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from safegen.errors import CheckUnavailable

LOWEST, BEYOND = (18, 1), 20
"""The first version that will do (10-bit pictures, field order), and the first major one not yet tried."""
HINT = f"python -m pip install 'av>={LOWEST[0]}.{LOWEST[1]},<{BEYOND}'"
FREED_TWICE = frozenset({"png", "apng"})
"""Decoders whose side data must not be given back; asking for it at every frame would pile up."""
_STRICT_WORDS_BEFORE = 19
"""Major version before which metadata that is not UTF-8 raises where nothing else is asked for."""


@lru_cache(maxsize=1)
def require_version() -> int:
    """The major version of the PyAV that is installed. Raises CheckUnavailable where it will not do."""
    import av

    numbers = tuple(int(part) for part in str(av.__version__).split(".")[:2])
    if not LOWEST <= numbers < (BEYOND,):
        raise CheckUnavailable(
            f"PyAV {av.__version__} is installed; safegen needs {LOWEST[0]}.{LOWEST[1]} to {BEYOND - 1}",
            hint=HINT,
        )
    return numbers[0]


def reading_options() -> dict[str, Any]:
    """What ``av.open`` has to be told so that no words in a file stop it."""
    return {"metadata_errors": "ignore"} if require_version() < _STRICT_WORDS_BEFORE else {}


def side_data(frame: Any, names: Collection[str], codec: str) -> dict[str, bytes]:
    """What goes along with *frame*, by FFmpeg's name, of the kinds in *names* only.

    A decoder may add kinds that this PyAV has no name for (EXIF, in PyAV up to 18): they are passed over.
    *codec*: that of the frame. What PNG's decoder makes is never given back: a colour profile with a name is
    freed twice otherwise, by PyAV and by FFmpeg (seen in PyAV 18.1 and 19.0).
    """
    _name_all_kinds()
    beside = frame.side_data
    if codec in FREED_TWICE:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(beside))
    found: dict[str, bytes] = {}
    for name in names:
        try:
            found[name] = bytes(beside[name])
        except KeyError:  # not there, or unknown to this version
            continue
    return found


@lru_cache(maxsize=1)
def _name_all_kinds() -> None:
    """Let PyAV name kinds of side data that it does not know, as it does from version 19 on."""
    from av.sidedata import sidedata

    kinds: Any = sidedata.Type
    if "_missing_" in vars(kinds):
        return

    def missing(cls: Any, value: object) -> Any:
        member = object.__new__(cls)
        member._name_, member._value_ = f"UNKNOWN_{value}", value
        return cls._value2member_map_.setdefault(value, member)

    kinds._missing_ = classmethod(missing)
