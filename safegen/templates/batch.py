"""Rows through the pipeline, one after the other: workspace and model are opened once for all."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.logs import logger
from safegen.errors import (
    CheckUnavailable,
    HeldForReview,
    Interrupted,
    KeyUnavailable,
    LedgerError,
    MissingExtra,
    RefusedByPolicy,
    RefusedByServer,
    SafegenError,
    UsageError,
    WorkspaceError,
)
from safegen.protocols import NoProgress, Progress
from safegen.templates.file_names import FileNames, slug
from safegen.templates.fill import resolve_values
from safegen.templates.request import (
    Options,
    build_annotations,
    build_request,
    content_key,
    screen_caption,
)
from safegen.templates.results import Journal, Row, Status

if TYPE_CHECKING:
    from safegen.keys.passphrase import Passphrase
    from safegen.protocols import Generator, Signer
    from safegen.templates.csv_table import Record
    from safegen.templates.schema import Template
    from safegen.types import Request
    from safegen.workspace.session import Session

_log = logger(__name__)

RUN_ERRORS = (CheckUnavailable, KeyUnavailable, LedgerError, WorkspaceError, MissingExtra, Interrupted)
"""What would stop every other row, too."""
MAX_FAILURES_IN_A_ROW = 10
"""So many failures of generator or release one after the other stop the run."""


class TemplateRun:
    """A run of one template. ``preview_row`` and ``process_row`` take rows, the latter after ``open``."""

    def __init__(
        self, template: Template, folder: Path, fixed: Mapping[str, str], options: Options, progress: Progress
    ) -> None:
        """Find the model and choose the prompt that suits it. Raises UsageError."""
        from safegen.generators.registry import embedded_names
        from safegen.generators.remote.origins import confirm
        from safegen.pipeline.produce import find_generator
        from safegen.policies import load

        options.check()
        confirm(options.model)  # the template's own model is only a file's word
        self.template, self.folder, self.fixed, self.options = template, folder, fixed, options
        self.model = options.model or template.small.model
        self.variant = template.variant(embedded=self.model in embedded_names())
        self.generator: Generator = find_generator(self.model)
        self.policy = load(options.policy)
        self._progress = progress
        self._names = FileNames(folder)
        self._row_counts: Counter[str] = Counter()
        self._failures_in_a_row = 0
        self._orphans: set[str] = set()
        self._journal: Journal | None = None
        self._session: Session | None = None

    @property
    def run_key(self) -> str:
        """Names what is run: another template, model or option is another run."""
        same = [self.template.digest, self.model, dict(sorted(self.fixed.items())), self.options.for_key()]
        return content_key(same)

    def open(
        self,
        stack: ExitStack,
        journal: Journal,
        *,
        workspace: str | Path | None,
        passphrase: Passphrase,
        signer: Signer | None,
    ) -> None:
        """Open the workspace for all rows; *stack* closes it. Raises as ``open_session`` does."""
        from safegen.workspace.config import find_workspace
        from safegen.workspace.session import open_session

        self._journal = journal
        self._orphans = {p.name for p in self.folder.glob("*.mp4")} - set(journal.done.values())
        quiet = _Quiet(self._progress)
        session = open_session(
            find_workspace(workspace), passphrase=passphrase, signer=signer, progress=quiet
        )
        self._session = stack.enter_context(session)

    def preview_row(self, record: Record) -> Row:
        """What ``process_row`` would do with a row: filled in, screened, nothing made or recorded.

        Raises CheckUnavailable: that concerns every row.
        """
        from safegen.pipeline.authorize import raise_for_decision
        from safegen.request.validate import check_request
        from safegen.screening import screen
        from safegen.types import Allowed

        try:
            values = self._values(record)
            request = self._request(values, seed=0)
            decision = screen(request, policy=self.policy)
            if not isinstance(decision, Allowed):
                raise_for_decision(decision)
            screen_caption(self.template, values, self.options, self.policy)
            notes = check_request(request, self.generator).notes
        except RUN_ERRORS:
            raise
        except SafegenError as error:
            return _failed_row(record, error, "")
        return Row(record.number, record.line, "would do", notes=notes, prompt=request.prompt)

    def process_row(self, record: Record) -> Row | None:
        """Make, sign and release the clip of a row; None when an earlier run did.

        Raises what concerns every row, after the row's result was written.
        """
        assert self._journal is not None
        _log.info("row %(row)d", {"row": record.number})
        key = ""
        try:
            values = self._values(record)
            key = self._row_key(values)
            if self._finished(key):
                return None
            row = self._find_released(record, key, values) or self._release_row(record, key, values)
            self._failures_in_a_row = 0
        except SafegenError as error:
            row = _failed_row(record, error, key)
            self._failures_in_a_row = self._failures_in_a_row + 1 if error.exit_code in {5, 6} else 0
            self._journal.write(row)
            if isinstance(error, RUN_ERRORS) or self._failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
                raise
            return row
        self._journal.write(row)
        return row

    def _values(self, record: Record) -> dict[str, str]:
        if record.error:
            raise UsageError(record.error)
        return resolve_values(self.template, record.values, self.fixed)

    def _request(self, values: Mapping[str, str], seed: int) -> Request:
        return build_request(
            self.variant,
            values,
            self.options,
            model=self.model,
            seed=seed,
            outlook=self.generator.outlook,
        )

    def _row_key(self, values: Mapping[str, str]) -> str:
        """Names a row by what it says, and by how often that was said before: rows may be moved."""
        content = content_key(dict(values))
        self._row_counts[content] += 1
        return f"{content}-{self._row_counts[content]}"

    def _finished(self, key: str) -> bool:
        """Whether an earlier run finished the row, and its clip is still there."""
        assert self._journal is not None
        name = self._journal.done.get(key)
        return name is not None and (self.folder / name).is_file()

    def _stem(self, record: Record, values: Mapping[str, str]) -> str:
        field = self.template.name_files_by
        return slug(values[field]) if field else f"row-{record.number:06d}"

    def _find_released(self, record: Record, key: str, values: Mapping[str, str]) -> Row | None:
        """The clip of this very row, released just before a run was killed and not in its results yet."""
        from safegen._util.hashing import file_sha256

        assert self._session is not None
        ledger, stem = self._session.ledger, self._stem(record, values)
        for name in sorted(n for n in self._orphans if n.startswith(stem)):
            for release in ledger.find_releases(sha256=file_sha256(self.folder / name)):
                private = ledger.private(release.index) or {}
                if private.get("label", {}).get("row") == f"{self.run_key} {key}":
                    self._orphans.discard(name)
                    seed = private.get("request", {}).get("seed")
                    return _done_row(record, key, name, release.content_id, seed)
        return None

    def _release_row(self, record: Record, key: str, values: Mapping[str, str]) -> Row:
        """Through the pipeline."""
        from safegen.media.encode import Encoding
        from safegen.pipeline.context import ReleaseSettings
        from safegen.pipeline.produce import produce

        assert self._session is not None
        options = self.options
        seed = secrets.randbits(31) if options.seed is None else options.seed
        screen_caption(self.template, values, options, self.policy)
        annotations = build_annotations(self.template, values, options, f"{self.run_key} {key}")
        name = self._names.allocate(self._stem(record, values))
        release = produce(
            self._request(values, seed),
            self.folder / name,
            session=self._session,
            settings=ReleaseSettings(options.watermark, Encoding(crf=options.crf)),
            generator=self.generator,
            annotations=annotations,
        )
        return _done_row(record, key, name, release.content_id, seed, notes=release.warnings)


def _done_row(
    record: Record, key: str, name: str, content_id: int, seed: int | None, notes: tuple[str, ...] = ()
) -> Row:
    """A finished row."""
    return Row(record.number, record.line, "done", name, f"{content_id:016x}", seed, key=key, notes=notes)


def _failed_row(record: Record, error: SafegenError, key: str) -> Row:
    """A row that did not become a clip."""
    status: Status = "failed"
    if isinstance(error, RefusedByPolicy | RefusedByServer):
        status = "refused"
    elif isinstance(error, HeldForReview):
        status = "held"
    return Row(record.number, record.line, status, error=str(error), hint=error.hint, key=key)


class _Quiet(NoProgress):
    """Only the question whether to stop goes through: a thousand rows need no stages."""

    def __init__(self, outer: Progress) -> None:
        self._outer = outer

    def cancelled(self) -> bool:
        """Whether to stop."""
        return self._outer.cancelled()
