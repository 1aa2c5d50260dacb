"""What the maker of an input allows to be done with it (CAWG training and data mining; C2PA 1.x before)."""

from __future__ import annotations

from safegen.types import Json

LABELS = ("cawg.training-mining", "c2pa.training-mining")
GENERATIVE = ("ai_generative_training", "ai_inference")


def disallowed_generative_uses(manifest: Json) -> tuple[str, ...]:
    """The entries of *manifest* (c2pa's JSON) that do not allow generative use of the file.

    Entries that say ``notAllowed``, and ``constrained`` ones (allowed under terms that a program
    cannot check). Empty: nothing is said against it. What follows is for the policy to decide.
    """
    found: list[str] = []
    assertions = manifest.get("assertions")
    for assertion in assertions if isinstance(assertions, list) else []:
        label = str(assertion.get("label", "")).split("__")[0] if isinstance(assertion, dict) else ""
        data = assertion.get("data") if label in LABELS else None
        entries = data.get("entries") if isinstance(data, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            use = entry.get("use") if isinstance(entry, dict) else None
            if str(name).split(".")[-1] in GENERATIVE and use in ("notAllowed", "constrained"):
                found.append(f"{name}={use}")
    return tuple(found)
