"""What a template file may contain, checked when it is read."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from safegen.errors import UsageError
from safegen.request.settings import interval
from safegen.request.sizes import STEP, resolve_size

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
MAX_VALUE = 200
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TemplateField(_Model):
    """A value that a row fills in.

    ``goes_into`` ``prompt``: what the clip shows. ``label``: a name, a date, whatever cannot be drawn; it is
    kept private, and published in the manifest's caption only when the user asks for it.
    """

    about: Text
    goes_into: Literal["prompt", "label"] = "prompt"
    values: tuple[Annotated[str, StringConstraints(min_length=1, max_length=MAX_VALUE)], ...] = ()
    max_length: Annotated[int, Field(ge=1, le=MAX_VALUE)] = 60
    default: str | None = None

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Self:
        if self.default is not None and self.values and self.default not in self.values:
            raise ValueError(f"the default {self.default!r} is not among the values")
        return self


class Variant(_Model):
    """A prompt for one kind of model, the model it was written for, and the settings of the clip.

    They are those of ``safegen.request.settings`` that a template may have, in the same ranges.
    """

    prompt: Text
    negative_prompt: Annotated[str, StringConstraints(max_length=2000)] = ""
    model: Text
    size: str | None = None
    aspect: str | None = None
    width: Annotated[int, interval("width")] | None = None
    height: Annotated[int, interval("height")] | None = None
    seconds: Annotated[float, interval("seconds")] | None = None
    fps: Annotated[int, interval("fps")] | None = None
    steps: Annotated[int, interval("steps")] | None = None
    guidance: Annotated[float, interval("guidance")] | None = None

    @field_validator("width", "height", "seconds", "fps", "steps", "guidance", mode="before")
    @classmethod
    def _no_switches(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("a number is wanted, not yes or no")
        return value

    @model_validator(mode="after")
    def _size_makes_sense(self) -> Self:
        try:
            resolve_size(
                size=self.size,
                aspect=self.aspect,
                width=self.width,
                height=self.height,
                natural=lambda: (STEP, STEP),
            )
        except UsageError as error:
            raise ValueError(f"{error} ({error.hint})") from error
        return self


class TemplateFile(_Model):
    """A template's file. ``small`` is for the embedded model and its small world, ``rich`` for real ones."""

    use: Literal["marketing", "education", "training", "entertainment", "personalised"]
    summary: Text
    purpose: Text
    title: Text
    caption: Annotated[str, StringConstraints(max_length=500)] = ""
    name_files_by: str | None = None
    fields: dict[str, TemplateField] = {}
    small: Variant
    rich: Variant | None = None

    @model_validator(mode="after")
    def _holes_and_fields_agree(self) -> Self:
        for name in self.fields:
            if not NAME.fullmatch(name):
                raise ValueError(f"a field's name must be lower-case letters, digits and _: {name!r}")
        shown = {n for n, f in self.fields.items() if f.goes_into == "prompt"}
        used: set[str] = set()
        for variant in filter(None, (self.small, self.rich)):
            used |= _placeholders(
                variant.prompt, shown, "a prompt can only use fields that go into the prompt"
            )
            _placeholders(variant.negative_prompt, set(), "a negative prompt cannot use fields")
        _placeholders(self.title, set(), "a title cannot use fields")
        used |= _placeholders(self.caption, set(self.fields), "a caption can only use fields of the template")
        if self.name_files_by is not None and self.name_files_by not in self.fields:
            raise ValueError(f"name_files_by: there is no field {self.name_files_by!r}")
        unused = sorted(set(self.fields) - used - {self.name_files_by})
        if unused:
            raise ValueError(f"the field {unused[0]!r} is not used")
        return self


def _placeholders(text: str, allowed: set[str], rule: str) -> set[str]:
    """Names of the fields in *text*. Raises ValueError for one that is not allowed, or a stray brace."""
    names = set(PLACEHOLDER.findall(text))
    if stray := re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        raise ValueError(f"a stray {stray.group()!r} in {text!r}; write a field as {{name}}")
    if wrong := sorted(names - allowed):
        raise ValueError(f"{{{wrong[0]}}} cannot be used here: {rule}")
    return names


class Template(TemplateFile):
    """A template with its name (that of its file) and the SHA-256 (hex) of the file."""

    name: str
    digest: str

    def variant(self, *, embedded: bool) -> Variant:
        """The prompt for an embedded model, or for a real one where there is one."""
        return self.small if embedded or self.rich is None else self.rich
