"""A newer C2PA trust list: what it changes, and why it may not take the place of the one in use.

Whoever can replace a list decides whose signatures count. So a list is taken only if it looks like the next
one: of the right kind, not older, and still with most of the anchors. The rest is for a person to look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from safegen._util.time import parse_moment
from safegen.errors import UsageError
from safegen.keys.bundle import Anchor, TrustBundle, parse_trust
from safegen.keys.c2pa_list import TITLES, TrustList, split_header
from safegen.keys.chain import ANY_USAGE, SIGNING_PURPOSES
from safegen.types import Json

if TYPE_CHECKING:
    from cryptography import x509

STAMPING = "1.3.6.1.5.5.7.3.8"
USAGES = {"signer": SIGNING_PURPOSES, "tsa": {STAMPING}}
HINT = "check where it comes from; the list in use stays as it is"


@dataclass(frozen=True)
class Change:
    """What taking ``fresh`` in place of ``current`` would change, by certificate."""

    current: TrustList
    fresh: TrustList
    added: tuple[Anchor, ...]
    removed: tuple[Anchor, ...]

    @property
    def nothing(self) -> bool:
        """Whether the list in use is the same, with the same or a later date."""
        return self.fresh.body == self.current.body and self.fresh.date <= self.current.date

    def to_dict(self) -> Json:
        """As `trust update --json` shows it."""
        return {
            "name": TITLES[self.fresh.kind],
            "current": self.current.date,
            "date": self.fresh.date,
            "source": self.fresh.source,
            "sha256": self.fresh.sha256,
            "anchors": len(self.fresh.anchors),
            "added": [vars(anchor) for anchor in self.added],
            "removed": [vars(anchor) for anchor in self.removed],
            "changed": not self.nothing,
        }


def compare_lists(
    current: TrustList,
    data: bytes,
    *,
    source: str,
    now: datetime,
    date: str | None = None,
    fetched: bool = False,
) -> Change:
    """What *data*, a list of the same kind from *source*, would change.

    Its date is *date*, else the one in its header, else the day of *now*, on which it was taken; the list in
    use gets that day as well, where the same one was *fetched* just now and is not a file of any age.
    Raises UsageError for a list that cannot be the next one: too large, unreadable, with certificates that
    are no CA's or of CAs for other uses, with less than half of the anchors in use, older, from the future.
    """
    title = TITLES[current.kind]
    header, body = split_header(data)
    bundle = parse_trust(body, name=title, kind=current.kind)
    if bundle.logs or bundle.crls:
        raise UsageError(f"this is no {title}", hint=HINT)
    known = header.get("date") if header.get("sha-256") else None
    stated = date or known
    day = _day(now) if stated is None else _day(parse_moment(stated))
    fresh = TrustList(current.kind, day, source, body, updated=True, taken=stated is None)
    if known and header["sha-256"] != fresh.sha256:
        raise UsageError(f"the {title} is not the one that its first lines describe", hint=HINT)
    new, old = _certificates(bundle), _certificates(parse_trust(current.body, kind=current.kind))
    if set(new) != set(fresh.fingerprints):
        raise UsageError(f"the {title} holds something else than certificates", hint=HINT)
    _refuse_other_uses(fresh, new)
    _refuse_loss(title, old, new)
    _refuse_older(current, fresh, old, new, dated=stated is not None, now=now)
    if body == current.body and fresh.taken and not fetched:
        return Change(current, current, (), ())
    return Change(current, fresh, _named(new, old), _named(old, new))


def _certificates(bundle: TrustBundle) -> dict[str, x509.Certificate]:
    """The certificates by the SHA-256 (hex) of their DER form."""
    from cryptography import x509

    from safegen.keys.chain import fingerprint

    found = [x509.load_pem_x509_certificate(pem) for pem in (*bundle.roots, *bundle.tsa_roots)]
    return {fingerprint(certificate): certificate for certificate in found}


def _named(here: dict[str, x509.Certificate], there: dict[str, x509.Certificate]) -> tuple[Anchor, ...]:
    """Those that are *here* and not *there*."""
    return tuple(Anchor(c.subject.rfc4514_string(), sha) for sha, c in here.items() if sha not in there)


def _refuse_other_uses(fresh: TrustList, new: dict[str, x509.Certificate]) -> None:
    """Tell a list of the other kind: its issuing CAs say what they issue certificates for."""
    from cryptography import x509

    for certificate in new.values():
        try:
            uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            continue
        if not {use.dotted_string for use in uses} & {*USAGES[fresh.kind], ANY_USAGE}:
            raise UsageError(
                f"{certificate.subject.rfc4514_string()} may not be in the {TITLES[fresh.kind]}: it issues "
                "certificates for another use",
                hint="is it the other list? --from takes that of signers, --tsa-from that of time stamps",
            )


def _refuse_loss(title: str, old: dict[str, x509.Certificate], new: dict[str, x509.Certificate]) -> None:
    kept = len(old.keys() & new.keys())
    if 2 * kept < len(old):
        raise UsageError(
            f"the {title} would lose most of its anchors: {kept} of {len(old)} are still in it", hint=HINT
        )


def _refuse_older(
    current: TrustList,
    fresh: TrustList,
    old: dict[str, x509.Certificate],
    new: dict[str, x509.Certificate],
    *,
    dated: bool,
    now: datetime,
) -> None:
    """By their dates; where the fresh list has none of its own, by their newest certificates."""
    title = TITLES[fresh.kind]
    if fresh.date > _day(now):
        raise UsageError(f"the {title} is dated {fresh.date}, which is in the future", hint="check the clock")
    newest, before = (max(c.not_valid_before_utc for c in found.values()) for found in (new, old))
    if fresh.date < current.date or (not dated and newest < before):
        raise UsageError(
            f"the {title} is older than the one in use (of {current.date})",
            hint="if the C2PA took its newest anchors back, say of when the list is, with --date",
        )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
