"""The encoder tier: what a sentence encoder thinks, taken together with what the classifier thinks."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from safegen.detectors.prompt import encoder
from safegen.detectors.prompt.classifier import FLOOR
from safegen.errors import CheckUnavailable, SafegenError
from safegen.policies.schema import Encoder
from safegen.types import CheckRun, Finding


def encoder_findings(wanted: Encoder, texts: Sequence[str]) -> list[tuple[Sequence[Finding], CheckRun]]:
    """What the encoder *wanted* by the policy finds in each of *texts*.

    Raises CheckUnavailable when the encoder or its heads are not there, do not belong together, or fail.
    """
    try:
        return encoder.load(wanted.model, wanted.revision, wanted.heads).run_many(texts)
    except SafegenError:
        raise
    except Exception as error:
        raise CheckUnavailable(
            f"the sentence encoder failed: {type(error).__name__}",
            hint="nothing was let through; report this",
        ) from error


def pool_opinions(
    findings: Sequence[Finding], found: Sequence[Finding], rating: Collection[str]
) -> list[Finding]:
    """*findings* with the probabilities of a *rating* detector pooled with those of *found* (the encoder's).

    *rating*: names of the detectors that rate prompts as a whole (the classifier); of several, the first
    one's are pooled. Per category the mean of both log odds (a logarithmic opinion pool of equal weights);
    what one of them does not report counts as half the smallest probability that is reported. Without
    findings of such a detector the encoder's stand alone.
    """
    first = next((f.detector for f in findings if f.detector in rating), None)
    if first is None:
        return [*findings, *found]
    ours = {f.category: f for f in findings if f.detector == first}
    theirs = {f.category: f for f in found}
    rest = [f for f in findings if f.detector != first]
    both = []
    for category in dict.fromkeys((*ours, *theirs)):
        mine, other = ours.get(category), theirs.get(category)
        p = _mean_log_odds(mine.score if mine else FLOOR / 2, other.score if other else FLOOR / 2)
        shown = mine or other
        if shown is not None and not p < FLOOR:  # what is no number is kept: the decision stops at it
            reason = f"reads like {category.replace('_', ' ')} to {first} and encoder ({p:.0%})"
            both.append(replace(shown, score=p, reason=reason))
    return [*rest, *sorted(both, key=lambda f: -f.score)]


def _mean_log_odds(p: float, q: float) -> float:
    """The probability whose log odds are the mean of those of *p* and *q*."""
    if not (math.isfinite(p) and math.isfinite(q)):
        return math.nan
    odds = [math.log(x / (1 - x)) for x in (min(max(v, 1e-6), 1 - 1e-6) for v in (p, q))]
    return 1 / (1 + math.exp(-sum(odds) / 2))
