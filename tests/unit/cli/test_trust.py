"""``safegen trust``: the C2PA's lists are shown, updated after a question, and switched off, not removed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safegen._util import time
from safegen.cli import group
from safegen.credentials import remote
from safegen.errors import UnreadableInput, UsageError
from safegen.keys.bundle import TrustBundle, bundle_to_json
from safegen.keys.c2pa_list import FILES, TrustList, packaged_list, store_list
from safegen.keys.identity import Identity
from safegen.keys.log_key import decode_vkey
from safegen.keys.trust import export_trust
from safegen.verification import c2pa_lists

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SIGNERS, STAMPS = packaged_list("signer"), packaged_list("tsa")


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of updated lists, on a day shortly after the packaged ones."""
    monkeypatch.setattr(c2pa_lists, "user_data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr(time, "utc_now", lambda: NOW)
    monkeypatch.setenv("SAFEGEN_WORKSPACE", str(tmp_path / "workspace"))
    return c2pa_lists.list_folder()


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    return Identity.load_or_create(tmp_path / "keys", name="New Authority").root_pem


def trust(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(group, ["trust", *arguments], input=answer)


def newer(path: Path, root: bytes) -> str:
    """A file of signers: one anchor less, one more."""
    path.write_bytes(b"".join(SIGNERS.anchors[1:]) + root)
    return str(path)


def test_the_list_shows_the_c2pas_with_their_dates() -> None:
    shown = trust("list")
    assert shown.exit_code == 0
    for text in ("C2PA trust list of 2026-08-13 (with the package)", "30 roots, no log", "22 roots"):
        assert text in shown.stdout
    assert "github.com/c2pa-org/conformance-public" in shown.stdout and "180 days" not in shown.stderr
    signers, stamps = json.loads(trust("list", "--json").stdout)
    assert (signers["vouches_for"], stamps["vouches_for"]) == ("signers", "time stamps")
    assert (len(signers["roots"]), len(stamps["roots"])) == (30, 22) and signers["logs"] == stamps[
        "logs"
    ] == []
    assert signers["in_use"] and not signers["old"] and signers["date"] == "2026-08-13"


def test_an_old_list_is_said_to_be_old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(time, "utc_now", lambda: datetime(2027, 2, 10, tzinfo=UTC))
    shown = trust("list")
    assert "older than 180 days" in shown.stderr and "safegen trust update" in shown.stderr
    assert json.loads(trust("list", "--json").stdout)[0]["old"]
    (tmp_path / "workspace" / "safegen.toml").write_text("format = 1\n[trust]\nc2pa_list = false\n")
    shown = trust("list")
    assert "switched off" in shown.stdout and "180 days" not in shown.stderr
    assert not json.loads(trust("list", "--json").stdout)[0]["in_use"]


@pytest.mark.parametrize("identifier", ["c2pa", "c2pa-signers", "C2PA-tsa"])
def test_it_cannot_be_removed_but_switched_off(identifier: str) -> None:
    refused = trust("remove", identifier)
    assert isinstance(refused.exception, UsageError)
    assert "c2pa_list = false" in refused.exception.hint and "--no-c2pa-list" in refused.exception.hint


def test_an_update_shows_what_changes_and_asks(data: Path, tmp_path: Path, root: bytes) -> None:
    file = newer(tmp_path / "new.pem", root)
    for answer in ("n\n", ""):
        refused = trust("update", "--from", file, answer=answer)
        assert refused.exit_code == 1 and not data.exists(), refused.output
    assert (
        "1 added, 1 removed" in refused.stderr
        and "+ " in refused.stderr
        and "New Authority" in refused.stderr
    )
    assert SIGNERS.fingerprints[0] in refused.stderr
    dry = trust("update", "--from", file, "--dry-run", "--json")
    (told,) = json.loads(dry.stdout)
    assert dry.exit_code == 0 and told["written"] is None and told["changed"] and not data.exists()
    done = trust("update", "--from", file, "--json", answer="y\n")
    (told,) = json.loads(done.stdout)
    assert told["written"] == str(data / FILES["signer"]) and told["date"] == "2026-12-01"
    assert told["removed"][0]["sha256"] == SIGNERS.fingerprints[0] and len(told["added"]) == 1
    assert [p.name for p in data.iterdir()] == [FILES["signer"]], "only what was asked for"
    assert not (tmp_path / "workspace" / FILES["signer"]).exists()
    shown = trust("list").stdout
    assert "C2PA trust list taken on 2026-12-01 (updated)" in shown and "the file new.pem" in shown
    assert "C2PA time stamp trust list of 2026-08-13 (with the package)" in shown


def test_both_lists_come_from_the_c2pa_and_none_is_written_if_one_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    answers = {"C2PA-TRUST-LIST.pem": SIGNERS.body, "C2PA-TSA-TRUST-LIST.pem": b"<html>"}

    def fetch(url: str, hosts: list[str], **more: object) -> bytes:
        asked.append((url, hosts))
        return answers[url.rsplit("/", 1)[1]]

    monkeypatch.setattr(remote, "fetch_manifest", fetch)
    refused = trust("update", "--yes")
    assert isinstance(refused.exception, UsageError) and not data.exists()
    answers["C2PA-TSA-TRUST-LIST.pem"] = STAMPS.body
    done = trust("update", "--json")
    assert done.exit_code == 0, "nothing is asked where no anchor changes"
    assert [one["date"] for one in json.loads(done.stdout)] == ["2026-12-01"] * 2
    host = "raw.githubusercontent.com"
    assert {url.split("/")[2] for url, _ in asked} == {host} and all(hosts == [host] for _, hosts in asked)
    assert all(url.startswith("https://") and "/c2pa-org/conformance-public/" in url for url, _ in asked)
    again = trust("update", "--json")
    assert [one["changed"] for one in json.loads(again.stdout)] == [False, False]
    assert "nothing to change" in again.stderr


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://example.com/list.pem", "plain https"),
        ("https://user:secret@example.com/list.pem", "plain https"),
        ("ftp://example.com/list.pem", "plain https"),
        ("https://[broken/list.pem", "malformed"),
        ("https://localhost/list.pem", "not on the public Internet"),
    ],
)
@pytest.mark.parametrize("option", ["--from", "--tsa-from"])
def test_addresses_are_fetched_as_remote_manifests_are(
    option: str, place: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        remote.socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("127.0.0.1", 443))], raising=True
    )
    refused = trust("update", option, place)
    assert isinstance(refused.exception, UnreadableInput) and why in str(refused.exception)
    assert "was not fetched" in str(refused.exception)
    assert f"safegen trust update {option} FILE" in refused.exception.hint


