"""Whose word about an input counts, and what is said of credentials that nobody can check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safegen.credentials import in_child
from safegen.credentials.open_store import unreadable_evidence
from safegen.errors import GenerationFailed
from safegen.generators.remote import received_clip
from safegen.keys.identity import Identity
from safegen.keys.revoke import revoke
from safegen.pipeline.authorize import user_trust
from safegen.types import Allowed, Held
from safegen.workspace.config import find_workspace
from tests.e2e.makers import Maker, paint
from tests.unit.credentials.conftest import identity  # noqa: F401
from tests.unit.pipeline.test_inputs import run, signed


def test_a_revoked_key_says_nothing_about_an_input(
    tmp_path: Path,
    identity: Identity,  # noqa: F811
) -> None:
    """A stolen key could call a real person's picture generated: nobody would be asked for consent then."""
    own = Identity.load_or_create(tmp_path / "keys", name="Robbed Films")
    file = signed(tmp_path, own, "allowed")
    assert run(tmp_path, file, anchors=[own.root_pem]).ingredients[0].generated
    fresh, _ = revoke(own, lambda *_: None)
    (tmp_path / "again").mkdir()
    found = run(tmp_path / "again", file, anchors=[own.root_pem], crls=fresh.crls)
    assert not found.ingredients[0].generated


def test_what_is_revoked_is_part_of_whom_the_user_trusts(tmp_path: Path) -> None:
    maker = Maker.open(tmp_path / "maker")
    revoke(maker.identity, lambda *_: None)
    trust = user_trust(find_workspace(maker.root))
    assert trust.crls and trust.tsa_anchors


def test_another_manifest_under_the_id_of_an_own_release_is_no_own_release(tmp_path: Path) -> None:
    """The id is a name that anyone can give."""
    from safegen.credentials.manifest import build_manifest
    from safegen.credentials.sign import sign_file
    from safegen.types import Refused
    from tests.e2e.makers import inputs

    maker = Maker.open(tmp_path / "maker")
    clip = maker.release(tmp_path / "clip.mp4", training_mining={"cawg.ai_inference": "notAllowed"})
    label = maker.verify(clip).credentials.manifest_id
    definition = build_manifest(inputs(7, training_mining={"cawg.ai_inference": "notAllowed"}))
    other = tmp_path / "other.mp4"
    plain = paint(tmp_path / "plain.mp4", seed=4)
    sign_file(plain, other, definition | {"label": label}, signer=maker.identity.signer())
    (tmp_path / "own").mkdir()
    (tmp_path / "others").mkdir()
    with maker.ledger(read_only=True) as ledger:
        how: dict[str, Any] = {"anchors": [maker.identity.root_pem], "ledger": ledger}
        assert isinstance(run(tmp_path / "own", clip, **how).decision, Allowed)
        assert isinstance(run(tmp_path / "others", other, **how).decision, Refused)


def test_credentials_that_cannot_be_checked_accuse_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with those that lie elsewhere: what they allow is unknown, so a person decides."""
    file = paint(tmp_path / "clip.mp4")
    monkeypatch.setattr(in_child, "read_credentials", lambda *_, **__: unreadable_evidence("an old version"))
    found = run(tmp_path, file)
    assert isinstance(found.decision, Held) and not found.ingredients[0].broken
    assert "cannot be checked" in found.decision.findings[0].reason
    monkeypatch.setattr(in_child, "carries_credentials", lambda *_: True)
    with pytest.raises(GenerationFailed, match="cannot be checked") as refused:
        received_clip._has_valid_credentials(file, "models.example")
    assert "nothing shows that the clip was changed" in refused.value.hint
