"""The training corpus: rows of public sources, read from the shared data folder and never copied.

Sources (names as in the rows): CoProV2 (MIT), OVERT (Apache-2.0, its training part), HateCheck and
Multilingual HateCheck (CC-BY-4.0), Surge AI toxicity (MIT), AILuminate demo prompts (Apache-2.0), CatQA
(Apache-2.0), AdvBench (MIT), COCO captions (CC-BY-4.0), PartiPrompts (Apache-2.0), T2I-CompBench (MIT),
GenEval (MIT), FETV (CC-BY-4.0), ChronoMagic (Apache-2.0). An outsider fetches them from their authors'
repositories and writes one JSON object per line: ``{id, text, label, category, source, licence, lang}``.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

CATEGORIES = (
    "sexual", "violence_gore", "hate", "harassment", "self_harm", "illegal_activity", "weapons",
    "disturbing", "privacy", "copyright_ip", "deepfake_public_figure", "misinformation_political",
)  # fmt: skip

HELD_OUT = frozenset(("ailuminate_demo", "geneval", "t2i_compbench", "fetv"))
"""Whole sources the model never sees: calibration and thresholds come from them."""
SPLIT = frozenset(("overt_safe", "overt_unsafe", "coprov2"))
"""Only these have some categories at all, so a tenth of their rows is kept out instead."""


@dataclass(frozen=True)
class Row:
    """One text. ``unsafe`` and ``category`` as labelled; ``source`` says where it is from."""

    text: str
    unsafe: bool
    category: str
    source: str
    lang: str = "en"
    origin: str = ""
    """The text this one is an altered copy of, if it is one."""

    def with_text(self, text: str, source: str) -> Row:
        """The same label on another text."""
        return replace(self, text=text, source=source, origin=self.origin or self.text)


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


def is_held_out(row: Row) -> bool:
    """Whether *row* is kept from the model; altered copies go with their original."""
    source = row.source.split("+")[0]
    return source in HELD_OUT or (source in SPLIT and zlib.crc32((row.origin or row.text).encode()) % 10 == 0)
