"""The audit from Python: the functions behind the ``safegen audit`` commands.

Every function raises SafegenError subclasses only and never prints.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from safegen._util.time import utc_now
from safegen.audit import session
from safegen.audit import suites as _suites
from safegen.audit.session import AuditResult
from safegen.protocols import NoProgress, Progress
from safegen.types import Json

if TYPE_CHECKING:
    from safegen.audit.data import DataAudit
    from safegen.audit.json_report import Subject
    from safegen.keys.passphrase import Passphrase

PathLike: TypeAlias = str | os.PathLike[str]
__all__ = ["AuditResult", "data", "gate", "released", "report", "run", "suites"]


def run(
    suite: str,
    folder: PathLike,
    *,
    model: str | None = None,
    policy: str = "default",
    seeds: int | None = None,
    seed: int = 0,
    resume: bool = False,
    record: bool = True,
    workspace: PathLike | None = None,
    passphrase: Passphrase = None,
    progress: Progress = NoProgress(),
) -> AuditResult:
    """Audit a model with *suite* (a name or a YAML file) into *folder*; nothing is released.

    With *record* the audit becomes an entry of the workspace's ledger. Raises UsageError, CheckUnavailable,
    GenerationFailed, ReleaseFailed, Interrupted (results so far are kept: continue with *resume*).
    """
    from safegen.generators.remote.origins import confirm
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import open_session

    confirm(model)
    named = _suites.load(suite)
    plan = session.Plan(model, policy, seeds, seed, resume)
    if not record:
        return session.run_and_report(named, Path(folder), plan, progress=progress, when=utc_now())
    with open_session(find_workspace(workspace), passphrase=passphrase, progress=progress) as opened:
        ledger = opened.ledger
        return session.run_and_report(
            named, Path(folder), plan, ledger=ledger, progress=progress, when=utc_now()
        )


def report(folder: PathLike, output: PathLike | None = None) -> AuditResult:
    """Write a report on the audit in *folder*, as far as it has got, there or into *output*.

    Raises UnreadableInput, UsageError, ReleaseFailed.
    """
    source = Path(folder)
    audit, subject = session.load_audit(source)
    target = Path(output) if output else source if source.is_dir() else source.parent
    session.write(audit, subject, target, when=utc_now())
    return AuditResult(audit, subject, target)


def gate(
    folder: PathLike,
    *,
    limit: float | None = None,
    effect: float | None = None,
    max_unknown: float | None = None,
) -> AuditResult:
    """Judge the audit in *folder* under the suite's terms or others; ``audit.exit_code`` is the answer.

    Raises UnreadableInput, UsageError.
    """
    audit, subject = session.load_audit(
        Path(folder), lambda g: session.override_gate(g, limit=limit, effect=effect, max_unknown=max_unknown)
    )
    return AuditResult(audit, subject)


def released(
    output: PathLike | None = None,
    *,
    targets: str | None = None,
    attributes: Sequence[str] = (),
    workspace: PathLike | None = None,
) -> AuditResult:
    """Audit what the workspace's ledger says was released, from recorded attributes; nothing is generated.

    *targets*: a suite whose targets count. With *output* a report is written there. Raises UsageError,
    LedgerError, ReleaseFailed.
    """
    from safegen.audit.json_report import Subject
    from safegen.audit.released import released as over
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import open_ledger

    aims = session.targets(_suites.load(targets)) if targets else None
    with open_ledger(find_workspace(workspace)) as ledger:
        audit = over(ledger, targets=aims, attributes=tuple(attributes))
        about = f"Every release in the ledger {ledger.origin} that has not been withdrawn."
    subject = Subject("released", "Audit of releases", about, suite=targets or "")
    if output is not None:
        session.write(audit, subject, Path(output), when=utc_now())
    return AuditResult(audit, subject, Path(output) if output is not None else None)


def data(
    files: Sequence[PathLike],
    output: PathLike | None = None,
    *,
    lexicon: str = "people",
    text: str | None = None,
    label: str | None = None,
    title: str = "",
) -> tuple[DataAudit, Subject]:
    """Who and what the texts in *files* mention, and how their labels are distributed.

    *lexicon*: ``people``, ``world`` or a YAML file. *text* and *label* name the columns. With *output* a
    report is written there. Raises UnreadableInput, UsageError, ReleaseFailed.
    """
    from safegen.audit import lexicon as _lexicon
    from safegen.audit import texts, texts_report
    from safegen.audit.data import audit_texts
    from safegen.audit.json_report import Subject
    from safegen.audit.schema import Gate

    paths = [Path(f) for f in files]
    found = audit_texts(texts.read(paths, text=text, label=label), _lexicon.load(lexicon), Gate())
    names = ", ".join(p.name for p in paths[:5])
    about = f"{found.texts} different texts from {names}, read with the lexicon {lexicon}."
    subject = Subject("data", title or f"Audit of texts: {names}", about)
    if output is not None:
        texts_report.write(found, subject, Path(output), when=utc_now())
    return found, subject


def suites(name: str | None = None) -> list[Json]:
    """The shipped suites, or the one called *name* (or in that file), checked. Raises UsageError."""
    from safegen.audit.inference import least_n

    rows = []
    for one in (name,) if name is not None else _suites.names():
        named = _suites.load(one)
        suite = named.suite
        row: Json = {"name": suite.name, "sha256": named.digest, "about": " ".join(suite.about.split())}
        row |= {"model": suite.model, "seeds": suite.seeds, "extractors": list(suite.extractors)}
        row["prompts"] = sum(g.size for g in suite.groups)
        if name is not None:
            cells = sum(len(g.attributes) for g in suite.groups)
            terms = suite.gate
            row["attributes"] = {
                a: {
                    "extractor": aim.extractor,
                    "target": aim.shares,
                    "why": aim.why,
                    "least_n": least_n(
                        tuple(aim.shares.values()),
                        limit=terms.limit,
                        effect=terms.effect,
                        error=terms.error / cells,
                    ),
                }
                for a, aim in suite.attributes.items()
            }
            row["groups"] = [
                {"name": g.name, "attributes": list(g.attributes), "prompts": list(g.texts)}
                for g in suite.groups
            ]
            row["gate"] = terms.model_dump()
        rows.append(row)
    return rows
