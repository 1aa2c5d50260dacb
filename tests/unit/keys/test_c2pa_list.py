"""The C2PA's trust lists: as published, dated, and replaced only by what can be the next one."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from safegen.errors import KeyUnavailable, UsageError
from safegen.keys import c2pa_list
from safegen.keys.bundle import Kind, parse_trust
from safegen.keys.c2pa_list import (
    FILES,
    TrustList,
    list_in_use,
    packaged_list,
    read_list,
    split_header,
    store_list,
)
from safegen.keys.c2pa_update import compare_lists
from safegen.keys.chain import fingerprint
from safegen.keys.identity import Identity

NOW = datetime(2026, 12, 1, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("signer", "tsa")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return Identity.load_or_create(tmp_path_factory.mktemp("h") / "keys", name="Studio").root_pem


def packaged_file(kind: Kind) -> bytes:
    return (Path(c2pa_list.__file__).with_name("c2pa") / FILES[kind]).read_bytes()


def blocks(found: TrustList, keep: Callable[[int], bool] = lambda _: True) -> bytes:
    return b"".join(anchor for i, anchor in enumerate(found.anchors) if keep(i))


@pytest.mark.parametrize("kind", KINDS)
def test_the_packaged_lists_are_those_that_the_c2pa_published(kind: Kind, shared: Path) -> None:
    found = packaged_list(kind)
    official = (shared / "data" / "c2pa" / FILES[kind]).read_bytes()
    assert found.body == official and found.sha256 == hashlib.sha256(official).hexdigest()
    certificates = x509.load_pem_x509_certificates(official)
    assert found.fingerprints == tuple(fingerprint(c) for c in certificates)
    assert x509.load_pem_x509_certificates(b"".join(found.anchors)) == certificates
    newest = max(c.not_valid_before_utc for c in certificates)
    assert f"{newest:%Y-%m-%d}" <= found.date == "2026-08-13"
    assert all(c.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for c in certificates)


@pytest.mark.parametrize("kind", KINDS)
def test_the_packaged_lists_say_what_the_licence_asks_for(kind: Kind) -> None:
    header, _ = split_header(packaged_file(kind))
    assert "github.com/c2pa-org/conformance-public" in header["source"] and FILES[kind] in header["source"]
    assert "CC BY 4.0" in header["licence"] and "creativecommons.org/licenses/by/4.0" in header["licence"]
    assert "(C2PA)" in header["by"] and header["changes"] and header["title"]


def test_signers_and_stamps_are_two_lists() -> None:
    signers, stamps = (set(packaged_list(kind).fingerprints) for kind in KINDS)
    assert signers & stamps, "some roots are in both"
    assert signers - stamps and stamps - signers


def test_the_newer_of_packaged_and_updated_is_used(root: bytes, tmp_path: Path) -> None:
    packaged = packaged_list("signer")
    assert list_in_use("signer", tmp_path / "none") == packaged
    for date, used in (("2026-08-12", False), ("2026-08-13", True), ("2026-11-30", True)):
        store_list(tmp_path, TrustList("signer", date, "the file x.pem", root, updated=True))
        found = list_in_use("signer", tmp_path)
        assert found.updated is used and (found.anchors == (root,)) is used
        assert list_in_use("tsa", tmp_path) == packaged_list("tsa"), "each has its own file"
    assert found.name == "C2PA trust list of 2026-11-30" and found.source == "the file x.pem"
    taken = replace(found, taken=True)
    assert read_list(store_list(tmp_path, taken).read_bytes(), "signer", updated=True) == taken
    assert not found.is_old(NOW) and found.is_old(NOW + timedelta(days=181))
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / FILES["signer"]).stat().st_mode) == 0o600
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyUnavailable):
        store_list(tmp_path / "file" / "folder", found)


def test_a_damaged_update_is_an_error_and_never_half_a_list(root: bytes, tmp_path: Path) -> None:
    file = store_list(tmp_path, TrustList("signer", "2026-11-30", "x", root, updated=True))
    whole = file.read_bytes()
    damaged = [b"", whole[:-30], whole.replace(b"2026-11-30", b"yesterday"), whole + root, root, whole[40:]]
    damaged += [whole.replace(b"# Date", b"# Dat"), whole.replace(b"2026-11-30", b"2026-13-30")]
    damaged += [b"# Date: 2026-11-30\n# SHA-256: " + hashlib.sha256(b"").hexdigest().encode() + b"\n"]
    for data in damaged:
        file.write_bytes(data)
        with pytest.raises(UsageError) as refused:
            list_in_use("signer", tmp_path)
        assert refused.value.hint
    file.unlink()
    file.mkdir()
    with pytest.raises(UsageError, match="cannot read"):
        list_in_use("signer", tmp_path)


def test_a_header_cannot_be_smuggled_in(root: bytes, tmp_path: Path) -> None:
    """A source with a line break stays one line."""
    evil = TrustList("signer", "2026-11-30", "x\n# Date: 2099-01-01", root, updated=True)
    assert read_list(store_list(tmp_path, evil).read_bytes(), "signer").date == "2026-11-30"


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_update_changes(kind: Kind, root: bytes) -> None:
    current = packaged_list(kind)
    file = compare_lists(current, current.body, source="x", now=NOW)
    assert file.nothing and file.fresh == current, "a file may be of any age"
    same = compare_lists(current, current.body, source="x", now=NOW, fetched=True)
    assert (same.added, same.removed) == ((), ()) and not same.nothing, (
        "it is newer by the day it was fetched"
    )
    again = compare_lists(current, packaged_file(kind), source="x", now=NOW)
    assert again.nothing and again.fresh.date == current.date, "a file with its date keeps it"
    fresh = compare_lists(current, blocks(current, lambda i: i != 1) + root, source="x", now=NOW)
    (added,) = fresh.added
    assert added.sha256 == parse_trust(root).anchors[0].sha256 and "Studio" in added.subject
    assert [a.sha256 for a in fresh.removed] == [current.fingerprints[1]]
    assert fresh.fresh.date == "2026-12-01" and fresh.fresh.updated and fresh.fresh.taken
    assert fresh.fresh.name.endswith("trust list taken on 2026-12-01"), "nobody said of when it is"
    dated = compare_lists(current, fresh.fresh.body, source="x", now=NOW, date="2026-11-30")
    assert dated.fresh.name.endswith("trust list of 2026-11-30")
    told = json.loads(json.dumps(fresh.to_dict()))
    assert told["changed"] and told["anchors"] == len(current.anchors) and len(told["removed"]) == 1


def test_what_cannot_be_the_next_list(root: bytes, tmp_path: Path) -> None:
    current = packaged_list("signer")
    own = Identity.load_or_create(tmp_path / "keys", name="maker")
    key = b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(b"x" * 48) + b"\n-----END PRIVATE KEY-----\n"
    half = len(current.anchors) // 2
    header = f"# Date: 2026-11-01\n# SHA-256: {'0' * 64}\n".encode()
    for data, why in (
        (b"", "no readable certificates"),
        (b"<html>404</html>", "no readable certificates"),
        (b"{}", "not a safegen trust file"),
        (current.body + b" " * (1 << 20), "larger than 1 MiB"),
        (current.body + key, "private key"),
        (current.body + own.leaf.public_bytes(Encoding.PEM), "not a CA certificate"),
        (root, "lose most of its anchors: 0 of 30"),
        (blocks(current, lambda i: i < half - 1) + root, "lose most of its anchors: 14 of 30"),
        (packaged_list("tsa").body, "certificates for another use"),
        (header + current.body, "not the one that its first lines describe"),
        (blocks(current, lambda i: i not in (25, 28, 29)), "is older than the one in use"),
        (current.body.replace(b"CERTIFICATE-----", b"X509 CERTIFICATE-----"), "something else"),
    ):
        with pytest.raises(UsageError, match=why) as refused:
            compare_lists(current, data, source="x", now=NOW)
        assert refused.value.hint, why
    assert "--tsa-from" in _refusal(current, packaged_list("tsa").body)
    assert "--from" in _refusal(packaged_list("tsa"), current.body)


def _refusal(current: TrustList, data: bytes) -> str:
    with pytest.raises(UsageError) as refused:
        compare_lists(current, data, source="x", now=NOW)
    return refused.value.hint


def test_dates_of_an_update() -> None:
    current = packaged_list("signer")
    for date, why in (("2026-08-12", "older"), ("2026-12-02", "future"), ("soon", "not a time")):
        with pytest.raises(UsageError, match=why):
            compare_lists(current, current.body, source="x", now=NOW, date=date)
    with pytest.raises(UsageError, match="older"):
        compare_lists(current, current.body, source="x", now=datetime(2026, 8, 12, tzinfo=UTC))
    shorter = blocks(current, lambda i: i not in (25, 28, 29))
    taken_back = compare_lists(current, shorter, source="x", now=NOW, date="2026-11-20")
    assert len(taken_back.removed) == 3 and taken_back.fresh.date == "2026-11-20", (
        "the C2PA may take some back"
    )
