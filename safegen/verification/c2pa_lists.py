"""The C2PA's trust lists for one user: those in use, and newer ones from a file or an address."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from safegen.errors import UnreadableInput
from safegen.keys.bundle import LIMIT, Kind
from safegen.keys.c2pa_list import FILES, TITLES, TrustList, list_in_use
from safegen.workspace.config import user_data_folder

if TYPE_CHECKING:
    from safegen.keys.c2pa_update import Change

ADDRESS = "https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list/"
"""Where the C2PA publishes them: the files of its public repository."""
KINDS: tuple[Kind, ...] = ("signer", "tsa")


def list_folder() -> Path:
    """Where updated lists lie: in the user's own data folder, whatever workspace is in use."""
    return user_data_folder() / "c2pa"


def lists_in_use() -> tuple[TrustList, ...]:
    """The list of signers and that of time stamps. Raises UsageError for a damaged file of an update."""
    folder = list_folder()
    return tuple(list_in_use(kind, folder) for kind in KINDS)


def find_update(kind: Kind, place: str | None, *, now: datetime, date: str | None = None) -> Change:
    """What the list at *place* (a file, an https address; None: the C2PA's own) would change.

    *date* is the list's own where it does not say. Nothing is written. Raises UnreadableInput when it cannot
    be read or fetched, UsageError when it cannot take the place of the list in use.
    """
    from safegen.keys.c2pa_update import compare_lists

    place = place or ADDRESS + FILES[kind]
    is_address = "://" in place
    data = _fetch(place, kind) if is_address else _read(Path(place))
    source = place if is_address else f"the file {Path(place).name}"
    current = list_in_use(kind, list_folder())
    return compare_lists(current, data, source=source, now=now, date=date, fetched=is_address)


def _fetch(url: str, kind: Kind) -> bytes:
    """What lies at *url*, fetched as remote manifests are: https, public addresses, no redirects, limits."""
    from safegen.credentials.remote import FetchRefused, fetch_manifest

    try:
        return fetch_manifest(url, [_host(url)], accept="*/*")
    except FetchRefused as error:
        option = "--from FILE" if kind == "signer" else "--tsa-from FILE"
        raise UnreadableInput(
            f"the {TITLES[kind]} was not fetched: {error.why}",
            hint=f"download {url} on a machine with a connection, then `safegen trust update {option}`",
        ) from error


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return handle.read(LIMIT + 1)
    except OSError as error:
        raise UnreadableInput(
            f"cannot read {file}: {error.strerror}", hint="give the file or the https address of a trust list"
        ) from error
