"""``python -m tests.support.capabilities``: tries every case and writes docs/capabilities.md."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.support.capabilities.outcome import NOT_MADE, outcome
from tests.support.capabilities.page import Row, write_page
from tests.support.capabilities.table import cases


def main(names: Iterable[str]) -> int:
    """Try all cases, or those that have one of *names* in theirs (then nothing is written)."""
    wanted = list(names)
    rows = []
    for case in cases():
        if wanted and not any(name in case.name for name in wanted):
            continue
        with tempfile.TemporaryDirectory() as folder:
            became, why = outcome(case, Path(folder))
        rows.append(Row(case, became, why))
        print(f"{became:<20} {case.name}: {why}", flush=True)
    made = [row for row in rows if row.became != NOT_MADE]
    print(f"{len(made)} of {len(rows)} cases were made")
    if not wanted:
        write_page(Path("docs/capabilities.md"), made)
    return 0


sys.exit(main(sys.argv[1:]))
