"""Language models trained to say whether a prompt is safe: a second opinion that a policy can ask for.

``_families`` knows each family's prompt and answer, ``_engine`` runs a checkpoint through transformers,
``_files`` finds its weights. Nothing is downloaded here. An answer that cannot be read, a timeout or a broken
checkpoint raises CheckUnavailable: a guard that says nothing lets nothing through.
"""

from __future__ import annotations

from safegen.detectors.prompt.guards._families import FAMILIES, Answer, Family, family_of
from safegen.detectors.prompt.guards._guard import Guard, load

__all__ = ["FAMILIES", "Answer", "Family", "Guard", "family_of", "load"]
