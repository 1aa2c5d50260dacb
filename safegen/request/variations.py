"""Variations: the same request with other seeds, each clip screened, recorded and released by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.hashing import sha256_of
from safegen.errors import GenerationFailed, MarkingFailed, MissingExtra, SafegenError, UsageError
from safegen.types import Json, Release, Request

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader

MAX_VARIATIONS = 100
SCHEMA = "safegen.variations/1"


@dataclass(frozen=True)
class Variation:
    """The outcome of one variation: its number (from 1) and seed, and a release, a kept file or an error."""

    number: int
    seed: int
    release: Release | None = None
    kept: Path | None = None
    error: SafegenError | None = None


def derive_seeds(seed: int, count: int) -> tuple[int, ...]:
    """*count* seeds: *seed* itself, then 31 bits of SHA-256 over it and the number."""
    return (seed, *(_derived(seed, number) for number in range(2, count + 1)))


def _derived(seed: int, number: int) -> int:
    digest = hashlib.sha256(f"safegen variation {number} of {seed}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def output_paths(output: Path | None, count: int) -> tuple[Path | None, ...]:
    """The files' names: ``clip-1.mp4`` and so on for ``clip.mp4``, as many digits as the last one has."""
    if output is None:
        return (None,) * count
    digits = len(str(count))
    return tuple(output.with_stem(f"{output.stem}-{n:0{digits}}") for n in range(1, count + 1))


def generate_variations(
    request: Request,
    output: Path | None,
    count: int,
    *,
    produce: Callable[[Request, Path | None], Release],
    ledger: LedgerReader | None = None,
) -> Iterator[Variation]:
    """Make *count* variations one after the other with *produce*.

    With *ledger*, an existing file that is its release with the same seed is kept (resuming). A clip that
    fails in generating, in the frames gate or in marking does not stop the others; anything else (a refusal,
    a key, a full disk) would affect the next one too and is raised. Raises UsageError for a *count* out of
    range.
    """
    if not 1 <= count <= MAX_VARIATIONS:
        raise UsageError(f"{count} variations", hint=f"use 1 to {MAX_VARIATIONS} at a time")
    places = output_paths(output, count)
    for number, (seed, place) in enumerate(zip(derive_seeds(request.seed, count), places, strict=True), 1):
        if ledger is not None and place is not None and place.exists():
            yield _resume_existing(number, seed, place, ledger)
            continue
        try:
            yield Variation(number, seed, release=produce(replace(request, seed=seed), place))
        except MissingExtra:
            raise
        except (GenerationFailed, MarkingFailed) as error:
            yield Variation(number, seed, error=error)


def _resume_existing(number: int, seed: int, place: Path, ledger: LedgerReader) -> Variation:
    """A file that is there already: kept where it is the release it would become, else an error."""
    found = ledger.find_releases(sha256=sha256_of(place))
    settings = (ledger.private(found[0].index) or {}).get("settings", {}) if found else {}
    if settings.get("seed") == seed:
        return Variation(number, seed, kept=place)
    error = UsageError(
        f"{place} exists and is not variation {number} of this seed",
        hint="move it away, or give another name",
    )
    return Variation(number, seed, error=error)


def failed_variations(items: list[Variation]) -> list[Variation]:
    """The variations that did not become a file."""
    return [item for item in items if item.error is not None]


def variation_json(item: Variation, release: Callable[[Release], Json]) -> Json:
    """A variation as JSON values; *release* turns a release into them."""
    shown: Json = {"number": item.number, "seed": item.seed}
    if item.release is not None:
        shown["released"] = release(item.release)
    if item.kept is not None:
        shown["kept"] = str(item.kept)
    if item.error is not None:
        shown["error"] = {
            "kind": type(item.error).__name__,
            "message": str(item.error),
            "hint": item.error.hint,
            "exit_code": item.error.exit_code,
        }
    return shown
