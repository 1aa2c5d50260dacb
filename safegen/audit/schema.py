"""What an audit suite may contain. Unknown keys are errors."""

from __future__ import annotations

import itertools
import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from safegen.request.settings import interval

OTHER = "other"
UNKNOWN = "unknown"
MAX_PROMPTS = 2000
_HOLE = re.compile(r"\{(\w+)\}")
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Prompt: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gate(_Strict):
    """When the gate fails: a total variation above ``limit``, shown at error rate ``error`` across all cells.

    It stays silent below the number of clips at which a distance of ``effect`` is found in 80 % of audits,
    and where more than ``max_unknown`` of the clips could not be read.
    """

    limit: float = Field(default=0.05, ge=0, lt=1)
    effect: float = Field(default=0.2, gt=0, lt=1)
    error: float = Field(default=0.05, gt=0, le=0.2)
    max_unknown: float = Field(default=0.2, ge=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Gate:
        if self.effect <= self.limit:
            raise ValueError("effect must be above limit")
        return self


class Aim(_Strict):
    """An attribute: the extractor that reads it, its classes, and the target shares.

    ``classes``: names, or names with the text that a zero-shot extractor compares pictures with. ``target``:
    ``uniform``, or a share for every class (they are scaled to 1). A target is a choice, not a truth: ``why``
    says whose.
    """

    extractor: Word = "world"
    classes: tuple[Word, ...] | dict[Word, Prompt] = Field(min_length=2)
    target: Literal["uniform"] | dict[Word, Annotated[float, Field(ge=0)]] = "uniform"
    why: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _complete(self) -> Aim:
        names = list(self.classes)
        if len(names) > 64 or len(set(names)) < len(names) or {OTHER, UNKNOWN} & set(names):
            raise ValueError("classes: at most 64 different names, none of them 'other' or 'unknown'")
        if isinstance(self.target, dict):
            if set(self.target) != set(names):
                raise ValueError("target: a share for every class, no other")
            if not sum(self.target.values()) > 0:
                raise ValueError("target: at least one share above 0")
        return self

    @property
    def shares(self) -> dict[str, float]:
        """The target as shares that sum to 1, by class."""
        if isinstance(self.target, str):
            return dict.fromkeys(self.classes, 1 / len(self.classes))
        total = sum(self.target.values())
        return {name: self.target[name] / total for name in self.classes}


class Group(_Strict):
    """Prompts that are judged together, and the attributes they leave open.

    ``prompts``, or a ``template`` with a value of ``fill`` in each hole, in every combination.
    """

    name: Word
    attributes: tuple[Word, ...] = Field(min_length=1)
    prompts: tuple[Prompt, ...] = ()
    template: Prompt | None = None
    fill: dict[str, tuple[Word, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _filled(self) -> Group:
        if bool(self.prompts) == (self.template is not None):
            raise ValueError(f"group {self.name!r}: either prompts, or a template with fill")
        holes = set(_HOLE.findall(self.template or ""))
        if holes != set(self.fill) or any(not v for v in self.fill.values()):
            raise ValueError(
                f"group {self.name!r}: fill must give values for each placeholder in the template"
            )
        if not 1 <= self.size <= MAX_PROMPTS:
            raise ValueError(f"group {self.name!r}: {self.size} prompts; at most {MAX_PROMPTS}")
        texts = [" ".join(p.casefold().split()) for p in self.texts]
        twice = next((t for i, t in enumerate(texts) if t in texts[:i]), None)
        if twice is not None:
            raise ValueError(f"group {self.name!r}: the prompt {twice!r} is listed twice")
        if not all(texts):
            raise ValueError(f"group {self.name!r}: an empty prompt")
        return self

    @property
    def size(self) -> int:
        """Number of prompts."""
        size = 1
        for values in self.fill.values():
            size *= len(values)
        return len(self.prompts) or size

    @property
    def texts(self) -> tuple[str, ...]:
        """The prompts, in order."""
        if self.template is None:
            return self.prompts
        return tuple(
            self._filled_in(dict(zip(self.fill, values, strict=True)))
            for values in itertools.product(*self.fill.values())
        )

    def _filled_in(self, values: dict[str, str]) -> str:
        return _HOLE.sub(lambda m: values[m[1]], self.template or "")


class Contrast(_Strict):
    """Two groups that should not differ in an attribute."""

    a: Word
    b: Word
    attribute: Word


class ClipSettings(_Strict):
    """The request's settings, for all prompts; left out: the model's own.

    An audit makes hundreds of clips and looks at each: its clips are at most 4096 pixels wide and high and a
    minute long, which is less than ``safegen.request.settings`` allows elsewhere.
    """

    width: Annotated[int, interval("width", most=4096)] | None = None
    height: Annotated[int, interval("height", most=4096)] | None = None
    seconds: Annotated[float, interval("seconds", most=60)] | None = None
    fps: Annotated[int, interval("fps")] | None = None
    steps: Annotated[int, interval("steps")] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _no_switches(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("a number is wanted, not yes or no")
        return value


class Suite(_Strict):
    """A suite: groups of prompts, attributes with their targets, contrasts, the gate's terms."""

    name: Word
    about: str = Field(min_length=1, max_length=4000)
    model: Word = "tiny"
    seeds: int = Field(default=10, ge=1, le=10_000)
    clip: ClipSettings = ClipSettings()
    attributes: dict[Word, Aim] = Field(min_length=1, max_length=32)
    groups: tuple[Group, ...] = Field(min_length=1, max_length=200)
    contrasts: tuple[Contrast, ...] = Field(default=(), max_length=200)
    gate: Gate = Gate()

    @field_validator("seeds", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("a whole number")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Suite:
        by_name = {g.name: g for g in self.groups}
        if len(by_name) < len(self.groups):
            raise ValueError("two groups have the same name")
        for group in self.groups:
            if missing := set(group.attributes) - set(self.attributes):
                raise ValueError(f"group {group.name!r}: the attribute {min(missing)!r} is not declared")
        for c in self.contrasts:
            if c.a == c.b or not {c.a, c.b} <= set(by_name):
                raise ValueError("a contrast names two different groups of this suite")
            if any(c.attribute not in by_name[g].attributes for g in (c.a, c.b)):
                raise ValueError(f"contrast of {c.a!r} and {c.b!r}: both groups must have {c.attribute!r}")
        return self

    @property
    def extractors(self) -> tuple[str, ...]:
        """Names of the extractors it needs, sorted."""
        used = {a for g in self.groups for a in g.attributes}
        return tuple(sorted({self.attributes[a].extractor for a in used}))
