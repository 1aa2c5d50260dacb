"""Credentials beside the file or at an address: the same trust rules, whoever put them there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import safegen
from safegen import Verdict
from safegen.credentials.manifest import build_manifest
from safegen.credentials.sign import sign_file
from safegen.errors import UsageError
from safegen.keys.identity import Identity
from safegen.workspace import config
from tests.e2e.makers import Maker, inputs, paint
from tests.e2e.responder import Responder

URL = "https://example.com/manifests/{id}.c2pa"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("places") / "workspace")


def signed(maker: Maker, folder: Path, place: str, **more: object) -> tuple[Path, bytes]:
    """A signed file, and its manifest store, which lies nowhere yet."""
    source, target = paint(folder / "plain.mp4"), folder / "clip.mp4"
    made = sign_file(
        source,
        target,
        build_manifest(inputs(7)),
        signer=maker.identity.signer(),
        manifest_location=place,
        **more,  # type: ignore[arg-type]
    )
    if place == "sidecar":
        assert target.read_bytes() == source.read_bytes(), "the file's bytes are left alone"
    return target, made.manifest_bytes


def verdict(maker: Maker, path: Path) -> Verdict:
    return maker.verify(path).verdict


@pytest.mark.parametrize("place", ["sidecar", URL])
@pytest.mark.parametrize("name", ["clip.mp4.c2pa", "clip.c2pa"])
def test_a_sidecar_is_found(maker: Maker, tmp_path: Path, place: str, name: str) -> None:
    clip, store = signed(maker, tmp_path, place)
    assert verdict(maker, clip) is Verdict.NO_PROVENANCE
    (tmp_path / name).write_bytes(store)
    report = maker.verify(clip)
    assert report.verdict is Verdict.SIGNED_UNLOGGED
    assert report.credentials.source == "sidecar"
    assert report.to_dict()["credentials"]["source"] == "sidecar"
    clip.write_bytes(clip.read_bytes()[:-20] + b"\0" * 20)
    assert verdict(maker, clip) is Verdict.TAMPERED


def test_the_address_is_named_and_not_asked(maker: Maker, tmp_path: Path) -> None:
    clip, _ = signed(maker, tmp_path, URL)
    assert any(URL.split("{")[0] in n.reason for n in maker.verify(clip).not_checked)


def test_a_strangers_sidecar_is_not_trusted(maker: Maker, tmp_path: Path) -> None:
    thief = Identity.load_or_create(tmp_path / "thief", name="Studio Nord")
    source = paint(tmp_path / "plain.mp4")
    made = sign_file(
        source,
        tmp_path / "clip.mp4",
        build_manifest(inputs(7)),
        signer=thief.signer(),
        manifest_location="sidecar",
    )
    (tmp_path / "clip.mp4.c2pa").write_bytes(made.manifest_bytes)
    assert verdict(maker, tmp_path / "clip.mp4") is Verdict.SIGNED_UNTRUSTED


def test_embedded_credentials_come_first(maker: Maker, tmp_path: Path) -> None:
    clip, _ = signed(maker, tmp_path, "embedded")
    (tmp_path / "other").mkdir()
    _, store = signed(maker, tmp_path / "other", "sidecar")
    before = maker.verify(clip)
    (tmp_path / "clip.mp4.c2pa").write_bytes(store)
    after = maker.verify(clip)
    assert after.credentials.manifest_id == before.credentials.manifest_id
    assert after.credentials.source == "embedded"


@pytest.mark.parametrize("junk", [b"", b"hello", b"\0\0\0\x20jumb" + bytes(24), b"\xff" * 100])
def test_junk_beside_a_file(maker: Maker, tmp_path: Path, junk: bytes) -> None:
    clip = paint(tmp_path / "clip.mp4")
    (tmp_path / "clip.mp4.c2pa").write_bytes(junk)
    report = maker.verify(clip)
    assert report.verdict in {Verdict.NO_PROVENANCE, Verdict.CREDENTIALS_UNREADABLE, Verdict.TAMPERED}
    if b"jumb" not in junk:
        assert any("not a manifest store" in n.reason for n in report.not_checked)


def test_labels_that_c2pa_does_not_insist_on(maker: Maker, tmp_path: Path) -> None:
    clip, store = signed(maker, tmp_path, "sidecar")
    (tmp_path / "clip.mp4.c2pa").write_bytes(store.replace(b"c2pa.signature\0", b"x2pa.signature\0"))
    assert verdict(maker, clip) is Verdict.CREDENTIALS_UNREADABLE


def test_a_stapled_answer_goes_along(maker: Maker, tmp_path: Path) -> None:
    responder = Responder(maker.identity)
    clip, store = signed(maker, tmp_path, "sidecar", ocsp_url=responder.url)
    (tmp_path / "clip.mp4.c2pa").write_bytes(store)
    assert maker.verify(clip).credentials.revocation.startswith("not revoked")


@pytest.mark.parametrize(
    "place", ["", "beside", "http://example.com/x", "https://", "https://u:p@h/", "https://a b/"]
)
def test_places_that_are_none(maker: Maker, tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="not a place"):
        signed(maker, tmp_path, place)
    with pytest.raises(UsageError):
        config.find_workspace(maker.root).with_release_settings(manifest=place)
    assert not (tmp_path / "clip.mp4").exists()


def test_old_credentials_do_not_stay_in_the_file(maker: Maker, tmp_path: Path) -> None:
    from safegen.credentials.sign import Ingredient

    clip, _ = signed(maker, tmp_path, "embedded")
    with pytest.raises(UsageError, match="would remain"):
        sign_file(
            clip,
            tmp_path / "again.mp4",
            build_manifest(inputs(8, ingredients=(Ingredient(clip, "clip", "parentOf", "clip"),))),
            signer=maker.identity.signer(),
            ingredients=[Ingredient(clip, "clip", "parentOf", "clip")],
            manifest_location="sidecar",
        )


@pytest.mark.slow
@pytest.mark.parametrize("place", ["sidecar", URL])
def test_a_whole_release(tmp_path: Path, place: str) -> None:
    """From the prompt to VERIFIED with the credentials outside; the entry commits to the sidecar."""
    pytest.importorskip("torch")
    made = safegen.generate(
        "a red ball rolling left to right over green grass",
        tmp_path / "clip.mp4",
        seed=1,
        workspace=tmp_path / "workspace",
        manifest=place,
    )
    assert (tmp_path / "clip.mp4.c2pa").is_file()
    assert tmp_path / "clip.mp4.c2pa" in made.sidecars
    report = safegen.verify(made.path, workspace=tmp_path / "workspace")
    assert report.verdict is Verdict.VERIFIED
    assert report.credentials.source == "sidecar"
    assert report.ledger is not None
    assert report.ledger.entry["sidecars"][0]["suffix"] == ".c2pa"
    if place == URL:
        assert f"{made.content_id:016x}.c2pa".encode() in made.path.read_bytes()
    shutil.move(tmp_path / "clip.mp4.c2pa", tmp_path / "elsewhere")
    assert safegen.verify(made.path, workspace=tmp_path / "workspace").verdict is Verdict.RECOVERED
