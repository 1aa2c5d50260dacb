"""The chain check (RFC 5280 6.1): every way a chain can be wrong, and a few in which it is right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from safegen.keys.chain import MAX_CHAIN, check_chain, fingerprint

NOW = datetime.now(UTC)
EMAIL, STAMPS = ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.TIME_STAMPING


class Node:
    """A certificate with its key, issued by *parent* (itself when there is none)."""

    def __init__(
        self,
        name: str,
        parent: Node | None = None,
        *,
        ca: bool = True,
        length: int | None = None,
        sign: bool | None = None,
        eku: list[x509.ObjectIdentifier] | None = None,
        start: datetime = NOW - timedelta(days=1),
        end: datetime = NOW + timedelta(days=1),
        extra: list[tuple[x509.ExtensionType, bool]] | None = None,
        forged: bool = False,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer, key = (parent.name, parent.key) if parent else (self.name, self.key)
        certs = ca if sign is None else sign
        usage = x509.KeyUsage(not ca, False, False, False, False, certs, certs, False, False)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca, length if ca else None), True)
            .add_extension(usage, True)
        )
        if eku is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(eku), False)
        for extension, critical in extra or []:
            builder = builder.add_extension(extension, critical)
        self.certificate = builder.sign(self.key if forged else key, hashes.SHA256())


def leaf(parent: Node, **changes: Any) -> Node:
    return Node("leaf", parent, **{"ca": False, "eku": [EMAIL], **changes})


def check(chain: list[Node], anchors: list[Node], at: datetime = NOW) -> Any:
    return check_chain([n.certificate for n in chain], [n.certificate for n in anchors], at=at)


def test_straight_and_shuffled() -> None:
    root = Node("root", length=2)
    first = Node("first", root, length=1)
    second = Node("second", first, length=0)
    end = leaf(second)
    for chain in ([end, second, first], [end, first, second], [end, first, second, root]):
        result = check(chain, [Node("other"), root])
        assert result.trusted and result.anchor == f"CN=root ({fingerprint(root.certificate)})"
    assert check([end], [second]).trusted, "an anchor may be an intermediate"
    assert check([end, second, first], [first]).trusted


def test_nobody_vouches() -> None:
    root = Node("root")
    middle = Node("middle", root)
    end = leaf(middle)
    assert "no anchor" in check([end, middle, root], []).reason
    assert "no anchor" in check([end], [root]).reason, "the intermediate is missing"
    assert "no anchor" in check([end, middle], [Node("root")]).reason, "another root of that name"
    assert "no anchor" in check([end, middle], [end]).reason, "a leaf is no anchor"
    assert not check([], [root]).trusted


def test_a_forged_link() -> None:
    root = Node("root")
    assert not check([leaf(root, forged=True)], [root]).trusted
    middle = Node("middle", root, forged=True)
    assert not check([leaf(middle), middle], [root]).trusted


def test_a_loop_ends() -> None:
    root = Node("root")
    chain = [leaf(root), *([root] * (MAX_CHAIN - 1))]
    assert not check(chain, [Node("other")]).trusted
    assert "more than" in check([*chain, root], [root]).reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ca": True, "eku": [EMAIL]}, "is a CA"),
        ({"eku": None}, "not valid for signing claims"),
        ({"eku": [ExtendedKeyUsageOID.CODE_SIGNING]}, "not valid for signing claims"),
        ({"eku": [EMAIL, STAMPS]}, "also valid for time stamps"),
        ({"eku": [EMAIL, ExtendedKeyUsageOID.OCSP_SIGNING]}, "also valid for OCSP"),
        ({"eku": [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]}, "also valid for any use"),
        ({"sign": True}, "key usage"),
        ({"extra": [(x509.OCSPNoCheck(), True)]}, "critical extension"),
    ],
)
def test_leaves_that_may_not_sign(changes: dict[str, Any], reason: str) -> None:
    root = Node("root")
    result = check([leaf(root, **changes)], [root])
    assert not result.trusted and reason in result.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ca": False}, "is not a CA"),
        ({"sign": False}, "may not sign certificates"),
        ({"eku": [STAMPS]}, "other uses"),
        ({"extra": [(x509.NameConstraints([x509.DNSName("a.example")], None), True)]}, "critical extension"),
    ],
)
def test_authorities_that_may_not_issue(changes: dict[str, Any], reason: str) -> None:
    root = Node("root")
    middle = Node("middle", root, **changes)
    result = check([leaf(middle), middle], [root])
    assert not result.trusted and reason in result.reason
    anchor = check([leaf(middle)], [middle])
    assert not anchor.trusted and reason in anchor.reason


def test_path_lengths() -> None:
    root = Node("root", length=0)
    middle = Node("middle", root)
    assert "that far below" in check([leaf(middle), middle], [root]).reason
    assert check([leaf(root)], [root]).trusted
    top = Node("top")
    upper = Node("upper", top, length=0)
    lower = Node("lower", upper)
    assert "that far below" in check([leaf(lower), lower, upper], [top]).reason


def test_time() -> None:
    root = Node("root")
    end = leaf(root, start=NOW - timedelta(hours=2), end=NOW - timedelta(hours=1))
    late = check([end], [root])
    assert not late.trusted and late.outside_validity and late.anchor and "outside" in late.reason
    assert check([end], [root], at=NOW - timedelta(minutes=90)).trusted
    early = check([end], [root], at=NOW - timedelta(hours=3))
    assert not early.trusted and early.outside_validity
    old = Node("old", end=NOW - timedelta(hours=1))
    assert check([leaf(old)], [old]).outside_validity


def test_an_expired_certificate_that_is_wrong_anyway_is_not_merely_late() -> None:
    root = Node("root")
    wrong = leaf(root, eku=[STAMPS], end=NOW - timedelta(hours=1))
    result = check([wrong], [root])
    assert result.anchor is None and not result.outside_validity


def test_of_several_anchors_the_preferred_one_is_named() -> None:
    """An authority on a list, below a root that the user pinned: it takes nothing from what was pinned."""
    root = Node("root")
    middle = Node("middle", root)
    end = leaf(middle)
    for anchors in ([root, middle], [middle, root], [Node("other"), root, middle]):
        first = next(a for a in anchors if a in (root, middle))
        found = check([end, middle], anchors)
        assert found.trusted and found.anchor_sha256 == fingerprint(first.certificate)
    over = Node("root", end=NOW - timedelta(hours=1))
    below = Node("middle", over)
    found = check([leaf(below), below], [over, below])
    assert found.trusted and found.anchor_sha256 == fingerprint(below.certificate), "one that is valid"
    strict = Node("strict", length=0)
    deep = Node("deep", strict)
    assert check([leaf(deep), deep], [strict, deep]).trusted, "one that may vouch"
    assert "that far below" in check([leaf(deep), deep], [strict]).reason
