"""Vocabulary of the templates, read from ``words.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_DATA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text(encoding="utf-8"))

COLOURS: list[str] = _DATA["colours"]
SHAPES: list[str] = _DATA["shapes"]
WORLD_GROUNDS: list[str] = _DATA["world_grounds"]
PEOPLE: list[str] = _DATA["people"]
ANIMALS: list[str] = _DATA["animals"]
OBJECTS: list[str] = _DATA["objects"]
YOUNG = frozenset(_DATA["young"])
"""People who get the harmless actions and places only."""
YOUNG_ACTIONS: list[str] = _DATA["young_actions"]
YOUNG_PLACES: list[str] = _DATA["young_places"]
ACTIONS: list[str] = _DATA["actions"]
MOTIONS: list[str] = _DATA["motions"]
PLACES: list[str] = _DATA["places"]
CAMERA: list[str] = _DATA["camera"]
LIGHT: list[str] = _DATA["light"]
STYLES: list[str] = _DATA["styles"]
QUALITY: list[str] = _DATA["quality"]
INSTRUCTIONS: list[str] = _DATA["instructions"]
TASKS: list[str] = _DATA["tasks"]
TOPICS: list[str] = _DATA["topics"]
HARMLESS_HARM: list[str] = _DATA["harmless_harm"]
_SHORT: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parent / "things.yaml").read_text(encoding="utf-8")
)
THINGS, DOES, PATTERNS = _SHORT["things"], _SHORT["does"], _SHORT["patterns"]
SENTENCES: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parent / "sentences.yaml").read_text(encoding="utf-8")
)
"""Parts of whole sentences: who, what they are doing, where; and how things act on each other."""
FOREIGN: dict[str, list[list[str]]] = _DATA["foreign"]
"""Per language, parts of a sentence in order, each with its alternatives."""
