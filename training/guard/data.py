"""The training corpus: rows of public sources, read from the shared data folder and never copied.

Sources (names as in the rows): CoProV2 (MIT), OVERT (Apache-2.0, its training part), HateCheck and Multilingual
HateCheck (CC-BY-4.0), Surge AI toxicity (MIT), AILuminate demo prompts (Apache-2.0), CatQA (Apache-2.0),
AdvBench (MIT), COCO captions (CC-BY-4.0), PartiPrompts (Apache-2.0), T2I-CompBench (MIT), GenEval (MIT), FETV
(CC-BY-4.0), ChronoMagic (Apache-2.0). An outsider fetches them from their authors' repositories and writes one
JSON object per line: ``{id, text, label, category, source, licence, lang}``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

CATEGORIES = (
    "sexual", "violence_gore", "hate", "harassment", "self_harm", "illegal_activity", "weapons",
    "disturbing", "privacy", "copyright_ip", "deepfake_public_figure", "misinformation_political",
)  # fmt: skip

FOLDS: tuple[frozenset[str], ...] = (
    frozenset({"ailuminate_demo", "geneval", "t2i_compbench"}),
    frozenset({"overt_safe", "overt_unsafe", "chronomagic"}),
    frozenset({"hatecheck", "multi_hatecheck", "partiprompts"}),
    frozenset({"catqa", "advbench", "fetv"}),
    frozenset({"surge_toxicity", "coco_captions"}),
)
"""Whole sources held out together for model selection and calibration; CoProV2 is split by rows below."""


@dataclass(frozen=True)
class Row:
    """One text. ``unsafe`` and ``category`` as labelled; ``source`` says where it is from."""

    text: str
    unsafe: bool
    category: str
    source: str
    lang: str = "en"
    weight: float = 1.0

    def with_text(self, text: str, source: str) -> Row:
        """The same label on another text."""
        return replace(self, text=text, source=source)


def root() -> Path:
    """Folder of the corpus: ``$SAFEGEN_SHARED/data/guard``, by default beside the project."""
    shared = os.environ.get("SAFEGEN_SHARED")
    base = Path(shared) if shared else Path(__file__).resolve().parents[3] / "shared"
    return base / "data" / "guard"


def read(path: Path) -> list[Row]:
    """Rows of one JSON-lines file."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        r = json.loads(line)
        rows.append(Row(r["text"], r["label"] == "unsafe", r["category"], r["source"], r.get("lang", "en")))
    return rows


def train_rows() -> list[Row]:
    """The training corpus."""
    return read(root() / "train.jsonl")


def dev_rows(name: str) -> list[Row]:
    """One development set, to report on and never to train on."""
    return read(root() / "dev" / f"{name}.jsonl")


def fold_of(row: Row, index: int) -> int:
    """Which fold holds *row* out."""
    for i, sources in enumerate(FOLDS):
        if row.source in sources or row.source.split("+")[0] in sources:
            return i
    return (index // 40) % len(FOLDS)
