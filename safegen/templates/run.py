"""One signed clip for every row of a table. A failed row does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import Interrupted, UsageError
from safegen.protocols import NoProgress, Progress
from safegen.templates.batch import TemplateRun
from safegen.templates.csv_table import Record, Table
from safegen.templates.fill import check_names
from safegen.templates.loading import load
from safegen.templates.request import Options
from safegen.templates.results import MAX_KEPT, Row, RunReport, open_journal

if TYPE_CHECKING:
    from safegen.keys.passphrase import Passphrase
    from safegen.protocols import Signer
    from safegen.templates.schema import Template

PathLike = str | Path


def _ignore(_: Row) -> None:
    """The default of ``on_row``."""


def run(
    template: str,
    output: PathLike,
    *,
    csv: PathLike | None = None,
    values: Mapping[str, str] | None = None,
    options: Options | None = None,
    folder: PathLike | None = None,
    dry_run: bool = False,
    resume: bool = False,
    workspace: PathLike | None = None,
    passphrase: Passphrase = None,
    signer: Signer | None = None,
    progress: Progress = NoProgress(),
    on_row: Callable[[Row], None] = _ignore,
) -> RunReport:
    """Make a clip from *template* for every row of the table *csv*, into the folder *output*.

    *template* is a name or a file, *folder* holds templates of your own. *values* fill what a row leaves
    empty; without *csv* they are the only row. The outcome of each row is written to ``results.csv`` and
    passed to *on_row* as the run goes; with *resume*, finished rows are skipped. *dry_run* checks and screens
    every row without making anything.

    Raises UsageError for problems that affect every row (no such template, no header, a missing column),
    CheckUnavailable, KeyUnavailable, LedgerError, MissingExtra; Interrupted on Ctrl-C, in which case finished
    rows are kept.
    """
    chosen = load(template, None if folder is None else Path(folder))
    fixed = dict(values or {})
    check_names(chosen, fixed)
    target = Path(output)
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file", hint="give a folder for the clips")
    with ExitStack() as stack:
        table = stack.enter_context(Table(Path(csv))) if csv is not None else None
        notes = _check_columns(chosen, table.columns, fixed) if table is not None else ()
        records = table.records() if table is not None else iter([Record(1, 1)])
        batch = TemplateRun(chosen, target, fixed, options or Options(), progress)
        if dry_run:
            return _run_rows(chosen, map(batch.preview_row, records), notes, None, progress, on_row)
        journal = stack.enter_context(open_journal(target, run=batch.run_key, resume=resume))
        batch.open(stack, journal, workspace=workspace, passphrase=passphrase, signer=signer)
        return _run_rows(chosen, map(batch.process_row, records), notes, journal.path, progress, on_row)


def _run_rows(
    template: Template,
    rows: Iterator[Row | None],
    notes: tuple[str, ...],
    results: Path | None,
    progress: Progress,
    on_row: Callable[[Row], None],
) -> RunReport:
    """Go through the rows (None: finished earlier) and add up."""
    done = skipped = failed = 0
    failures: list[Row] = []
    progress.stage("rows")
    try:
        for row in rows:
            if row is None:
                skipped += 1
            elif row.status in {"done", "would do"}:
                done += 1
                on_row(row)
            else:
                failed += 1
                failures += [row] if len(failures) < MAX_KEPT else []
                on_row(row)
            progress.advance()
    except (KeyboardInterrupt, Interrupted) as error:
        raise Interrupted(
            f"stopped after {done + skipped} finished and {failed} failed rows; nothing half-made is left",
            hint="run the same command with --resume to continue" if results else "",
        ) from error
    total = done + skipped + failed
    if not total:
        raise UsageError(
            "the table has no rows", hint="name the columns in the first line and add rows below"
        )
    return RunReport(
        template.name, total, done, skipped, failed, results, tuple(failures), notes, results is None
    )


def _check_columns(template: Template, columns: list[str], fixed: Mapping[str, str]) -> tuple[str, ...]:
    """Notes on columns that are not used. Raises UsageError when a needed one is missing everywhere."""
    from difflib import get_close_matches

    lacking = [n for n, f in template.fields.items() if f.default is None and not fixed.get(n)]
    missing = [name for name in lacking if name not in columns]
    if missing:
        raise UsageError(
            f"the table has no column {missing[0]!r}",
            hint=f"{template.fields[missing[0]].about}; one value for all rows: --set {missing[0]}=VALUE",
        )
    notes = []
    for column in columns:
        if column and column not in template.fields:
            near = get_close_matches(column, template.fields, n=1)
            notes.append(f"column not used: {column}" + (f" (did you mean {near[0]}?)" if near else ""))
    return tuple(notes)
