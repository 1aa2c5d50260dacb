"""The PKCS#11 example, run on SoftHSM: the key never leaves the token, the video verifies."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from safegen import Verdict
from safegen.errors import KeyUnavailable, SigningFailed
from safegen.keys.signers import from_callback, load_chain
from safegen.keys.trust import TrustBundle, TrustStore
from safegen.workspace.config import find_workspace
from tests.e2e.makers import Maker

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@pytest.fixture(scope="module")
def example(root: Path) -> ModuleType:
    pytest.importorskip("pkcs11", reason="needs python-pkcs11")
    spec = importlib.util.spec_from_file_location("pkcs11_signer", root / "examples" / "pkcs11_signer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def session(example: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    library = next((m for m in (os.environ.get("PKCS11_MODULE", ""), *MODULES) if Path(m).is_file()), None)
    if library is None or shutil.which("softhsm2-util") is None:
        pytest.skip("needs SoftHSM (Debian: softhsm2)")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(config))
        command = "softhsm2-util --init-token --free --label safegen --so-pin 123456 --pin 4321"
        subprocess.run(command.split(), check=True, capture_output=True)
        with example.open_token(library, "safegen", "4321") as opened:
            yield opened


def test_a_video_signed_in_the_token(example: ModuleType, session: Any, tmp_path: Path) -> None:
    public = example.public_key(session)
    assert example.public_key(session) == public, "the pair is made once"
    chain = example.demo_chain(public)
    maker = Maker.open(tmp_path / "workspace")
    video = maker.release(tmp_path / "video.mp4", signer=example.token_signer(session, chain))
    assert maker.verify(video).verdict is Verdict.SIGNED_UNTRUSTED
    from cryptography.hazmat.primitives.serialization import Encoding

    anchor = load_chain(chain)[-1].public_bytes(Encoding.PEM)
    TrustStore(find_workspace(maker.root).trust).add(TrustBundle("token's CA", (anchor,)))
    assert maker.verify(video).verdict is Verdict.VERIFIED


def test_the_key_cannot_be_read(example: ModuleType, session: Any) -> None:
    import pkcs11

    example.public_key(session)
    private = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.KeyType.EC, example.LABEL)
    assert private[pkcs11.Attribute.SENSITIVE]
    assert not private[pkcs11.Attribute.EXTRACTABLE]


def test_a_token_that_fails_releases_nothing(example: ModuleType, session: Any, tmp_path: Path) -> None:
    chain = example.demo_chain(example.public_key(session))

    def removed(_: bytes) -> bytes:
        raise OSError("token removed")

    maker = Maker.open(tmp_path / "workspace")
    with pytest.raises(SigningFailed, match="token removed"):
        maker.release(tmp_path / "video.mp4", signer=from_callback(removed, alg="es256", chain_pem=chain))
    assert not (tmp_path / "video.mp4").exists()
    with pytest.raises(KeyUnavailable):
        from_callback(removed, alg="es384", chain_pem=chain)