def test_without_a_network_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(remote.socket, "getaddrinfo", fail)
    refused = trust("update", "--yes")
    assert isinstance(refused.exception, UnreadableInput) and not data.exists()
    hint = refused.exception.hint
    assert "download https://" in hint and FILES["signer"] in hint and "--from FILE" in hint


def test_a_missing_file_and_a_damaged_update(tmp_path: Path, data: Path, root: bytes) -> None:
    missing = trust("update", "--from", str(tmp_path / "none.pem"))
    assert isinstance(missing.exception, UnreadableInput) and missing.exception.hint
    file = store_list(data, TrustList("signer", "2026-11-30", "x", root))
    file.write_text("damaged")
    for arguments in (["list"], ["update", "--from", newer(tmp_path / "new.pem", root)]):
        broken = trust(*arguments)
        assert isinstance(broken.exception, UsageError) and "delete the file" in broken.exception.hint


def test_a_bundle_says_what_its_roots_vouch_for(tmp_path: Path, root: bytes) -> None:
    """One that brings an authority for time stamps besides a maker does not slip it in."""
    other = Identity.load_or_create(tmp_path / "tsa", name="Stamps").root_pem
    own = Identity.load_or_create(tmp_path / "keys", name="New Authority")
    log = dict([decode_vkey(own.log_vkey)])
    many = TrustBundle("M", (root, *SIGNERS.anchors), log, vkeys=(own.log_vkey,), tsa_roots=(other,))
    file = tmp_path / "bundle.json"
    for bundle, role, lines in (
        (many, "signers and time stamps", ["also vouches for time stamps: 1 of the roots", own.log_origin]),
        (TrustBundle("S", (root,)), "signers", ["  root  O=New Authority"]),
        (TrustBundle("T", tsa_roots=(other,)), "time stamps", ["  root for time stamps  O=Stamps"]),
    ):
        file.write_text(bundle_to_json(bundle))
        added = trust("add", "-y", "--json", str(file))
        assert added.exit_code == 0, added.output
        assert all(line in added.stderr for line in lines), added.stderr
        (found,) = (b for b in json.loads(trust("list", "--json").stdout) if b["name"] == bundle.name)
        assert found["vouches_for"] == role


def test_a_second_maker_under_one_root_is_confirmed(tmp_path: Path) -> None:
    nord = Identity.load_or_create(tmp_path / "nord", name="Nord")
    eve = Identity.load_or_create(tmp_path / "eve", name="Eve")
    first, second = tmp_path / "nord.json", tmp_path / "eve.json"
    first.write_text(export_trust(nord, "Nord", created=NOW))
    vkey = eve.log_vkey
    second.write_text(
        bundle_to_json(TrustBundle("E", (nord.root_pem,), dict([decode_vkey(vkey)]), vkeys=(vkey,)))
    )
    assert trust("add", "-y", str(first)).exit_code == 0
    refused = trust("add", "-y", str(second))
    assert isinstance(refused.exception, UsageError) and "--shared-root" in refused.exception.hint
    assert trust("add", "-y", "--shared-root", str(second)).exit_code == 0
    assert len(json.loads(trust("list", "--json").stdout)) == 4
