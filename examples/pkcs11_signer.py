"""Sign with a key that never leaves its token: PKCS#11, here with SoftHSM.

::

    apt-get install softhsm2
    pip install python-pkcs11
    softhsm2-util --init-token --free --label safegen --so-pin 123456 --pin 4321
    export PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so PKCS11_TOKEN=safegen PKCS11_PIN=4321
    python examples/pkcs11_signer.py "a red ball rolling over green grass" ball.mp4

A real token works the same way with its own module. Its key (CKA_LABEL ``safegen-claims``, P-256) needs a
certificate for claim signing from your CA: see docs/credentials.md. For a first try this script makes the key
in the token and, with ``--demo-ca``, a CA of its own that nobody trusts.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

import safegen
from safegen.keys.signers import CallbackSigner, from_callback

LABEL = "safegen-claims"


def open_token(module: str, token: str, pin: str) -> Any:
    """A session on the token, logged in."""
    return pkcs11.lib(module).get_token(token_label=token).open(user_pin=pin, rw=True)


def public_key(session: Any) -> bytes:
    """The claim-signing key's public part (DER SubjectPublicKeyInfo); the pair is made when absent."""
    try:
        public = session.get_key(ObjectClass.PUBLIC_KEY, KeyType.EC, LABEL)
    except pkcs11.NoSuchKey:
        curve = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
        )
        public, _ = curve.generate_keypair(store=True, label=LABEL)
    der: bytes = encode_ec_public_key(public)
    return der


def token_signer(session: Any, chain_pem: bytes) -> CallbackSigner:
    """A signer whose key stays in the token. Raises KeyUnavailable when the chain is for another kind."""
    private = session.get_key(ObjectClass.PRIVATE_KEY, KeyType.EC, LABEL)

    def sign(data: bytes) -> bytes:
        # CKM_ECDSA signs a digest and answers r||s, which is what COSE wants (RFC 9053, section 2.1).
        signature: bytes = private.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA)
        return signature

    return from_callback(sign, alg="es256", chain_pem=chain_pem)


def demo_chain(public_der: bytes) -> bytes:
    """Certificates for *public_der* from a CA made on the spot, whose keys are thrown away."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

    from safegen.keys.certificates import certify_leaf, issue_hierarchy

    now = datetime.now(UTC)
    made = issue_hierarchy("PKCS#11 demo", now)
    public = load_der_public_key(public_der)
    assert isinstance(public, EllipticCurvePublicKey)
    leaf = certify_leaf("PKCS#11 demo", public, made.issuing, made.issuing_key, now)
    return b"".join(c.public_bytes(Encoding.PEM) for c in (leaf, made.issuing, made.root))


def main() -> None:
    """Generate a video signed by the token."""
    parser = argparse.ArgumentParser(description="Generate a video signed by a PKCS#11 token.")
    parser.add_argument("prompt")
    parser.add_argument("output", type=Path)
    parser.add_argument("--chain", type=Path, help="PEM certificates for the token's key, leaf first.")
    parser.add_argument("--demo-ca", action="store_true", help="Make a CA that nobody trusts.")
    chosen = parser.parse_args()
    environ = os.environ
    with open_token(environ["PKCS11_MODULE"], environ["PKCS11_TOKEN"], environ["PKCS11_PIN"]) as session:
        public = public_key(session)
        if chosen.chain is None and not chosen.demo_ca:
            parser.error("give --chain with the certificates for the token's key, or --demo-ca")
        chain = demo_chain(public) if chosen.chain is None else chosen.chain.read_bytes()
        release = safegen.generate(chosen.prompt, chosen.output, signer=token_signer(session, chain))
    print(f"{release.path}: signed in the token, ledger entry {release.index}")


if __name__ == "__main__":
    main()
