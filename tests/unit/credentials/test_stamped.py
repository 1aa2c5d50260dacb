"""A signature and its time stamp: what is wrong is found by trying, and goes the way it was asked to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safegen.credentials import stamped
from safegen.credentials.read import read_credentials
from safegen.credentials.sign import sign_file
from safegen.credentials.stamped import LibraryFailed, sign_with_stamp
from safegen.errors import KeyUnavailable, SigningFailed
from safegen.keys.identity import Identity
from safegen.types import CredentialState, Json
from tests.unit.credentials.conftest import Tsa, tsa  # noqa: F401

DEAD = "http://127.0.0.1:9/"


class Signing:
    """``attempt`` of a library that fails *times* times with an authority, and always where *broken*."""

    def __init__(self, times: int, *, broken: bool = False) -> None:
        self.left, self.broken = times, broken
        self.asked: list[str | None] = []

    def __call__(self, url: str | None) -> bytes:
        self.asked.append(url)
        self.left -= url is not None
        if self.broken or (url is not None and self.left >= 0):
            raise LibraryFailed(f"attempt {len(self.asked)}")
        return b"stamped" if url else b"plain"


def test_without_an_authority_nobody_is_asked() -> None:
    signing = Signing(9)
    assert sign_with_stamp(signing, None, required=True) == (b"plain", "")
    assert signing.asked == [None]


def test_an_authority_that_answers_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamped, "_why_no_answer", lambda _: None)
    signing = Signing(1)
    assert sign_with_stamp(signing, DEAD, required=False) == (b"stamped", "")
    assert signing.asked == [DEAD, DEAD]


def test_stamps_that_the_library_does_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamped, "_why_no_answer", lambda _: None)
    assert sign_with_stamp(Signing(9), DEAD, required=False) == (b"plain", stamped.STRANGE_STAMP)
    with pytest.raises(SigningFailed, match="tsa_required"):
        sign_with_stamp(Signing(9), DEAD, required=True)


def test_a_silent_authority() -> None:
    found, why = sign_with_stamp(Signing(9), DEAD, required=False)
    assert found == b"plain"
    assert "127.0.0.1 returned no stamp: ConnectionRefusedError" in why


@pytest.mark.parametrize("required", [True, False])
def test_what_is_not_the_authoritys_fault_is_raised(required: bool) -> None:
    with pytest.raises(LibraryFailed, match="attempt 2"):
        sign_with_stamp(Signing(9, broken=True), DEAD, required=required)


def test_a_key_that_fails_is_not_tried_again() -> None:
    asked = []

    def attempt(url: str | None) -> bytes:
        asked.append(url)
        raise KeyUnavailable("the token was pulled out")

    with pytest.raises(KeyUnavailable):
        sign_with_stamp(attempt, DEAD, required=False)
    assert asked == [DEAD]


def test_a_file_is_signed_without_a_stamp(
    video: Path, identity: Identity, definition: Json, tmp_path: Path
) -> None:
    """The second try writes over what the first one left, thumbnail and all."""
    from tests.e2e.makers import JPEG

    def sign(out: Path, **options: Any) -> str:
        made = sign_file(video, out, definition, signer=identity.signer(), thumbnail=JPEG, **options)
        return made.unstamped

    out, plain = tmp_path / "out.mp4", tmp_path / "plain.mp4"
    assert "returned no stamp" in sign(out, tsa_url=DEAD, tsa_required=False)
    assert sign(plain) == ""
    found = read_credentials(out, anchors_pem=[identity.root_pem])
    assert (found.state, found.trusted, found.time_stamped) == (CredentialState.VALID, True, False)
    assert abs(out.stat().st_size - plain.stat().st_size) < 16


def test_a_stamp_where_there_is_one(
    video: Path,
    identity: Identity,
    definition: Json,
    tmp_path: Path,
    tsa: Tsa,  # noqa: F811
) -> None:
    out = tmp_path / "out.mp4"
    made = sign_file(video, out, definition, signer=identity.signer(), tsa_url=tsa.url, tsa_required=False)
    assert made.unstamped == ""
    found = read_credentials(out, anchors_pem=[identity.root_pem], tsa_anchors_pem=[tsa.root])
    assert found.time_stamped
