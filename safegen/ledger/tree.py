"""The Merkle tree in SQL: append and read full nodes, each query O(log size)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select

from safegen.errors import LedgerError
from safegen.ledger import merkle
from safegen.ledger.checkpoint import parse_unverified
from safegen.ledger.merkle import Frontier, Node
from safegen.ledger.models import NodeRow, as_bytes, table
from safegen.ledger.proof import format_proof

_NODE = table(NodeRow)


def nodes_in(connection: Connection) -> merkle.ReadNodes:
    """Reads stored nodes through *connection*."""

    def read(nodes: Sequence[Node]) -> Mapping[Node, bytes]:
        ids = {merkle.node_id(node): node for node in nodes}
        rows = connection.execute(select(_NODE.c.id, _NODE.c.hash).where(_NODE.c.id.in_(list(ids))))
        have = {ids[row.id]: as_bytes(row.hash) for row in rows}
        if len(have) != len(ids):
            raise LedgerError(
                "nodes are missing from the ledger's tree",
                hint="run `safegen log check`; restore it from a copy",
            )
        return have

    return read


def frontier(connection: Connection, size: int) -> Frontier:
    """The right edge of the tree of the first *size* leaves."""
    nodes = merkle.subtrees(0, size)
    have = nodes_in(connection)(nodes)
    return Frontier(size, [have[node] for node in nodes])


def append_leaves(connection: Connection, edge: Frontier, leaves: Sequence[bytes]) -> None:
    """Append *leaves* (their bytes) and store every node that this completes."""
    rows = [
        {"id": merkle.node_id(node), "hash": value}
        for leaf in leaves
        for node, value in edge.append(merkle.leaf_hash(leaf))
    ]
    if rows:
        connection.execute(insert(_NODE), rows)


def includes_leaf(connection: Connection, index: int, leaf: bytes, size: int, root: bytes) -> bool:
    """Whether *leaf* is number *index* of the first *size* entries, whose root is *root*."""
    hashes = merkle.carry_out(merkle.inclusion_plan(index, size), nodes_in(connection))
    return merkle.inclusion_root(merkle.leaf_hash(leaf), index, size, hashes) == root


def prove(connection: Connection, index: int, leaf: bytes, checkpoint: str) -> str:
    """The offline proof that *leaf* is number *index* under the signed *checkpoint*.

    Raises LedgerError when the stored tree contradicts the checkpoint.
    """
    head = parse_unverified(checkpoint)
    hashes = merkle.carry_out(merkle.inclusion_plan(index, head.size), nodes_in(connection))
    if merkle.inclusion_root(merkle.leaf_hash(leaf), index, head.size, hashes) != head.root:
        raise LedgerError("the ledger contradicts its own checkpoint", hint="run `safegen log check`")
    return format_proof(index, leaf, hashes, checkpoint)
