"""``check`` over the time stamps beside the checkpoints: is each about this log, and what does it show?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from safegen.ledger.checkpoint import Checkpoint
from safegen.ledger.timestamp import StampRejected, imprint_matches, read_token, verify_stamp

AHEAD = timedelta(minutes=10)
"""A clock that runs this much ahead of an authority's is worth a note."""
UNPINNED = "time stamp signatures were not checked: no authority is pinned (`safegen trust add --tsa`)"


@dataclass(frozen=True)
class RecomputedTree:
    """What was recomputed: root, and time of the last entry, of the tree of each size of interest.

    ``entries`` is how many there are by now.
    """

    origin: str
    entries: int
    roots: Mapping[int, bytes]
    dated: Mapping[int, str]


def check_stamps(
    stamps: Sequence[tuple[int, Path]],
    tree: RecomputedTree,
    authorities: Sequence[bytes],
    add_problem: Callable[[str, str], None],
    note: Callable[[str], None],
) -> None:
    """Compare every stamp (size of its tree, file) with the recomputed *tree*.

    A stamp over a tree that these entries do not give is ``stamp-forked``, one over more entries than there
    are ``rolled-back``, one that cannot be read ``stamp-corrupt``, one that none of the *authorities* (PEM)
    made ``stamp-untrusted``.
    """
    for size, path in stamps:
        if size > tree.entries:
            add_problem("rolled-back", f"{path.name} covers {size} entries; the ledger has {tree.entries}")
        elif size in tree.roots:  # otherwise written while this check was running
            _stamp(size, path, tree, authorities, add_problem, note)
    if stamps and not authorities:
        note(UNPINNED)


def _stamp(
    size: int,
    path: Path,
    tree: RecomputedTree,
    authorities: Sequence[bytes],
    add_problem: Callable[[str, str], None],
    note: Callable[[str], None],
) -> None:
    body = Checkpoint(tree.origin, size, tree.roots[size]).text.encode()
    try:
        token = read_token(path)
        same = imprint_matches(token, body)
    except StampRejected as error:
        add_problem("stamp-corrupt", f"the time stamp {path.name} cannot be read: {error}")
        return
    if not same:
        add_problem("stamp-forked", f"the time stamp {path.name} covers different entries")
        return
    if not authorities:
        return
    try:
        when = verify_stamp(token, body, authorities)
    except StampRejected as error:
        add_problem(
            "stamp-untrusted", f"the time stamp {path.name} is not from an authority you have pinned: {error}"
        )
        return
    claimed = tree.dated.get(size)
    if claimed is not None and datetime.fromisoformat(claimed.replace("Z", "+00:00")) > when + AHEAD:
        note(f"entry {size - 1} is dated after {path.name}, an independent time stamp over it")
