"""Sign a file: put a manifest into a copy of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from safegen._util.logs import logger
from safegen._util.time import utc_now
from safegen.credentials import formats
from safegen.credentials.manifest_location import check_manifest_location, set_manifest_location
from safegen.credentials.open_store import carries_credentials
from safegen.credentials.stamped import LibraryFailed, sign_with_stamp
from safegen.credentials.staple import staple, staple_into
from safegen.errors import SafegenError, SigningFailed, UsageError
from safegen.types import Json

if TYPE_CHECKING:
    from safegen.protocols import Signer

_log = logger(__name__)

THUMBNAIL = "thumbnail.jpg"
Relationship = Literal["parentOf", "inputTo", "componentOf"]


@dataclass(frozen=True)
class Ingredient:
    """A file that went into the one being signed; its own manifest, if any, is kept.

    ``parentOf``: the file was opened and changed (at most one); ``inputTo``: a reference for the
    generator; ``componentOf``: placed into it. ``label`` is the name actions refer to it by. ``source_type``
    (an address) is what its owner says it is; where it has a manifest of its own, that says so, and C2PA 2.4
    (section 18.16.12.3) allows no second word.
    """

    path: Path
    title: str
    relationship: Relationship
    label: str
    source_type: str | None = None


@dataclass(frozen=True)
class SignedManifest:
    """What was signed: the manifest's id (its label) and the raw manifest store (JUMBF).

    ``unstamped`` and ``unstapled`` say why the time stamp or the revocation information that was asked for is
    not in it; "" where it is, or was not asked for.
    """

    manifest_id: str
    manifest_bytes: bytes
    unstamped: str = ""
    unstapled: str = ""


def sign_file(
    source: Path,
    destination: Path,
    definition: Json,
    *,
    signer: Signer,
    ingredients: Sequence[Ingredient] = (),
    thumbnail: bytes | None = None,
    tsa_url: str | None = None,
    ocsp_url: str | None = None,
    tsa_required: bool = True,
    ocsp_required: bool = True,
    manifest_location: str = "embedded",
) -> SignedManifest:
    """Write a signed copy of *source* to *destination*, which MUST NOT exist.

    *manifest_location* says where the manifest goes: ``embedded`` in the copy; ``sidecar``: nowhere, the
    copy equals *source* and the caller keeps what is returned; an https address: the copy names it, and the
    caller puts what is returned there.

    *definition* comes from ``manifest.build_manifest`` or ``build_protection``; *thumbnail* is a JPEG.
    Without *tsa_url* (http or https, RFC 3161) the manifest carries no time stamp, without *ocsp_url* no
    revocation information; without both nothing goes over the network. Where they are given and do not
    answer, *tsa_required* and *ocsp_required* decide: SigningFailed, or a signature without, and the reason
    in what is returned. A certificate that was revoked never signs. Everything the definition states is
    attributed to the signer.

    Raises UsageError (a format that cannot be signed, *destination* exists, bad *tsa_url*, *source* has
    credentials that no parent would keep), UnreadableInput, SigningFailed. On any error *destination*
    does not exist afterwards.
    """
    mime = formats.require_signable(source)
    kinds = [(i, _ingredient_mime(i)) for i in ingredients]
    _check_parents(source, ingredients)
    check_manifest_location(manifest_location)
    if manifest_location != "embedded" and carries_credentials(source):
        raise UsageError(
            f"{source.name} carries Content Credentials, which would remain in it",
            hint="embed the new credentials instead",
        )
    if tsa_url is not None and not tsa_url.startswith(("http://", "https://")):
        raise UsageError("the time stamp service needs an http(s) address", hint="omit it to sign offline")
    answer, unstapled = _revocation(ocsp_url, signer, required=ocsp_required)
    try:
        target = destination.open("x+b")
    except FileExistsError as error:
        raise UsageError(f"{destination} exists", hint="name a new file") from error
    except OSError as error:
        raise SigningFailed(
            f"cannot write {destination}: {error.strerror}", hint="check the folder"
        ) from error
    try:
        with target, source.open("rb") as file:

            def attempt(authority: str | None) -> bytes:
                file.seek(0)
                target.seek(0)
                target.truncate()
                builder = _builder(definition, kinds, thumbnail)
                set_manifest_location(builder, manifest_location)
                return _sign(builder, mime, file, target, signer, authority)

            raw, unstamped = sign_with_stamp(attempt, tsa_url, required=tsa_required)
        label = _active_label(raw)
        _log.info("signed manifest %(manifest)s", {"manifest": label})
        if answer is not None:
            inside = destination if manifest_location == "embedded" else None
            raw, unstapled = _staple(raw, label, answer, inside, required=ocsp_required)
        return SignedManifest(label, raw, unstamped, unstapled)
    except BaseException:
        destination.unlink(missing_ok=True)
        raise


def _revocation(url: str | None, signer: Signer, *, required: bool) -> tuple[bytes | None, str]:
    """What the responder at *url* says about the signer's certificate now, or why there is no answer."""
    from cryptography import x509

    from safegen.keys.ocsp import NoOcspAnswer, request_ocsp_response

    if url is None:
        return None, ""
    chain = tuple(x509.load_pem_x509_certificates(signer.chain_pem))
    try:
        return request_ocsp_response(url, chain, now=utc_now()), ""
    except NoOcspAnswer as error:
        if required:
            raise
        return None, str(error)


