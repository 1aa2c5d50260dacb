"""Lists of people, characters, brands and dangerous things, with context rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from safegen._util.resources import data_path
from safegen.detectors.prompt import _lexicon
from safegen.detectors.prompt._lexicon import Entry, Hits, Lexicon
from safegen.detectors.prompt._tokens import tokens
from safegen.detectors.prompt.normalise import View
from safegen.detectors.prompt.views import views
from safegen.protocols import PromptDetector
from safegen.types import CheckRun, Finding, Span

VERSION = "1"
_NEGATIONS = frozenset(("no", "without", "non"))
LISTS = data_path("policies", "lists")


class Rules:
    """The rule lists *names* (all shipped ones if empty) as a prompt detector.

    ``scope`` is ``prompt``, or ``negative`` for the lists about negative prompts.
    """

    name = "rules"
    rates_whole_prompt = False

    def __init__(
        self, names: Sequence[str] = (), *, folder: Path | None = None, scope: str = "prompt"
    ) -> None:
        self._names = tuple(names)
        self._folder = folder
        self._scope = scope

    def run(self, text: str) -> tuple[Sequence[Finding], CheckRun]:
        """Examine every view of *text*; spans point into *text*. Raises CheckUnavailable when a list is
        missing.
        """
        lexicon = self.lexicon()
        findings = match_views(lexicon, text, views(text))
        score = max((f.score for f in findings), default=0.0)
        return findings, CheckRun(self.name, VERSION, lexicon.digest, score)

    def run_many(self, texts: Sequence[str]) -> list[tuple[Sequence[Finding], CheckRun]]:
        """``run`` for every one of *texts*, in order."""
        return [self.run(text) for text in texts]

    def with_lists(self, lists: Sequence[str]) -> Rules:
        """The detector with the lists of these names; all shipped ones if there are none."""
        return Rules(lists, folder=self._folder, scope=self._scope)

    def lexicon(self) -> Lexicon:
        """The compiled lists (cached until a file changes)."""
        return _lexicon.load(self._folder or LISTS, self._names, scope=self._scope)


def create() -> PromptDetector:
    """The plug-in with every shipped list."""
    return Rules()


def match_views(lexicon: Lexicon, text: str, text_views: Iterable[View]) -> list[Finding]:
    """Findings over all views, one per category and place, strongest first."""
    best: dict[tuple[str, Span], Finding] = {}
    for view in text_views:
        for finding in _in_view(lexicon, text, view):
            assert finding.span is not None
            key = (finding.category, finding.span)
            if key not in best or best[key].score < finding.score:
                best[key] = finding
    kept: list[Finding] = []
    for finding in sorted(best.values(), key=lambda f: (-f.score, -_length(f), f.span or (0, 0))):
        if not any(_inside(finding, other) for other in kept):
            kept.append(finding)
    return kept


def _length(finding: Finding) -> int:
    return finding.span[1] - finding.span[0] if finding.span else 0


def _inside(finding: Finding, other: Finding) -> bool:
    """Whether *other* says the same about a stretch of text that contains this one's."""
    if finding.category != other.category or finding.span is None or other.span is None:
        return False
    return other.span[0] <= finding.span[0] and finding.span[1] <= other.span[1]


def _in_view(lexicon: Lexicon, text: str, view: View) -> Iterable[Finding]:
    words = tokens(view.text)
    hits = _unnegated(lexicon.hits(words), [w.stem for w in words])
    for phrase, places in hits.items():
        for entry in lexicon.by_term.get(phrase, ()):
            for first, after in places:
                score = _score(entry, hits, first, after)
                if score <= 0:
                    continue
                span = view.span(words[first].start, words[after - 1].end)
                shown = text[slice(*span)]
                reason = entry.reason.format(term=entry.terms[phrase])
                how = "" if view.name == "plain" else f" (written in disguise: {view.name})"
                yield Finding(entry.category, score, "rules", reason + how, span, shown)


def _unnegated(hits: Hits, stems: list[str]) -> Hits:
    """Without single words right after "no" or "without": "no nudity" asks for its absence."""
    out: Hits = {}
    for phrase, places in hits.items():
        kept = [(a, b) for a, b in places if not (a and stems[a - 1] in _NEGATIONS)]
        if kept:
            out[phrase] = kept
    return out


def _score(entry: Entry, hits: Hits, first: int, after: int) -> float:
    """What a match counts after the entry's context rules; 0 when they say it is fine."""
    if entry.needs and not _near(entry.needs, hits, first, after, entry.near):
        return 0.0
    if entry.unless and _near(entry.unless, hits, first, after, entry.near, touching=True):
        return 0.0
    if entry.worse and any(p in hits for p in entry.worse):
        return max(entry.score, entry.worse_score)
    return entry.score


def _near(
    phrases: frozenset[tuple[str, ...]],
    hits: Hits,
    first: int,
    after: int,
    near: int,
    *,
    touching: bool = False,
) -> bool:
    """Whether one of *phrases* stands within *near* words of the match (0: anywhere).

    A phrase that overlaps the match counts only when *touching* ("bath bomb" excuses "bomb").
    """
    for phrase in phrases.intersection(hits):
        for start, end in hits[phrase]:
            overlap = start < after and first < end
            if overlap and not touching:
                continue
            if not near or overlap or (end >= first - near and start <= after + near):
                return True
    return False
