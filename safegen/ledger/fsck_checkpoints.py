"""The part of ``check`` about checkpoints: whose they are, who signed them, and what they say of the entries.

Origin and keys come from whoever asks, never from the database: with them the database could be judged by
itself. What cannot be checked is a problem, not a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen.ledger.checkpoint import parse_unverified, verify_checkpoint
from safegen.ledger.checkpoint_folder import FoundCheckpoint
from safegen.ledger.fsck_releases import AddProblem
from safegen.ledger.note import NoteError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DATABASE = "the database"


@dataclass(frozen=True)
class ExpectedLog:
    """Whose log it should be: ``origin`` (``None``: nobody said) and the keys that may sign for it."""

    origin: str | None
    keys: Sequence[Ed25519PublicKey]


def parse_stored(notes: Sequence[object], add_problem: AddProblem) -> list[FoundCheckpoint]:
    """The checkpoints that stored *notes* claim; a malformed one is a problem."""
    found = []
    for note in notes:
        try:
            found.append(FoundCheckpoint(str(note), parse_unverified(str(note)), DATABASE))
        except NoteError as error:
            add_problem("checkpoint-corrupt", f"a checkpoint in the database is malformed: {error}")
    return found


def check_origin(stated: str, size: int, expected: ExpectedLog, add_problem: AddProblem) -> None:
    """The origin that the database states against the one it should have; no keys are a problem as well.

    Before the first of *size* entries a log has no origin yet.
    """
    if not expected.keys or expected.origin is None:
        add_problem("keys-missing", "checkpoint signatures were not checked: no key of this log was given")
    elif stated != expected.origin and (stated or size):
        add_problem(
            "origin-changed", f"the database is of the log {stated or '(none)'}, not {expected.origin}"
        )


def check_checkpoints(
    found: Sequence[FoundCheckpoint],
    expected: ExpectedLog,
    roots: Mapping[int, bytes],
    size: int,
    after: int,
    add_problem: AddProblem,
) -> list[FoundCheckpoint]:
    """Each checkpoint against its log, its key, and the recomputed *roots* of a tree of *size* entries.

    *after*: how many entries there were at the end. Returns those that are genuine.
    """
    genuine = []
    for item in found:
        if not _is_signed(item, expected, add_problem):
            continue
        genuine.append(item)
        claim = item.claim
        if claim.size > size:
            # Written while this check was running: the next one sees it.
            if claim.size > after:
                add_problem(
                    "rolled-back",
                    f"{item.source} has a checkpoint of {claim.size} entries; the ledger has {size}",
                )
        elif roots.get(claim.size) != claim.root:
            add_problem(
                "forked",
                f"the first {claim.size} entries differ from those of the checkpoint in {item.source}",
            )
    return genuine


def _is_signed(item: FoundCheckpoint, expected: ExpectedLog, add_problem: AddProblem) -> bool:
    """Whether the checkpoint is of the expected log and signed by one of its keys; said where it is not."""
    claim = item.claim
    if expected.origin is None or not expected.keys:
        return True  # said once: nothing can be checked
    if claim.origin != expected.origin:
        add_problem("checkpoint-foreign", f"{item.source} has a checkpoint of another log, {claim.origin}")
        return False
    try:
        verify_checkpoint(item.note, logs={expected.origin: tuple(expected.keys)})
    except NoteError as error:
        add_problem("checkpoint-forged", f"checkpoint {claim.size} in {item.source}: {error}")
        return False
    return True


def check_coverage(
    stored: Sequence[FoundCheckpoint],
    outside: Sequence[FoundCheckpoint] | None,
    size: int,
    add_problem: AddProblem,
) -> list[str]:
    """Entries that no genuine checkpoint covers can be changed unseen. Returns notes.

    *stored*: genuine ones in the database; *outside*: beside it (``None``: no folder was given).
    """
    if size and max((item.claim.size for item in stored), default=0) < size:
        add_problem("not-covered", "no signed checkpoint covers the newest entries")
    if outside is None or not size:
        return []
    largest = max((item.claim.size for item in outside), default=0)
    if largest == 0:
        add_problem("checkpoints-missing", "there are no checkpoints outside the database")
    elif largest < size:
        return [f"the checkpoints outside the database end at {largest} of {size} entries"]
    return []
