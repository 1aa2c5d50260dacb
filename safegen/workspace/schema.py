"""The shape of ``safegen.toml``."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Section(BaseModel):
    """A table of the file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SigningSection(_Section):
    """``[signing]``: a certificate of one's own."""

    chain: str | None = None
    key: str | None = None
    passphrase_file: str | None = None
    alg: Literal["es256", "es384", "es512", "ps256", "ed25519"] | None = None
    tsa_url: str | None = None
    tsa_required: bool = False
    ocsp_url: str | None = None
    ocsp_required: bool = False

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.chain and not self.key:
            raise ValueError("needs a key as well as the chain")
        if self.passphrase_file and not self.key:
            raise ValueError("passphrase_file opens a key, and no key is named")
        if self.key and not self.chain and not self.key.lower().endswith((".p12", ".pfx")):
            raise ValueError("needs a chain as well as the key, or a PKCS#12 file (.p12, .pfx) as the key")
        return self


class ReleaseSection(_Section):
    """``[release]``: where manifests go, what is written into the pictures, what comes with them."""

    manifest: str = "embedded"
    label: str = ""
    access: bool = True


class PrivacySection(_Section):
    """``[privacy]``: what happens with the plain prompt."""

    keep_prompts: bool = False
    publish_prompt: bool = False


class ReviewSection(_Section):
    """``[review]``: what of a held request is kept for the person who decides about it, and how long."""

    seal_prompts: bool = True
    keep_days: int = Field(default=30, ge=0, le=36_500)


class LedgerSection(_Section):
    """``[ledger]``: another database than the workspace's own SQLite file."""

    url: str | None = None


class IdentitySection(_Section):
    """``[identity]``: the name in a local identity's certificates."""

    organisation: str = ""


class TrustSection(_Section):
    """``[trust]``: whom ``verify`` trusts besides the pinned makers."""

    c2pa_list: bool = True


class WorkspaceFile(_Section):
    """The whole file. ``format`` is the version of the workspace's layout."""

    format: Literal[1] = 1
    signing: SigningSection = SigningSection()
    release: ReleaseSection = ReleaseSection()
    privacy: PrivacySection = PrivacySection()
    review: ReviewSection = ReviewSection()
    ledger: LedgerSection = LedgerSection()
    identity: IdentitySection = IdentitySection()
    trust: TrustSection = TrustSection()
