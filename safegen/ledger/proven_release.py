"""A release as its log has signed it: columns, blobs and withdrawal checked against a signed checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from safegen.errors import LedgerError, UsageError
from safegen.ledger import queries, tree
from safegen.ledger.proven import HINT, proof_start, proven_withdrawal, require_extension, signed_head

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from safegen.ledger.checkpoint import Checkpoint
    from safegen.ledger.database import Database
    from safegen.ledger.records import ReleaseEntry

_PAGE = 1000


def prove_release(
    database: Database,
    index: int,
    *,
    keys: Sequence[Ed25519PublicKey],
    origin: str,
    seen: Sequence[Checkpoint] = (),
) -> ReleaseEntry:
    """Release *index*, proven; see ``LedgerReader.proven_release``. *seen*: what the log has shown before."""
    with database.reading() as connection:
        head = signed_head(queries.latest_checkpoint(connection), keys=keys, origin=origin)
        nodes = tree.nodes_in(connection)
        require_extension(head, seen, nodes)
        try:
            found = queries.release(connection, index)
        except UsageError as error:
            raise LedgerError(str(error), hint=error.hint) from error
        if queries.release_columns(connection, index) != queries.release_details(found.entry):
            raise LedgerError(f"the details of release {index} were changed", hint=HINT)
        before = nodes(proof_start(index))
    withdrawn = proven_withdrawal(
        head, index, found.entry.leaf, nodes=lambda _: before, leaves_after=lambda at: _leaves(database, at)
    )
    if withdrawn != found.withdrawn:
        raise LedgerError(f"the withdrawal of release {index} was changed", hint=HINT)
    return found


def _leaves(database: Database, start: int) -> Iterator[tuple[int, bytes]]:
    """(position, leaf) from entry *start* on, page by page, so that writers need not wait."""
    while True:
        with database.reading() as connection:
            page = queries.leaves_between(connection, start, start + _PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        start += _PAGE
