"""The extractors a suite needs, prepared once; each attribute is checked before anything is generated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen import plugins
from safegen.audit.schema import UNKNOWN, Suite
from safegen.errors import CheckUnavailable, SafegenError

if TYPE_CHECKING:
    from safegen.protocols import AttributeExtractor
    from safegen.types import Attribute, Clip


@dataclass(frozen=True)
class Extractors:
    """Extractors by name, and which of them reads which attribute."""

    extractors: Mapping[str, AttributeExtractor]
    of: Mapping[str, str]

    def extract(self, clip: Clip, attributes: Sequence[str]) -> dict[str, dict[str, float]]:
        """Probabilities by class of the *attributes*. Raises CheckUnavailable for no usable answer."""
        found: dict[str, dict[str, float]] = {}
        for name in sorted({self.of[a] for a in attributes}):
            said = {a.name: a for a in self._run(name, clip)}
            for attribute in attributes:
                if self.of[attribute] == name:
                    found[attribute] = _checked(said.get(attribute), attribute, name)
        return found

    def _run(self, name: str, clip: Clip) -> Sequence[Attribute]:
        try:
            return self.extractors[name].run(clip)[0]
        except SafegenError:
            raise
        except Exception as error:
            raise CheckUnavailable(f"the extractor {name!r} failed: {error}") from error


def _checked(attribute: Attribute | None, name: str, extractor: str) -> dict[str, float]:
    if attribute is None:
        raise CheckUnavailable(
            f"the extractor {extractor!r} says nothing about {name!r}", hint="correct the suite"
        )
    values = dict(attribute.probabilities)
    if not values or not all(math.isfinite(p) and -1e-6 <= p <= 1 + 1e-6 for p in values.values()):
        raise CheckUnavailable(f"the extractor {extractor!r} returned no usable answer about {name!r}")
    values.setdefault(UNKNOWN, 0.0)
    return values


def load_extractors(suite: Suite) -> Extractors:
    """Load the extractors of *suite*. Raises UsageError for an unknown one, CheckUnavailable."""
    used = {a for g in suite.groups for a in g.attributes}
    of = {a: suite.attributes[a].extractor for a in sorted(used)}
    ready: dict[str, AttributeExtractor] = {}
    for name in suite.extractors:
        questions = {
            a: dict(aim.classes) if isinstance(aim.classes, dict) else {}
            for a, aim in suite.attributes.items()
            if a in used and aim.extractor == name
        }
        ready[name] = plugins.load_attribute_extractor(name).prepare(questions)
    return Extractors(ready, of)
