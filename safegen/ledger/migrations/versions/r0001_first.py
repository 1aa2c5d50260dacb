"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _key(name: str, *constraints: sa.ForeignKey) -> sa.Column[int]:
    """A primary key whose values the ledger chooses."""
    return sa.Column(name, sa.BigInteger(), *constraints, primary_key=True, autoincrement=False)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _bytes(name: str, *, null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=null)


def _blob(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), sa.ForeignKey("ledger_blob.sha256"), nullable=False)


def upgrade() -> None:
    """Create the tables."""
    _log()
    _releases()


def _log() -> None:
    state = op.create_table(
        "ledger_state", _key("id"), _text("origin"), sa.Column("size", sa.BigInteger(), nullable=False)
    )
    # There from the start, so that even the first writers can lock it.
    op.bulk_insert(state, [{"id": 1, "origin": "", "size": 0}])
    op.create_table("ledger_entry", _key("position"), _text("kind"), _text("time"), _bytes("leaf"))
    op.create_index("ix_ledger_entry_kind", "ledger_entry", ["kind", "position"])
    op.create_table("ledger_node", _key("id"), _bytes("hash"))
    op.create_table(
        "ledger_secret",
        _key("position", sa.ForeignKey("ledger_entry.position")),
        _bytes("salt", null=True),
        _bytes("body", null=True),
        _text("redacted", null=True),
    )
    op.create_table("ledger_checkpoint", _key("size"), _text("note"))
    op.create_table("ledger_blob", sa.Column("sha256", sa.Text(), primary_key=True), _bytes("data"))


def _releases() -> None:
    op.create_table(
        "ledger_release",
        _key("position", sa.ForeignKey("ledger_entry.position")),
        _text("sha256"),
        _text("manifest_id"),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        _text("watermark_alg"),
        _blob("manifest"),
        _blob("manifest_json"),
        _blob("descriptors"),
        _blob("attributes"),
        sa.Column("withdrawn", sa.BigInteger(), nullable=True),
    )
    for column in ("sha256", "manifest_id", "content_id"):
        op.create_index(f"ix_ledger_release_{column}", "ledger_release", [column])
    op.create_table(
        "release_lease",
        sa.Column("job", sa.Text(), primary_key=True),
        _text("owner"),
        _text("expires"),
        _text("folder"),
        _text("name"),
    )
    op.create_table(
        "release_outbox",
        sa.Column("job", sa.Text(), primary_key=True),
        sa.Column("position", sa.BigInteger(), sa.ForeignKey("ledger_entry.position"), nullable=False),
        _text("state"),
        _text("folder"),
        _text("files"),
        sa.Column("overwrite", sa.Boolean(), nullable=False),
    )
    for column in ("position", "state"):
        op.create_index(f"ix_release_outbox_{column}", "release_outbox", [column])
