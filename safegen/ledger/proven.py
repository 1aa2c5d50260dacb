"""Entries that are shown to be what the log's key has signed, and whether they were withdrawn since.

A database is only a store: everything in it may have been changed. What is *proven* follows from a checkpoint
that verifies under a given key: the entries from the wanted one to the end are hashed and lead, with the
roots of the trees before it, to the signed root. So no later entry, a withdrawal above all, can be hidden.
No database library is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from safegen.errors import LedgerError
from safegen.ledger import merkle
from safegen.ledger.canonical import NotCanonical, parse_leaf
from safegen.ledger.checkpoint import Checkpoint, verify_checkpoint
from safegen.ledger.merkle import HASH_BYTES, Frontier, ProofError, ReadNodes, leaf_hash
from safegen.ledger.note import NoteError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HINT = "run `safegen log check`; restore the ledger from a copy, together with its checkpoints"
_WITHDRAWAL = b'"kind":"withdrawal"'
"""In the canonical bytes of every withdrawal."""

MOST_LATER = 20_000
"""So many later entries are walked for a look-up (0.1 s); with more, `log check` shows what is hidden."""

LeavesFrom: TypeAlias = Callable[[int], Iterable[tuple[int, bytes]]]
"""(position, leaf) of the entries from a position on, in order."""


def signed_head(note: str | None, *, keys: Sequence[Ed25519PublicKey], origin: str) -> Checkpoint:
    """The tree head in *note*, signed for *origin* by one of *keys*. Raises LedgerError."""
    if note is None:
        raise LedgerError("the ledger has no signed checkpoint", hint=HINT)
    try:
        return verify_checkpoint(note, logs={origin: tuple(keys)})
    except NoteError as error:
        raise LedgerError(
            f"the newest checkpoint of the ledger does not count: {error}", hint=HINT
        ) from error


def require_extension(head: Checkpoint, seen: Iterable[Checkpoint], nodes: ReadNodes) -> None:
    """Raise LedgerError unless *head* extends all of *seen*: else the log was rolled back or forked."""
    for older in seen:
        if older.size > head.size:
            raise LedgerError(
                f"the ledger has {head.size} entries, but its checkpoint of {older.size} was seen already",
                hint=f"the ledger was rolled back; {HINT}",
            )
        if older.size == 0:
            continue
        try:
            steps = merkle.carry_out(merkle.consistency_plan(older.size, head.size), nodes)
            merkle.verify_consistency(older.size, older.root, head.size, head.root, steps)
        except ProofError as error:
            raise LedgerError(
                f"the ledger does not contain what its checkpoint of {older.size} entries states", hint=HINT
            ) from error


def proven_withdrawal(
    head: Checkpoint, index: int, leaf: bytes, *, nodes: ReadNodes, leaves_after: LeavesFrom
) -> int | None:
    """Index of the entry that withdraws release *index*; ``None``: there is none, which is proven too.

    *leaf* is shown to be entry *index* of the tree *head* on the way. Time and reading grow with the number
    of later entries. Raises LedgerError when it is not.
    """
    if not 0 <= index < head.size:
        raise LedgerError(f"the newest checkpoint does not cover entry {index}", hint=HINT)
    before = proof_start(index)
    have = nodes(before)
    if any(len(have[node]) != HASH_BYTES for node in before):
        raise LedgerError("the ledger's tree was changed", hint=HINT)
    edge = Frontier(index, [have[node] for node in before])
    edge.append(leaf_hash(leaf))
    withdrawals: list[tuple[int, bytes]] = []
    for position, later in leaves_after(index + 1):
        if edge.size >= head.size:
            break
        if position != edge.size:
            raise LedgerError(f"entry {edge.size} is missing from the ledger", hint=HINT)
        edge.append(leaf_hash(later))
        if _WITHDRAWAL in later:
            withdrawals.append((position, later))
    if edge.size != head.size or edge.root() != head.root:
        raise LedgerError(f"the entries from {index} on are not those that were signed", hint=HINT)
    return next((at for at, later in withdrawals if _withdraws(later, index)), None)


def proof_start(index: int) -> tuple[merkle.Node, ...]:
    """The stored nodes from which the walk of ``proven_withdrawal`` starts."""
    return merkle.subtrees(0, index)


def _withdraws(leaf: bytes, index: int) -> bool:
    """Whether this (proven) leaf is the withdrawal of release *index*."""
    try:
        value = parse_leaf(leaf)
    except NotCanonical as error:
        raise LedgerError(f"an entry of the ledger is corrupt: {error}", hint=HINT) from error
    return bool(value["kind"] == "withdrawal" and value["public"].get("release") == index)