def _staple(
    raw: bytes, label: str, answer: bytes, inside: Path | None, *, required: bool
) -> tuple[bytes, str]:
    """The store *raw* with the responder's answer, also in the file *inside*; or as it is, and why."""
    try:
        return (staple(raw, label, answer) if inside is None else staple_into(inside, raw, label, answer)), ""
    except SigningFailed as error:
        if required:
            raise
        return raw, str(error)


def _check_parents(source: Path, ingredients: Sequence[Ingredient]) -> None:
    parents = sum(i.relationship == "parentOf" for i in ingredients)
    if parents > 1:
        raise UsageError("a video has at most one parent", hint="use inputTo or componentOf for the others")
    if not parents and carries_credentials(source):
        raise UsageError(
            f"{source.name} carries Content Credentials, which a new signature would drop",
            hint="name it as its own parentOf ingredient to keep them",
        )


def _builder(definition: Json, ingredients: Sequence[tuple[Ingredient, str]], thumbnail: bytes | None) -> Any:
    import c2pa

    from safegen.credentials import library

    stated = {**definition}
    if thumbnail is not None:
        stated["thumbnail"] = {"format": "image/jpeg", "identifier": THUMBNAIL}
    try:
        builder = c2pa.Builder(stated, context=library.context(created_labels=created_labels(definition)))
        if any(i.relationship == "parentOf" for i, _ in ingredients):
            # Without this intent a second signature silently drops the manifest that was there.
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        if thumbnail is not None:
            builder.add_resource(THUMBNAIL, io.BytesIO(thumbnail))
        for ingredient, mime in ingredients:
            described = {
                "title": ingredient.title,
                "relationship": ingredient.relationship,
                "label": ingredient.label,
            }
            if ingredient.source_type is not None and not carries_credentials(ingredient.path):
                described["digital_source_type"] = ingredient.source_type
            with ingredient.path.open("rb") as file:
                builder.add_ingredient(described, mime, file)
    except (c2pa.C2paError, OSError) as error:
        raise SigningFailed(f"the manifest cannot be built: {error}", hint="check the inputs") from error
    return builder


def created_labels(definition: Json) -> list[str]:
    """Base labels of everything stated; unlisted assertions would not be attributed to the signer.

    C2PA 2.x section 10.3.2: created and gathered assertions.
    """
    labels = [str(a["label"]) for a in definition.get("assertions", ())]
    bases = [label.rsplit(".v", 1)[0] for label in labels if label.rsplit(".v", 1)[-1].isdigit()]
    fixed = ["c2pa.actions", "c2pa.ingredient", "c2pa.thumbnail.claim", "c2pa.thumbnail.ingredient"]
    return list(dict.fromkeys([*labels, *bases, *fixed]))


def _sign(builder: Any, mime: str, source: Any, target: Any, signer: Signer, tsa_url: str | None) -> bytes:
    import c2pa

    kept: list[BaseException] = []

    def call(data: bytes) -> bytes:
        # c2pa swallows what a callback raises, so it is kept here; an empty answer makes it give up.
        try:
            return signer.sign(data)
        except BaseException as error:
            kept.append(error)
            return b""

    algorithm = getattr(c2pa.C2paSigningAlg, signer.alg.upper())
    try:
        native = c2pa.Signer.from_callback(call, algorithm, signer.chain_pem.decode(), tsa_url)
        with ExitStack() as stack:
            stack.enter_context(native)
            raw: bytes = builder.sign(native, mime, source, target)
    except (c2pa.C2paError, UnicodeDecodeError) as error:
        if kept and not isinstance(kept[0], Exception):
            raise kept[0] from error
        if kept:
            raise _from_signer(kept[0]) from kept[0]
        raise LibraryFailed(f"signing failed: {error}", hint=_hint(str(error))) from error
    if kept or not raw:
        raise SigningFailed("signing returned no manifest", hint="check the signer")
    return raw


def _from_signer(error: BaseException) -> SafegenError:
    if isinstance(error, SafegenError):
        return error
    text = str(error) or type(error).__name__
    return SigningFailed(f"the signer failed: {text}", hint="check the key or the signing service")


def _hint(text: str) -> str:
    if "valid" in text and "time" in text:
        return "the certificate has expired or is not yet valid: renew it"
    return "check the certificate: digitalSignature, an allowed extended key usage, its issuer in the chain"


def _ingredient_mime(ingredient: Ingredient) -> str:
    container = formats.detect(ingredient.path)
    if container.mime is None:
        raise UsageError(
            f"{ingredient.path.name} is {container.name} and cannot be named as a source",
            hint="convert it to MP4, PNG or JPEG",
        )
    return container.mime


def _active_label(raw: bytes) -> str:
    from safegen.credentials.claim_signature import active_label

    return active_label(raw)
