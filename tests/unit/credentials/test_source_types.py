"""What an owner states about a source: only types that there are, and only where C2PA lets it stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safegen.credentials.manifest import ProtectionInputs, build_protection
from safegen.credentials.read import read_credentials
from safegen.credentials.sign import Ingredient, sign_file
from safegen.credentials.source_types import IPTC, is_owners_word, source_type_address
from safegen.errors import UsageError
from safegen.keys.identity import Identity

WHEN = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("given", ["trainedAlgorithmicMedia", IPTC + "trainedAlgorithmicMedia"])
@pytest.mark.parametrize("label", ["", "AI-generated"])
@pytest.mark.parametrize("transcoded", [True, False])
def test_an_owners_statement_is_in_an_action_and_on_the_source(
    video: Path, identity: Identity, tmp_path: Path, given: str, label: str, transcoded: bool
) -> None:
    """Not where C2PA 2.4 forbids it: ``c2pa.opened``, and an ingredient with a manifest of its own."""
    address = IPTC + "trainedAlgorithmicMedia"
    source = Ingredient(video, "a video", "parentOf", "source", address)
    stated = ProtectionInputs(
        "Protected",
        7,
        "org.safegen.watermark.tile.v1",
        source,
        WHEN,
        stated_source_type=given,
        transcoded=transcoded,
        label=label,
    )
    out, again = tmp_path / "out.mp4", tmp_path / "again.mp4"
    sign_file(video, out, build_protection(stated), signer=identity.signer(), ingredients=[source])
    own = replace(source, path=out)
    sign_file(
        out,
        again,
        build_protection(replace(stated, source=own)),
        signer=identity.signer(),
        ingredients=[own],
    )
    for path, on_source in ((out, address), (again, None)):
        evidence = read_credentials(path, anchors_pem=[identity.root_pem])
        assert evidence.trusted and evidence.manifest is not None and not evidence.failures
        (actions,) = [a["data"] for a in evidence.manifest["assertions"] if a["label"] == "c2pa.actions.v2"]
        opened, first, *rest = actions["actions"]
        assert opened["action"] == "c2pa.opened" and "digitalSourceType" not in opened
        assert first["digitalSourceType"] == address and is_owners_word(first)
        assert not [a for a in rest if "digitalSourceType" in a or is_owners_word(a)]
        assert evidence.manifest["ingredients"][0].get("digital_source_type") == on_source
        if label and not transcoded:
            assert first["parameters"]["org.safegen.visibleLabel"] == label


@pytest.mark.parametrize("text", ["", "trainedalgorithmicmedia", "AI", IPTC, "http://example.com/digitalArt"])
def test_other_source_types_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no digital source type"):
        source_type_address(text)
