"""A signature whose responder does not answer: refused or made without, as it was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from safegen.credentials.read import read_credentials
from safegen.credentials.sign import sign_file
from safegen.errors import SigningFailed
from safegen.keys.identity import Identity
from safegen.types import Json
from tests.e2e.responder import Responder


@pytest.mark.parametrize("raw", [None, b"", b"garbage"])
def test_a_signature_without_an_answer_where_none_is_required(
    video: Path, tmp_path: Path, definition: Json, own: Identity, responder: Responder, raw: bytes | None
) -> None:
    responder.raw = raw
    url = "http://127.0.0.1:9/" if raw is None else responder.url
    out = tmp_path / "out.mp4"
    made = sign_file(video, out, definition, signer=own.signer(), ocsp_url=url, ocsp_required=False)
    assert ("did not answer" if raw is None else "does not vouch") in made.unstapled
    found = read_credentials(out, anchors_pem=[own.root_pem])
    assert found.trusted
    assert not found.revocation


def test_a_file_without_room_for_the_answer(
    video: Path,
    tmp_path: Path,
    definition: Json,
    own: Identity,
    responder: Responder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("safegen.credentials.staple._find", lambda *_: -1)
    given: dict[str, Any] = {"signer": own.signer(), "ocsp_url": responder.url}
    with pytest.raises(SigningFailed, match="cannot be added"):
        sign_file(video, tmp_path / "no.mp4", definition, **given)
    made = sign_file(video, tmp_path / "out.mp4", definition, **given, ocsp_required=False)
    assert "cannot be added" in made.unstapled
    assert read_credentials(tmp_path / "out.mp4", anchors_pem=[own.root_pem]).trusted


def test_a_revoked_certificate_never_signs(
    video: Path, tmp_path: Path, definition: Json, own: Identity, responder: Responder
) -> None:
    responder.revoked_at = datetime.now(UTC) - timedelta(hours=1)
    with pytest.raises(SigningFailed, match="revoked on"):
        sign_file(
            video,
            tmp_path / "out.mp4",
            definition,
            signer=own.signer(),
            ocsp_url=responder.url,
            ocsp_required=False,
        )
