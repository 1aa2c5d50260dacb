"""IPTC's digital source types: what a picture is, in one word that other tools read.

https://cv.iptc.org/newscodes/digitalsourcetype/; C2PA 2.4 takes the whole address (section 18.15).
"""

from __future__ import annotations

from collections.abc import Mapping

from safegen.errors import UsageError
from safegen.types import Json

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
NAMES = (
    "digitalCapture",
    "computationalCapture",
    "negativeFilm",
    "positiveFilm",
    "print",
    "screenCapture",
    "virtualRecording",
    "compositeCapture",
    "humanEdits",
    "minorHumanEdits",
    "algorithmicallyEnhanced",
    "composite",
    "compositeSynthetic",
    "compositeWithTrainedAlgorithmicMedia",
    "trainedAlgorithmicMedia",
    "algorithmicMedia",
    "dataDrivenMedia",
    "digitalArt",
    "digitalCreation",
)
STATED_BY = "org.safegen.sourceTypeStatedBy"
"""Parameter of an action whose source type is what the owner says, not what its software saw or did."""


def source_type_address(text: str) -> str:
    """The address of the source type *text* (a name, or its address). Raises UsageError for any other."""
    name = text.removeprefix(IPTC).removeprefix(IPTC.replace("http:", "https:"))
    if name in NAMES:
        return IPTC + name
    raise UsageError(
        f"{text!r:.80} is no digital source type of the IPTC", hint=f"choose one of {', '.join(NAMES)}"
    )


def short_name(address: str | None) -> str:
    """The last part of an address; "" for None."""
    return (address or "").rstrip("/").rpartition("/")[2]


def is_owners_word(action: Mapping[str, object]) -> bool:
    """Whether the source type of *action* (c2pa's JSON) is only what the owner says."""
    parameters = action.get("parameters")
    return isinstance(parameters, dict) and STATED_BY in parameters


def owners_word(action: Json, address: str) -> Json:
    """*action* with the owner's statement about the source type."""
    parameters = {**action.get("parameters", {}), STATED_BY: "owner"}
    return {**action, "digitalSourceType": address, "parameters": parameters}
