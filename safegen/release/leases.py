"""Rows of leases and of the outbox. All take a connection that is inside a transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from sqlalchemy import Connection, delete, insert, select, update

from safegen.errors import ReleaseFailed
from safegen.ledger.canonical import timestamp
from safegen.ledger.models import LeaseRow, OutboxRow, table
from safegen.release.owner import Owner

_LEASE, _OUTBOX = table(LeaseRow), table(OutboxRow)
State: TypeAlias = Literal["recorded", "published", "withdrawn"]


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
    """

    job: str
    index: int
    state: State
    folder: str
    files: tuple[OutboxFile, ...]
    overwrite: bool
    placeholder: bool = False

    @property
    def video(self) -> OutboxFile:
        """The video itself."""
        return self.files[-1]


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


def insert_outbox(connection: Connection, outbox: Outbox) -> None:
    """Write the outbox row of a release, in the transaction of its entry."""
    connection.execute(
        insert(_OUTBOX).values(
            job=outbox.job,
            position=outbox.index,
            state=outbox.state,
            folder=outbox.folder,
            files=_files_json(outbox.files, outbox.placeholder),
            overwrite=outbox.overwrite,
        )
    )


def read_outbox(connection: Connection, job: str) -> Outbox | None:
    """The outbox row of *job*, if it got as far as being recorded."""
    row = connection.execute(select(_OUTBOX).where(_OUTBOX.c.job == job)).first()
    if row is None:
        return None
    value = json.loads(row.files)
    files = tuple(OutboxFile(**item) for item in value["files"])
    return Outbox(row.job, row.position, row.state, row.folder, files, row.overwrite, value["placeholder"])


def set_placeholder(connection: Connection, outbox: Outbox) -> None:
    """Note that final names may be empty files of ours from now on."""
    connection.execute(
        update(_OUTBOX).where(_OUTBOX.c.job == outbox.job).values(files=_files_json(outbox.files, True))
    )


def set_state(connection: Connection, job: str, state: State) -> bool:
    """Settle a recorded release; ``False`` when somebody else has settled it otherwise."""
    query = update(_OUTBOX).where(_OUTBOX.c.job == job, _OUTBOX.c.state == "recorded")
    return connection.execute(query.values(state=state)).rowcount == 1


def job_folder(lease: Lease | Outbox, base: str) -> Path:
    """The job's folder of temporaries under the common folder named *base*."""
    return Path(lease.folder) / base / lease.job


def _files_json(files: Sequence[OutboxFile], placeholder: bool) -> str:
    return json.dumps({"files": [asdict(item) for item in files], "placeholder": placeholder})
