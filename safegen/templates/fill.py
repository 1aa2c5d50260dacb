"""Filling a template with the values of a row. Pure.

A value is put in as it is and never read again: braces, format codes and the like mean nothing in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches

from safegen.errors import UsageError
from safegen.templates.schema import Template, TemplateField

_PLACEHOLDER = re.compile(r"(?:\b(?P<article>[aA] ))?\{(?P<name>[a-z][a-z0-9_]{0,39})\}")
_REFUSED = {"Cc", "Cs", "Co", "Zl", "Zp"}
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def resolve_values(
    template: Template, row: Mapping[str, str], fixed: Mapping[str, str] = {}
) -> dict[str, str]:
    """A value for every field: the row's, else the *fixed* one, else the default; each one checked.

    Raises UsageError that names the field: nothing to put in, too long, not among the allowed values, or
    characters that do not belong into one line of text.
    """
    filled: dict[str, str] = {}
    for name, field in template.fields.items():
        defaults = row.get(name, "").strip() or fixed.get(name, "").strip() or field.default
        if not defaults:
            raise UsageError(f"{name}: no value, and the template has no default", hint=field.about)
        filled[name] = _check_value(name, defaults, field)
    return filled


def check_names(template: Template, given: Mapping[str, str]) -> None:
    """Raise UsageError for a name in *given* that is not a field of *template*."""
    for name in given:
        if name not in template.fields:
            near = get_close_matches(name, template.fields, n=1)
            raise UsageError(
                f"the template {template.name!r} has no field {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"fields: {', '.join(template.fields)}",
            )


def _check_value(name: str, given: str, field: TemplateField) -> str:
    """One value, normalised (NFC, inner spaces single). Raises UsageError."""
    if any(unicodedata.category(c) == "Cs" for c in given):
        raise UsageError(f"{name}: the text is not UTF-8", hint="save the table as UTF-8")
    if any(c in _BIDI or unicodedata.category(c) in _REFUSED for c in given):
        raise UsageError(f"{name}: line breaks and control characters are not allowed", hint=field.about)
    value = " ".join(unicodedata.normalize("NFC", given).split())
    if field.values:
        same = {v.casefold(): v for v in field.values}
        if value.casefold() in same:
            return same[value.casefold()]
        near = get_close_matches(value.casefold(), same, n=1)
        raise UsageError(
            f"{name}: {value[:40]!r} is not one of the allowed values",
            hint=f"did you mean {same[near[0]]!r}?" if near else f"allowed: {', '.join(field.values)}",
        )
    if len(value) > field.max_length:
        raise UsageError(f"{name}: {len(value)} characters; at most {field.max_length} are allowed")
    if "{" in value or "}" in value:
        raise UsageError(f"{name}: curly brackets are not allowed in a value")
    return value


def fill_placeholders(text: str, values: Mapping[str, str]) -> str:
    """*text* with its fields filled in, in one pass; "a" before a value that begins with a vowel is "an"."""

    def put(match: re.Match[str]) -> str:
        value = values[match["name"]]
        article = match["article"] or ""
        return (f"{article[0]}n " if article and value[:1].lower() in "aeiou" else article) + value

    return _PLACEHOLDER.sub(put, text)
