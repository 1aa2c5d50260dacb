"""The C2PA's trust lists: who may sign Content Credentials, and whose time stamps count.

The package brings one file of each kind (``c2pa/``); ``safegen trust update`` puts newer ones into the
user's own data folder. A file is a header of ``# Name: value`` lines and the list as the C2PA publishes it
(PEM, with text between the certificates). Signers and time stamps are two lists: an anchor in both counts in
each for that alone, and neither says anything about a log.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path

from safegen._util.time import parse_moment
from safegen.errors import KeyUnavailable, UsageError
from safegen.keys.bundle import LIMIT, Kind
from safegen.keys.files import FOLDER_MODE, write_private

FILES: dict[Kind, str] = {"signer": "C2PA-TRUST-LIST.pem", "tsa": "C2PA-TSA-TRUST-LIST.pem"}
"""Names of the files, those of the C2PA: in the package, in the data folder, and at their source."""
TITLES: dict[Kind, str] = {"signer": "C2PA trust list", "tsa": "C2PA time stamp trust list"}
OLD = timedelta(days=180)
"""After this a list should be looked for again."""
HINT = "fetch it again with `safegen trust update`, or delete the file: the list in the package is used then"
_PACKAGED = Path(__file__).with_name("c2pa")
_HEADER = re.compile(rb"# ([A-Za-z0-9-]+): ([^\r\n]*)\r?\n")
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----\s(.*?)-----END CERTIFICATE-----\s*", re.DOTALL)


@dataclass(frozen=True)
class TrustList:
    """One list: ``date`` (``2026-08-13``) and ``source`` as its file says, ``body`` as published (PEM)."""

    kind: Kind
    date: str
    source: str
    body: bytes
    updated: bool = False
    """Whether it is from the user's data folder and not from the package."""
    taken: bool = False
    """Whether ``date`` is the day on which it was taken: the C2PA's files do not say of when they are."""

    @property
    def name(self) -> str:
        """What verdicts call it."""
        return f"{TITLES[self.kind]} {'taken on' if self.taken else 'of'} {self.date}"

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of the list as published."""
        return hashlib.sha256(self.body).hexdigest()

    @cached_property
    def anchors(self) -> tuple[bytes, ...]:
        """Its certificates, one PEM each."""
        return tuple(found[0] for found in _BLOCK.finditer(self.body))

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """SHA-256 (hex) of each certificate's DER form, in the order of ``anchors``.

        Nothing else in the certificates is read here: every ``verify`` needs this, hardly one the rest.
        """
        ders = (base64.b64decode(b"".join(found[1].split())) for found in _BLOCK.finditer(self.body))
        return tuple(hashlib.sha256(der).hexdigest() for der in ders)

    def is_old(self, now: datetime) -> bool:
        """Whether *now* (aware) is more than 180 days after its date."""
        return now - parse_moment(self.date) > OLD


@cache
def packaged_list(kind: Kind) -> TrustList:
    """The list that comes with the package."""
    return read_list((_PACKAGED / FILES[kind]).read_bytes(), kind)


def list_in_use(kind: Kind, folder: Path) -> TrustList:
    """The newer of the list in the package and the one that an update put into *folder*.

    Raises UsageError when the updated one is damaged.
    """
    packaged = packaged_list(kind)
    try:
        with (folder / FILES[kind]).open("rb") as file:
            data = file.read(LIMIT + 1)
    except FileNotFoundError:
        return packaged
    except OSError as error:
        raise UsageError(f"cannot read {folder / FILES[kind]}: {error.strerror}", hint=HINT) from error
    updated = read_list(data, kind, updated=True, called=str(folder / FILES[kind]))
    return updated if updated.date >= packaged.date else packaged


def read_list(data: bytes, kind: Kind, *, updated: bool = False, called: str = "the trust list") -> TrustList:
    """The list in *data*, a file with our header. *called* is for messages.

    Raises UsageError: no header or date, or the list is not the one that the header gives the SHA-256 of.
    """
    header, body = split_header(data)
    date, source = header.get("date") or header.get("taken", ""), header.get("source", "")
    whole = header.get("sha-256", "") == hashlib.sha256(body).hexdigest()
    if len(data) > LIMIT or not re.fullmatch(r"\d{4}-\d\d-\d\d", date) or not whole:
        raise UsageError(f"{called} is damaged", hint=HINT)
    parse_moment(date)
    found = TrustList(kind, date, source, body, updated, taken="date" not in header)
    try:
        known = len(found.fingerprints)
    except binascii.Error as error:
        raise UsageError(f"{called} is damaged", hint=HINT) from error
    if not known:
        raise UsageError(f"{called} holds no certificates", hint=HINT)
    return found


def split_header(data: bytes) -> tuple[dict[str, str], bytes]:
    """The header's values by lower-case name (empty where there is none), and everything below it."""
    header, at = {}, 0
    while found := _HEADER.match(data, at):
        header[found[1].decode("ascii").lower()] = found[2].decode("utf-8", "replace").strip()
        at = found.end()
    return header, data[at:]


def store_list(folder: Path, found: TrustList) -> Path:
    """Write *found* into *folder* (0700), with its header; the file. Raises KeyUnavailable."""
    header = {
        "Title": TITLES[found.kind],
        "Source": found.source,
        "By": "Coalition for Content Provenance and Authenticity (C2PA)",
        "Licence": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
        "Changes": "these lines were added; everything below them is as published",
        "Taken" if found.taken else "Date": found.date,
        "SHA-256": found.sha256,
    }
    text = "".join(f"# {name}: {' '.join(value.split())}\n" for name, value in header.items())
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyUnavailable(f"cannot create {folder}: {error.strerror}", hint="check it") from error
    write_private(folder / FILES[found.kind], text.encode() + found.body)
    return folder / FILES[found.kind]
