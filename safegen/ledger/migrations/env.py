"""Alembic's entry point. Runs on the connection that ``upgrade`` was given, in its transaction."""

from __future__ import annotations

from alembic import context

from safegen.ledger.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
