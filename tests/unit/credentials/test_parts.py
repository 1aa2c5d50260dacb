"""The small parts: CBOR, codes in words, containers, training rules, processes."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.credentials.cbor import CborError, decode
from safegen.credentials.claim_signature import SignatureUnreadable, active_label, verify_claim_signature
from safegen.credentials.explain import TEXTS, explain
from safegen.credentials.formats import SIGNABLE, detect, sniff
from safegen.credentials.manifest_store import ManifestStore
from safegen.credentials.mining import disallowed_generative_uses
from safegen.credentials.read import read_credentials
from safegen.keys.identity import Identity
from safegen.types import CredentialState, Json


@pytest.mark.parametrize(
    ("data", "value"),
    [
        # RFC 8949 appendix A
        ("00", 0),
        ("1818", 24),
        ("1b000000e8d4a51000", 1000000000000),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("fb3ff199999999999a", 1.1),
        ("f4", False),
        ("f6", None),
        ("4401020304", b"\1\2\3\4"),
        ("62c3bc", "ü"),
        ("83010203", [1, 2, 3]),
        ("a201020304", {1: 2, 3: 4}),
        ("c11a514b67b0", 1363896240),
    ],
)
def test_cbor(data: str, value: object) -> None:
    assert decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        "",
        "18",
        "5f42010243030405ff",
        "a201020102",
        "62c328",
        "0000",
        "fc",
        "81" * 40 + "00",
        "9bffffffffffffffff",
    ],
)
def test_cbor_that_is_refused(data: str) -> None:
    with pytest.raises(CborError):
        decode(bytes.fromhex(data))


@given(st.binary(max_size=300))
def test_hostile_stores_have_no_signer(data: bytes) -> None:
    with pytest.raises(SignatureUnreadable):
        verify_claim_signature(data, "urn:c2pa:x")
    with pytest.raises((SignatureUnreadable, ValueError)):
        active_label(data)


def test_codes_in_words() -> None:
    assert explain("assertion.bmffHash.mismatch") == "The picture data was changed after signing"
    assert explain("future.thing.mismatch") == "Something was changed after signing (future.thing.mismatch)"
    assert explain("x.y") == "x.y"
    assert all(text[0].isupper() and "\n" not in text and len(text) < 100 for text in TEXTS.values())


def test_every_code_of_the_field_files_has_words(shared: Path, rows: list[Json]) -> None:
    for row in rows:
        for code in read_credentials(shared / "data/c2pa" / row["file"]).codes:
            assert code in TEXTS, code


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x20ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x20ftypM4V ", "video/x-m4v"),
        (b"\0\0\0\x08wide", "video/quicktime"),
        (b"RIFF....AVI ", "video/avi"),
        (b"RIFF....WEBP", "image/webp"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (b"\x1aE\xdf\xa3webm", "video/webm"),
        (b"\0\0\0\x20moof", None),
        (b"\0", None),
    ],
)
def test_containers(head: bytes, mime: str | None) -> None:
    assert sniff(head).mime == mime and sniff(head).signable == (mime in SIGNABLE)


def test_containers_of_the_field_files(shared: Path) -> None:
    folder = shared / "data/c2pa"
    assert detect(folder / "py_file_with_wrong_extension.xyz.jpg").mime == "image/jpeg"
    assert detect(folder / "rs_test.avi").mime == "video/avi"
    assert detect(folder / "rs_c.mov").mime == "video/quicktime"


def test_what_makers_of_inputs_allow() -> None:
    def manifest(label: str, **entries: str) -> Json:
        data = {"entries": {k.replace("__", "."): {"use": v} for k, v in entries.items()}}
        return {"assertions": [{"label": label, "data": data}]}

    refused = manifest(
        "cawg.training-mining", cawg__ai_inference="notAllowed", cawg__data_mining="notAllowed"
    )
    assert disallowed_generative_uses(refused) == ("cawg.ai_inference=notAllowed",)
    old = manifest("c2pa.training-mining", c2pa__ai_generative_training="constrained")
    assert disallowed_generative_uses(old) == ("c2pa.ai_generative_training=constrained",)
    assert disallowed_generative_uses(manifest("cawg.training-mining", cawg__ai_inference="allowed")) == ()
    for odd in ({}, {"assertions": [5, {"label": "cawg.training-mining", "data": []}]}):
        assert disallowed_generative_uses(odd) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50)
@given(ingredients=JSON, assertions=JSON, results=JSON)
def test_odd_documents_are_walked_safely(ingredients: object, assertions: object, results: object) -> None:
    active = {"ingredients": ingredients, "assertions": assertions, "signature_info": results}
    store = ManifestStore({"active_manifest": "a", "manifests": {"a": active}, "validation_results": results})
    assert isinstance(store.failures(), tuple) and isinstance(store.ancestors(), tuple)
    assert isinstance(store.ingredient_failures(), tuple) and isinstance(store.bindings(["a", "b"]), tuple)
    assert store.signed_at is None or isinstance(store.signed_at, str)


def test_a_circle_of_ingredients_ends() -> None:
    def named(*labels: str) -> Json:
        return {"ingredients": [{"active_manifest": label} for label in labels]}

    manifests = {"a": named("b", "c"), "b": named("c", "a"), "c": named("b", "missing")}
    assert ManifestStore({"active_manifest": "a", "manifests": manifests}).ancestors() == (
        "b",
        "c",
        "missing",
    )


@pytest.mark.parametrize("place", ["top", "inside"])
def test_a_heap_of_boxes_takes_nobodys_time(video: Path, tmp_path: Path, place: str) -> None:
    """c2pa's time grows with the square of the boxes at one level: 100,000, in 800 KB, cost a minute."""
    many = b"\0\0\0\x08free" * 100_000
    path = tmp_path / "heap.mp4"
    heap = many if place == "top" else (8 + len(many)).to_bytes(4, "big") + b"udta" + many
    path.write_bytes(video.read_bytes() + heap)
    started = time.process_time()
    found = read_credentials(path)
    assert time.process_time() - started < 5
    assert found.state is CredentialState.UNSUPPORTED
    assert "boxes at one level" in found.reason
    path.write_bytes(video.read_bytes() + many[:8000])
    assert read_credentials(path).state is CredentialState.ABSENT


def _child(path: Path, root: bytes, answer: multiprocessing.connection.Connection) -> None:
    answer.send(read_credentials(path, anchors_pem=[root]).trusted)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_reading_works_after_a_fork(signed: Path, identity: Identity) -> None:
    assert read_credentials(signed, anchors_pem=[identity.root_pem]).trusted
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_child, args=(signed, identity.root_pem, there)
    )
    process.start()
    try:
        assert here.poll(300) and here.recv() is True
        process.join(300)
        assert process.exitcode == 0
    finally:  # a child that is left alive would be waited for when this process ends
        process.kill()


def test_reading_needs_nothing_heavy(signed: Path, identity: Identity) -> None:
    code = (
        "import sys; from pathlib import Path; from safegen.credentials.read import read_credentials;"
        "assert 'c2pa' not in sys.modules and 'cryptography' not in sys.modules;"
        "read_credentials(Path(sys.argv[1]));"
        "assert not {'torch', 'av', 'numpy', 'cv2', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(signed)], check=True)


def test_nothing_is_said_on_the_way(
    signed: Path, shared: Path, rows: list[Json], capfd: pytest.CaptureFixture[str]
) -> None:
    for row in rows:
        read_credentials(shared / "data/c2pa" / row["file"])
    assert read_credentials(signed).state is CredentialState.VALID
    assert capfd.readouterr() == ("", "")
