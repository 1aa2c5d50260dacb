"""Rows of leases and of the outbox. All take a connection that is inside a transaction."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import Connection, Row, delete, insert, select, update

from safegen.errors import LedgerError, ReleaseFailed
from safegen.ledger.canonical import timestamp
from safegen.ledger.models import LeaseRow, OutboxRow, table
from safegen.release.folder import is_plain_folder, is_plain_name
from safegen.release.owner import ACTIVE_JOBS, Owner
from safegen.release.seal import JOB, Seal

_LEASE, _OUTBOX = table(LeaseRow), table(OutboxRow)
_SHA256 = re.compile(r"[0-9a-f]{64}")
State: TypeAlias = Literal["recorded", "published", "withdrawn"]
MADE_ELSEWHERE = "made elsewhere: by another user, on another machine, or by an earlier version"


@dataclass(frozen=True)
class Lease:
    """Process ``owner`` may keep temporaries of ``job`` in ``folder``; ``name``: the video's final name."""

    job: str
    owner: str
    expires: str
    folder: str
    name: str


@dataclass(frozen=True)
class OutboxFile:
    """A file of a release: final and temporary name, SHA-256 (hex), ``text`` if it can be written again."""

    name: str
    temporary: str
    sha256: str
    text: str | None = None


@dataclass(frozen=True)
class Outbox:
    """A recorded release; the video is the last of ``files``.

    ``placeholder``: the file system has no hard links, so a final name may be an empty file of ours.
    ``replaces``: which of the names were taken, with the SHA-256 (hex) of the file that may be overwritten
    ("" for what is no regular file).
    """

    job: str
    index: int
    state: State
    folder: str
    files: tuple[OutboxFile, ...]
    overwrite: bool
    placeholder: bool = False
    replaces: tuple[tuple[str, str], ...] = ()

    @property
    def video(self) -> OutboxFile:
        """The video itself."""
        return self.files[-1]


def is_well_formed(lease: Lease) -> bool:
    """Whether *lease* has the form in which safegen writes one, whoever wrote it."""
    texts = all(isinstance(value, str) for value in asdict(lease).values())
    return (
        texts
        and bool(JOB.fullmatch(lease.job))
        and is_plain_folder(lease.folder)
        and is_plain_name(lease.name)
    )


def insert_lease(connection: Connection, lease: Lease) -> None:
    """Write the lease that comes before any temporary."""
    connection.execute(insert(_LEASE).values(**asdict(lease)))


def renew_lease(connection: Connection, job: str, owner: Owner, expires: datetime) -> None:
    """Prolong a lease. Raises ReleaseFailed when another process has taken it over."""
    query = update(_LEASE).where(_LEASE.c.job == job, _LEASE.c.owner == owner.text)
    if connection.execute(query.values(expires=timestamp(expires))).rowcount != 1:
        raise ReleaseFailed(
            "this release was taken over by another process",
            hint="start it again: it did not renew its lease in time",
        )


def take_over_lease(connection: Connection, lease: Lease, owner: Owner) -> bool:
    """Make *owner* the owner if the lease is still as it was read; of several takers one succeeds."""
    query = update(_LEASE).where(
        _LEASE.c.job == lease.job, _LEASE.c.owner == lease.owner, _LEASE.c.expires == lease.expires
    )
    return connection.execute(query.values(owner=owner.text)).rowcount == 1


def return_lease(connection: Connection, lease: Lease) -> None:
    """Undo ``take_over_lease``."""
    connection.execute(update(_LEASE).where(_LEASE.c.job == lease.job).values(owner=lease.owner))


def is_owner(connection: Connection, job: str, owner: Owner) -> bool:
    """Whether nobody else owns the lease of *job*."""
    recorded = connection.execute(select(_LEASE.c.owner).where(_LEASE.c.job == job)).scalar()
    return recorded is None or recorded == owner.text


def end_lease(connection: Connection, job: str) -> None:
    """Remove a lease; its temporaries are gone."""
    connection.execute(delete(_LEASE).where(_LEASE.c.job == job))


def list_leases(connection: Connection) -> list[Lease]:
    """Every lease."""
    return [Lease(**row._mapping) for row in connection.execute(select(_LEASE).order_by(_LEASE.c.job))]


def insert_outbox(connection: Connection, outbox: Outbox, seal: Seal) -> None:
    """Write the outbox row of a release, in the transaction of its entry."""
    connection.execute(
        insert(_OUTBOX).values(
            job=outbox.job,
            position=outbox.index,
            state=outbox.state,
            folder=outbox.folder,
            files=_files_json(outbox, seal),
            overwrite=outbox.overwrite,
        )
    )


def read_outbox(connection: Connection, job: str, seal: Seal) -> Outbox | None:
    """The outbox row of *job*, if it got as far as being recorded.

    Raises LedgerError for a row that this user's safegen has not written on this machine, or a malformed one.
    """
    row = connection.execute(select(_OUTBOX).where(_OUTBOX.c.job == job)).first()
    if row is None:
        return None
    outbox, code = _outbox(row)
    if job not in ACTIVE_JOBS and not seal.made_row(asdict(outbox), code):
        raise LedgerError(MADE_ELSEWHERE)
    return outbox


def _outbox(row: Row[Any]) -> tuple[Outbox, object]:
    """The value of a row and its code, every member checked for its kind. Raises LedgerError."""
    malformed = LedgerError("its row is not what safegen writes", hint="run `safegen log check`")
    try:
        value = json.loads(row.files)
        files = tuple(OutboxFile(**item) for item in value["files"])
        replaces = tuple((str(name), str(sha256)) for name, sha256 in value.get("replaces", ()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise malformed from error
    names = [name for item in files for name in (item.name, item.temporary)]
    if (
        not files
        or not all(is_plain_name(name) for name in names)
        or not all(isinstance(i.sha256, str) and _SHA256.fullmatch(i.sha256) for i in files)
        or not all(item.text is None or isinstance(item.text, str) for item in files)
        or not is_plain_folder(row.folder)
        or row.state not in get_args(State)
        or not isinstance(row.position, int)
    ):
        raise malformed
    outbox = Outbox(
        row.job,
        row.position,
        row.state,
        row.folder,
        files,
        bool(row.overwrite),
        value.get("placeholder") is True,
        replaces,
    )
    return outbox, value.get("code")


def set_placeholder(connection: Connection, outbox: Outbox, seal: Seal) -> None:
    """Note that final names may be empty files of ours from now on."""
    noted = replace(outbox, placeholder=True)
    connection.execute(
        update(_OUTBOX).where(_OUTBOX.c.job == outbox.job).values(files=_files_json(noted, seal))
    )


def set_state(connection: Connection, job: str, state: State, seal: Seal) -> bool:
    """Settle a recorded release; ``False`` when somebody else has settled it otherwise."""
    row = connection.execute(select(_OUTBOX).where(_OUTBOX.c.job == job).with_for_update()).first()
    if row is None or row.state != "recorded":
        return False
    settled = replace(_outbox(row)[0], state=state)
    query = update(_OUTBOX).where(_OUTBOX.c.job == job, _OUTBOX.c.state == "recorded")
    return connection.execute(query.values(state=state, files=_files_json(settled, seal))).rowcount == 1


def _files_json(outbox: Outbox, seal: Seal) -> str:
    value = {"files": [asdict(item) for item in outbox.files], "placeholder": outbox.placeholder}
    return json.dumps({**value, "replaces": outbox.replaces, "code": seal.row_code(asdict(outbox))})
