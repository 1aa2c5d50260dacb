"""The ledger's tables (SQLModel). Every change here needs a migration and a new ``database.SCHEMA``.

Only portable types: big integers, text, bytes. 64-bit payloads are stored as signed integers
(``to_signed``), because SQL has no unsigned ones.
"""

from __future__ import annotations

from typing import ClassVar, cast

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Base(SQLModel, registry=registry()):
    """Own registry: another library's SQLModel tables never mix with the ledger's."""


class StateRow(Base, table=True):
    """One row (id 1): whose log this is ("" before the first entry), how many entries. Writers lock it."""

    __tablename__: ClassVar[str] = "ledger_state"
    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    origin: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)


class EntryRow(Base, table=True):
    """An entry: the leaf's bytes, and two members of it for searching."""

    __tablename__: ClassVar[str] = "ledger_entry"
    __table_args__ = (Index("ix_ledger_entry_kind", "kind", "position"),)
    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(sa_type=Text)
    time: str = Field(sa_type=Text)
    leaf: bytes = Field(sa_type=LargeBinary)


class NodeRow(Base, table=True):
    """A full node of the Merkle tree, numbered by ``merkle.node_id``."""

    __tablename__: ClassVar[str] = "ledger_node"
    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    hash: bytes = Field(sa_type=LargeBinary)


class SecretRow(Base, table=True):
    """Salt and private part (canonical JSON) of an entry; both NULL once redacted."""

    __tablename__: ClassVar[str] = "ledger_secret"
    position: int = Field(
        primary_key=True,
        sa_type=BigInteger,
        foreign_key="ledger_entry.position",
        sa_column_kwargs={"autoincrement": False},
    )
    salt: bytes | None = Field(default=None, sa_type=LargeBinary)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    redacted: str | None = Field(default=None, sa_type=Text)


class CheckpointRow(Base, table=True):
    """A checkpoint this log has signed."""

    __tablename__: ClassVar[str] = "ledger_checkpoint"
    size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    note: str = Field(sa_type=Text)


class BlobRow(Base, table=True):
    """Bytes under their SHA-256 (hex)."""

    __tablename__: ClassVar[str] = "ledger_blob"
    sha256: str = Field(primary_key=True, sa_type=Text)
    data: bytes = Field(sa_type=LargeBinary)


class ReleaseRow(Base, table=True):
    """What one searches releases by; every value is also in the entry or hashed there."""

    __tablename__: ClassVar[str] = "ledger_release"
    position: int = Field(
        primary_key=True,
        sa_type=BigInteger,
        foreign_key="ledger_entry.position",
        sa_column_kwargs={"autoincrement": False},
    )
    sha256: str = Field(sa_type=Text, index=True)
    manifest_id: str = Field(sa_type=Text, index=True)
    content_id: int = Field(sa_type=BigInteger, index=True)
    watermark_alg: str = Field(sa_type=Text)
    manifest: str = Field(sa_type=Text, foreign_key="ledger_blob.sha256")
    manifest_json: str = Field(sa_type=Text, foreign_key="ledger_blob.sha256")
    descriptors: str = Field(sa_type=Text, foreign_key="ledger_blob.sha256")
    attributes: str = Field(sa_type=Text, foreign_key="ledger_blob.sha256")
    withdrawn: int | None = Field(default=None, sa_type=BigInteger)


class LeaseRow(Base, table=True):
    """Who owns a folder of temporaries, and until when if nobody can tell whether the owner lives."""

    __tablename__: ClassVar[str] = "release_lease"
    job: str = Field(primary_key=True, sa_type=Text)
    owner: str = Field(sa_type=Text)
    expires: str = Field(sa_type=Text)
    folder: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)


class OutboxRow(Base, table=True):
    """A recorded release on its way to its final names. ``state``: recorded, published or withdrawn."""

    __tablename__: ClassVar[str] = "release_outbox"
    job: str = Field(primary_key=True, sa_type=Text)
    position: int = Field(sa_type=BigInteger, foreign_key="ledger_entry.position", index=True)
    state: str = Field(sa_type=Text, index=True)
    folder: str = Field(sa_type=Text)
    files: str = Field(sa_column=Column(Text, nullable=False))
    overwrite: bool = False


RELEASE_BLOBS = ("manifest", "manifest_json", "descriptors", "attributes")
"""Columns of a release that hold the hash of a blob; its entry has each as ``<name>_sha256``."""


def table(model: type[Base]) -> Table:
    """The SQLAlchemy table of *model*, whose columns are typed as columns."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


def as_bytes(value: object) -> bytes:
    """A stored value as bytes. SQLite keeps any type a tamperer writes: it must not match, nor crash."""
    if isinstance(value, bytes | memoryview | bytearray):
        return bytes(value)
    return repr(value).encode()


def to_signed(value: int) -> int:
    """An unsigned 64-bit integer as the signed one with the same bits."""
    return value - 2**64 if value >= 2**63 else value


def to_unsigned(value: int) -> int:
    """Inverse of ``to_signed``."""
    return value % 2**64
