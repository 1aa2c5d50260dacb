"""The user's own certificate by way of safegen.toml: PKCS#12, expired, named wrongly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

import safegen
from safegen.errors import KeyUnavailable, WorkspaceError
from safegen.keys.certificates import Hierarchy, issue_hierarchy
from safegen.keys.files import write_private
from safegen.keys.signers import from_paths
from safegen.workspace.config import Workspace, find_workspace
from safegen.workspace.session import open_session

SECRET = b"correct horse"


def bring(root: Path, made: Hierarchy, *, chain: bool, key: str = "own.p12", more: str = "") -> Workspace:
    """A workspace whose configuration names the certificate in *made*."""
    space = find_workspace(root)
    space.create()
    parts = pkcs12.serialize_key_and_certificates(
        b"own", made.leaf_key, made.leaf, [made.issuing, made.root], BestAvailableEncryption(SECRET)
    )
    write_private(root / "own.p12", parts)
    pem = made.leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(root / "leaf.key", pem)
    certificates = (made.leaf, made.issuing, made.root)
    (root / "chain.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in certificates))
    lines = ["format = 1", "[signing]", f'key = "{key}"', *(['chain = "chain.pem"'] if chain else [])]
    (root / "safegen.toml").write_text("\n".join([*lines, more]))
    return find_workspace(root)


@pytest.mark.parametrize("chain", [True, False])
def test_a_pkcs12_file_signs(in_memory: Path, chain: bool) -> None:
    made = issue_hierarchy("User", datetime.now(UTC))
    space = bring(in_memory, made, chain=chain)
    with open_session(space, passphrase=SECRET) as session:
        assert session.signer.alg == "es256"
        assert session.signer.sign(b"x")
        assert made.leaf.public_bytes(Encoding.PEM) in session.signer.chain_pem
        assert made.issuing.public_bytes(Encoding.PEM) in session.signer_anchors[0]
    with pytest.raises(KeyUnavailable, match="wrong passphrase"), open_session(space, passphrase=b"no"):
        pass


@pytest.mark.parametrize(("days", "why"), [(-2000, "expired on"), (30, "is not valid before")])
def test_a_certificate_out_of_its_time_is_refused_at_once(in_memory: Path, days: int, why: str) -> None:
    made = issue_hierarchy("User", datetime.now(UTC) + timedelta(days=days))
    space = bring(in_memory, made, chain=True, key="leaf.key")
    with pytest.raises(KeyUnavailable, match=why) as refused, open_session(space):
        pass
    assert refused.value.hint


def test_the_local_identity_names_the_command_that_renews_it(in_memory: Path) -> None:
    space = find_workspace(in_memory)
    with open_session(space, clock=lambda: datetime.now(UTC) - timedelta(days=700)):
        pass
    with pytest.raises(KeyUnavailable, match="expired on") as refused, open_session(space):
        pass
    assert "safegen keys rotate" in refused.value.hint


def test_a_pem_key_needs_its_chain(in_memory: Path) -> None:
    made = issue_hierarchy("User", datetime.now(UTC))
    with pytest.raises(WorkspaceError, match="chain as well as the key"):
        bring(in_memory, made, chain=False, key="leaf.key")


def test_an_algorithm_that_is_named_must_be_the_keys(in_memory: Path) -> None:
    made = issue_hierarchy("User", datetime.now(UTC))
    space = bring(in_memory, made, chain=True, more='alg = "es256"')
    with open_session(space, passphrase=SECRET) as session:
        assert session.signer.alg == "es256"
    space = bring(in_memory, made, chain=True, more='alg = "es384"')
    with pytest.raises(KeyUnavailable, match="alg is es384, but the signing key is for es256") as refused:
        safegen.generate("a red ball", in_memory / "ball.mp4", workspace=space.root, passphrase=SECRET)
    assert "safegen.toml" in refused.value.hint
    assert not (in_memory / "ball.mp4").exists()


def test_the_local_identity_has_its_algorithm_too(in_memory: Path) -> None:
    space = find_workspace(in_memory)
    space.create()
    (in_memory / "safegen.toml").write_text('format = 1\n[signing]\nalg = "ed25519"\n')
    with pytest.raises(KeyUnavailable, match="alg is ed25519"), open_session(find_workspace(in_memory)):
        pass
    (in_memory / "safegen.toml").write_text('format = 1\n[signing]\nalg = "es256"\n')
    with open_session(find_workspace(in_memory)) as session:
        assert session.signer.alg == "es256"


def test_a_signer_given_by_name_is_not_the_files(in_memory: Path) -> None:
    made = issue_hierarchy("User", datetime.now(UTC))
    space = bring(in_memory, made, chain=True, more='alg = "es384"')
    own = from_paths(in_memory / "chain.pem", in_memory / "leaf.key")
    with open_session(space, passphrase=SECRET, signer=own) as session:
        assert session.signer is own
