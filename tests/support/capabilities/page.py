"""docs/capabilities.md: written from the cases, and read again by the test that compares them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.capabilities.make import Case

_HEAD = """# What kinds of files `protect` takes

{count} small real files, each put through what `safegen protect` does with it up to the mark: it is
recognised, decoded in the sandbox, encoded, and joined with its other tracks. {sums}.

`python -m tests.support.capabilities` writes this page, and tests compare it with what happens.
[protect.md](protect.md) says what is kept, and why something is refused.

"""
_COLUMNS = ("container", "codec", "pixels", "sound", "beside", "outcome", "note or reason")


@dataclass(frozen=True)
class Row:
    """A case and what became of it."""

    case: Case
    became: str
    why: str

    def cells(self) -> tuple[str, ...]:
        """As the page shows it."""
        c = self.case
        return (c.container, c.video, c.pixels, c.sound, c.beside, self.became, self.why.replace("|", "/"))


def write_page(path: Path, rows: Sequence[Row]) -> None:
    """Write the page."""
    sums = ", ".join(f"{n} {what}" for what, n in Counter(r.became for r in rows).most_common())
    lines = [" | ".join(_COLUMNS), "|".join("---" for _ in _COLUMNS), *(" | ".join(r.cells()) for r in rows)]
    table = "\n".join("|" + (line if set(line) <= set("-|") else f" {line} ") + "|" for line in lines)
    path.write_text(_HEAD.format(count=len(rows), sums=sums) + table + "\n", encoding="utf-8")


def read_page(path: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    """(outcome, note) by the cells that say what the file is."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        if len(cells) == len(_COLUMNS) and cells[0] not in ("container", "---"):
            found[cells[:5]] = (cells[5], cells[6])
    return found
