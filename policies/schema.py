"""What a policy file may say. Unknown keys, unknown categories and thresholds out of range are refused."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from safegen.policies.frames import Frames
from safegen.types import Action, PromptAction

CATEGORIES: dict[str, str] = {
    "unsafe": "unsafe content overall",
    "minors_sexual": "sexual content involving minors",
    "sexual": "sexual content",
    "violence_gore": "graphic violence",
    "hate": "hate against a group of people",
    "harassment": "harassment or degradation of a person",
    "self_harm": "self-harm or suicide",
    "illegal_activity": "help with crime",
    "weapons": "making or misusing weapons",
    "extremism": "violent extremism",
    "disturbing": "disturbing imagery",
    "privacy": "private information about people",
    "copyright_ip": "protected characters, brands or works",
    "artist_style": "the style of a living artist",
    "deepfake_public_figure": "likeness of a real person",
    "misinformation_political": "political or election misinformation",
}
"""Every category a finding about a prompt can have, with words for a person. ``unsafe`` is the classifier's
overall one.
"""

Threshold: TypeAlias = Annotated[float, Field(gt=0.0, le=1.0)]
Mining: TypeAlias = Literal["allowed", "notAllowed", "constrained"]
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=False)


class Rule(BaseModel):
    """From which score on a category is held for a person or refused; ``None`` means never."""

    model_config = _STRICT
    review: Threshold | None = None
    block: Threshold | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Rule:
        if self.review is not None and self.block is not None and self.review > self.block:
            raise ValueError("review must not be above block")
        return self

    @property
    def lowest(self) -> float | None:
        """The score from which the prompt is not simply allowed."""
        limits = [t for t in (self.review, self.block) if t is not None]
        return min(limits) if limits else None

    def relative(self, score: float) -> float:
        """*score* on the scale of this rule, in [0, 1]: 0.5 at ``review``, 0.8 at ``block``; linear between.

        So 0.5 and more means "not simply allowed" and 0.8 and more "refused", whatever the thresholds.
        """
        knots = [(0.0, 0.0)]
        if self.review is not None and self.review != self.block:
            knots.append((self.review, 0.5))
        if self.block is not None:
            knots.append((self.block, 0.8))
        if knots[-1][0] < 1.0:
            knots.append((1.0, 1.0 if self.block is not None else 0.79))
        if len(knots) == 1 or self.lowest is None:
            return 0.0
        for (x0, y0), (x1, y1) in pairwise(knots):
            if score < x1:
                return y0 + (y1 - y0) * (score - x0) / (x1 - x0)
        return knots[-1][1]

    def action(self, score: float) -> Action:
        """What *score* in [0, 1] leads to."""
        if self.block is not None and score >= self.block:
            return Action.BLOCK
        return Action.REVIEW if self.review is not None and score >= self.review else Action.ALLOW


class Languages(BaseModel):
    """Languages (ISO 639-1) that the checks understand, and what happens to others."""

    model_config = _STRICT
    supported: tuple[str, ...] = ("en",)
    unsupported: Literal[Action.REVIEW, Action.BLOCK] = Action.REVIEW


class Checks(BaseModel):
    """Prompt detectors that must run, by plug-in name. One that cannot run lets nothing through."""

    model_config = _STRICT
    required: tuple[str, ...] = ("rules", "classifier")


class Guard(BaseModel):
    """A language model that gives a second opinion (``detectors/prompt/guards``).

    ``model``: a hub id or a folder; ``revision``: a commit of the hub; ``family``: needed when the model's
    name does not tell it. ``when``: for the prompts that would be held (``review``), or ``all``. ``clears``:
    a held prompt passes when only the classifier holds it and the guard's score in [0, 1] is below this;
    ``None``: never. ``timeout``: seconds for one batch of at most ``batch`` prompts.
    """

    model_config = _STRICT
    model: str = Field(min_length=1, max_length=500)
    revision: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._/-]{1,100}$")
    family: Literal["qwen3guard", "llama-guard"] | None = None
    when: Literal["review", "all"] = "review"
    clears: Annotated[float, Field(gt=0.0, le=0.5)] | None = None
    timeout: float = Field(default=60.0, gt=0.0, le=3600.0)
    batch: int = Field(default=8, ge=1, le=256)


class Encoder(BaseModel):
    """A sentence encoder with heads, beside the classifier (``detectors/prompt/encoder.py``).

    ``model``: a folder, or a hub id that was downloaded; ``revision``: a commit of the hub; ``heads``: the
    folder of heads for it, by default those that are shipped.
    """

    model_config = _STRICT
    model: str = Field(default="sentence-transformers/all-MiniLM-L6-v2", min_length=1, max_length=500)
    revision: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._/-]{1,100}$")
    heads: str | None = Field(default=None, min_length=1, max_length=500)


class NegativePrompt(BaseModel):
    """How the negative prompt (what is *not* wanted) is looked at.

    ``evasion``: only for attempts to remove clothes, censorship and the like. ``full``: like the prompt
    itself.
    """

    model_config = _STRICT
    screen: Literal["evasion", "full"] = "evasion"


class Inputs(BaseModel):
    """What happens to an input (a picture or video that a request builds on) by its Content Credentials.

    ``forbidden``: they do not allow generative use (a release of the own ledger is its maker's to use).
    ``broken``: a hash or signature in them does not match. ``remote``: they lie elsewhere, or
    cannot be checked here: nobody accuses the file of a change, and what they allow is unknown.
    ``people``: whether an input that may show a real person needs its uploader's attestation
    (docs/consent.md).
    """

    model_config = _STRICT
    forbidden: PromptAction = Action.BLOCK
    broken: PromptAction = Action.BLOCK
    remote: PromptAction = Action.REVIEW
    people: Literal["attest", "ignore"] = "attest"


class TrainingMining(BaseModel):
    """Values of the C2PA/CAWG training-and-data-mining assertion the manifest will carry."""

    model_config = _STRICT
    data_mining: Mining = "notAllowed"
    ai_training: Mining = "notAllowed"
    ai_generative_training: Mining = "notAllowed"
    ai_inference: Mining = "notAllowed"


class Generation(BaseModel):
    """Limits on requests, and what the manifest says about reuse. ``max_prompt_chars`` counts characters."""

    model_config = _STRICT
    max_prompt_chars: int = Field(default=2000, ge=1, le=100_000)
    training_mining: TrainingMining = TrainingMining()


class Example(BaseModel):
    """A prompt and what the policy must answer; ``safegen policy test`` runs them."""

    model_config = _STRICT
    prompt: str = Field(min_length=1)
    negative_prompt: str = ""
    expect: PromptAction
    category: str | None = None

    @field_validator("category")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in (*CATEGORIES, "language"):
            raise ValueError(f"unknown category {value!r}")
        return value


class Policy(BaseModel):
    """A resolved policy. ``digest`` is the SHA-256 (hex) of its canonical content, examples left out."""

    model_config = _STRICT
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    version: int = Field(default=1, ge=1)
    description: str = ""
    extends: str | None = None
    categories: dict[str, Rule]
    languages: Languages = Languages()
    checks: Checks = Checks()
    encoder: Encoder | None = None
    guard: Guard | None = None
    lists: tuple[str, ...] = ()
    """Names of the rule lists in force; empty means all that are shipped."""
    negative_prompt: NegativePrompt = NegativePrompt()
    frames: Frames = Frames()
    inputs: Inputs = Inputs()
    attributes: tuple[str, ...] = ()
    generation: Generation = Generation()
    examples: tuple[Example, ...] = ()

    @field_validator("categories", mode="before")
    @classmethod
    def _shorthand(cls, value: object) -> object:
        """``disturbing: allow`` is short for a rule without thresholds."""
        if isinstance(value, dict):
            return {k: {} if v in ("allow", None) else v for k, v in value.items()}
        return value

    @field_validator("categories")
    @classmethod
    def _known(cls, value: dict[str, Rule]) -> dict[str, Rule]:
        unknown = sorted(set(value) - set(CATEGORIES))
        if unknown:
            raise ValueError(f"unknown category {unknown[0]!r}; known: {', '.join(CATEGORIES)}")
        return value

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the resolved content as canonical JSON (sorted keys, no spaces, UTF-8)."""
        absent = {key for key in ("guard", "encoder") if getattr(self, key) is None}
        left_out = {"examples", "extends", "description"} | absent
        content = self.model_dump(mode="json", exclude=left_out)
        if not self.frames.look_for:  # what is not there changes no digest
            del content["frames"]["look_for"]
        data = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(data.encode("utf-8")).hexdigest()

    @property
    def frames_required(self) -> tuple[str, ...]:
        """Frame detectors that must run."""
        return self.frames.required

    @property
    def training_mining(self) -> dict[str, Mining]:
        """Training-and-data-mining values by their snake-case key (``data_mining``, ``ai_training``...)."""
        return self.generation.training_mining.model_dump()

    @property
    def max_prompt_chars(self) -> int:
        """Longest prompt accepted, in characters."""
        return self.generation.max_prompt_chars

    def rule(self, category: str) -> Rule:
        """The rule of *category*; a category the policy does not mention is never acted on."""
        return self.categories.get(category, Rule())
