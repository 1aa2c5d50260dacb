"""Which logs a root was pinned together with: whose log may speak for whose signatures.

A proof of a log says something about a signer only if whoever vouches for the signer brought that log. A
bundle ties all of its roots to all of its logs. Two bundles may name the same log or the same root, and one
of their makers may be lying; so neither gives the other's maker anything:

* *the same log*: its keys have to be the same, or those of one bundle go on where the other's end, each
  announced by the one before (``log_history``). Anything else is two logs with one name, and is refused;
* *the same root*: what is pinned decides which logs belong to it, and a file named for one run adds none. A
  second maker under a root that is pinned already has to be confirmed as such when it is pinned
  (``TrustStore.add``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from safegen.errors import UsageError
from safegen.keys.bundle import TrustBundle
from safegen.keys.log_history import verify_key_history

Ties = Mapping[str, frozenset[str]]


def tie_roots(pinned: Iterable[TrustBundle], for_this_run: Iterable[TrustBundle] = ()) -> Ties:
    """Origins of logs by the SHA-256 (hex) of each signer root that came with them.

    *pinned* are the user's own and the pinned bundles, *for_this_run* those of files that were named for one
    run. The order within each of the two does not matter. Raises UsageError where two bundles name the same
    log with keys that are not one history, or two files for this run the same root with other logs.
    """
    pinned, for_this_run = tuple(pinned), tuple(for_this_run)
    _refuse_two_histories((*pinned, *for_this_run))
    found: dict[str, frozenset[str]] = {}
    for bundle in pinned:
        for root in _tied(bundle):
            found[root] = found.get(root, frozenset()) | frozenset(bundle.logs)
    added: dict[str, TrustBundle] = {}
    for bundle in for_this_run:
        for root in _tied(bundle):
            other = added.setdefault(root, bundle)
            if root not in found and other.logs.keys() != bundle.logs.keys():
                raise UsageError(
                    f"{other.name!r} and {bundle.name!r} name the same root with different logs",
                    hint="trust one of them at a time, or pin them with `safegen trust add`",
                )
    return {root: frozenset(bundle.logs) for root, bundle in added.items()} | found


def refuse_shared_root(bundle: TrustBundle, others: Iterable[TrustBundle]) -> None:
    """Raise UsageError where one of *others* has a root of *bundle* together with other logs."""
    for other in others:
        if set(_tied(bundle)) & set(_tied(other)) and other.logs.keys() != bundle.logs.keys():
            raise UsageError(
                f"{other.name!r} is already pinned with the same root and another log",
                hint="each of the two logs would count for everything that is signed under this root; if "
                "both makers have their certificates from one authority, repeat with --shared-root",
            )


def refuse_other_keys(bundle: TrustBundle, others: Iterable[TrustBundle]) -> None:
    """Raise UsageError where one of *others* names a log of *bundle* with keys that are not one history."""
    for other in others:
        for origin in bundle.logs.keys() & other.logs.keys():
            if not _same_history(bundle, other, origin):
                raise UsageError(
                    f"the log {origin} is already pinned with another key ({other.name!r}, {bundle.name!r})",
                    hint="ask its maker; if the new key is genuine, remove the old bundle first",
                )


def _refuse_two_histories(bundles: tuple[TrustBundle, ...]) -> None:
    for at, bundle in enumerate(bundles):
        refuse_other_keys(bundle, bundles[:at])


def _tied(bundle: TrustBundle) -> tuple[str, ...]:
    """The roots of a bundle that holds a log."""
    return bundle.root_fingerprints if bundle.logs else ()


def _same_history(one: TrustBundle, other: TrustBundle, origin: str) -> bool:
    """Whether the keys that both name are one history, or the beginning of it.

    Both have to begin with the same key: one from before the other's first could have been put there by
    anybody, with a note that announces the other's.
    """
    shorter, longer = sorted((one, other), key=lambda bundle: len(bundle.log_chain(origin)))
    keys, known = longer.log_chain(origin), shorter.log_chain(origin)
    past = [p for p in longer.log_history if p.origin == origin]
    return keys[: len(known)] == known and (not past or verify_key_history(keys[:1], past, keys[-1]))
