"""Which logs a root was pinned together with: whose log may speak for whose signatures.

A proof of a log says something about a signer only if whoever vouches for the signer brought that log. Two
bundles may name the same log or the same root; neither may give the other's maker anything:

* *the same log*: its keys have to be the same, or those of one bundle go on where the other's end, each
  announced by the one before (``log_history``). Anything else is two logs with one name, and is refused;
* *the same root*: bundles that come first (one's own, then the pinned ones) decide which logs belong to it; a
  file named for one run adds none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from safegen.errors import UsageError
from safegen.keys.bundle import TrustBundle
from safegen.keys.log_history import verify_key_history


def refuse_foreign_log_keys(bundles: Iterable[TrustBundle]) -> None:
    """Raise UsageError where two of *bundles* name the same log with keys that are not one history."""
    seen: dict[str, list[TrustBundle]] = {}
    for bundle in bundles:
        for origin in bundle.logs:
            for other in seen.setdefault(origin, []):
                if not same_log(other, bundle, origin):
                    raise UsageError(
                        f"the log {origin} is already pinned with another key: {other.name!r} and "
                        f"{bundle.name!r} disagree",
                        hint="ask its maker; if the new key is genuine, remove the old bundle first",
                    )
            seen[origin].append(bundle)


def same_log(one: TrustBundle, other: TrustBundle, origin: str) -> bool:
    """Whether the keys that both name for the log *origin* are one history, or the beginning of it."""
    shorter, longer = sorted((one, other), key=lambda bundle: len(bundle.log_chain(origin)))
    keys = longer.log_chain(origin)
    past = [p for p in longer.log_history if p.origin == origin]
    begins = keys[: len(shorter.log_chain(origin))] == shorter.log_chain(origin)
    return begins and (not past or verify_key_history(keys[:1], past, keys[-1]))


def tie_roots(groups: Sequence[Sequence[TrustBundle]]) -> Mapping[str, frozenset[str]]:
    """Origins of logs by the SHA-256 (hex) of each signer root that a bundle holds together with a log.

    A bundle ties all of its roots to all of its logs. *groups* come in order: a root that one group ties to
    a log is tied to no other by the later ones. Raises UsageError as ``refuse_foreign_log_keys`` does.
    """
    refuse_foreign_log_keys(bundle for group in groups for bundle in group)
    found: dict[str, frozenset[str]] = {}
    for group in groups:
        ties: dict[str, frozenset[str]] = {}
        for bundle in group:
            for root in bundle.root_fingerprints if bundle.logs else ():
                ties[root] = ties.get(root, frozenset()) | frozenset(bundle.logs)
        found = ties | found
    return found
