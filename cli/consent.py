"""``safegen consent``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen._text import one_line
from safegen.cli import _options
from safegen.cli._output import say
from safegen.cli._setting_options import setting_option
from safegen.cli._workspace import open_readonly

_SCOPES = ("likeness", "voice", "style")


@click.group("consent")
def command() -> None:
    """Record who agreed to the use of their likeness: grants, revocations, statements about images."""


@command.command("grant")
@click.argument("subject")
@click.option(
    "--evidence",
    required=True,
    type=click.Path(path_type=Path),
    help="The signed release form or similar; its SHA-256 is recorded, the file stays with you.",
)
@click.option(
    "--alias", "aliases", multiple=True, metavar="NAME", help="Another name they are known by (repeatable)."
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A picture or video of them, for recognising copies of it (repeatable).",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(_SCOPES),
    help="What they agree to (repeatable; default: likeness).",
)
@click.option("--expires", metavar="DATE", help="End date, such as 2027-06-30 (UTC; default: until revoked).")
@click.option(
    "--minor", is_flag=True, help="They are a minor: needs --guardian, and --expires within a year."
)
@click.option("--guardian", default="", metavar="NAME", help="Who agreed on behalf of the minor.")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def grant(
    subject: str,
    evidence: Path,
    aliases: tuple[str, ...],
    references: tuple[Path, ...],
    scopes: tuple[str, ...],
    expires: str | None,
    minor: bool,
    guardian: str,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Record that SUBJECT agreed. Needs the registrar's key (created on first use), unlike generating.

    Names and references are private: the entry only commits to them.
    """
    from safegen.cli._output import show_rows
    from safegen.consent import service

    said = {
        "evidence": evidence,
        "aliases": aliases,
        "references": references,
        "scope": scopes or ("likeness",),
        "expires": expires,
        "minor": minor,
        "guardian": guardian,
    }
    entry, registrar = service.grant(subject, said, workspace, _options.passphrase(passphrase_file))
    show_rows({"consent": entry, "registrar": registrar}, as_json=as_json)


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Include those that are no longer valid.")
@_options.workspace
@_options.as_json
def list_(everything: bool, workspace: Path | None, as_json: bool) -> None:
    """List the live consents, newest first."""
    from safegen.cli._output import print_json
    from safegen.consent import service
    from safegen.workspace.config import find_workspace

    with open_readonly(workspace) as ledger:
        found = [c for c in service.list_consents(find_workspace(workspace), ledger) if everything or c.live]
    if as_json:
        print_json([c.to_dict() for c in found])
        return
    if not found:
        say("no consent is live" if not everything else "there are no consents")
    for c in found:
        end = c.expires or "until revoked"
        who = one_line(c.subject or "(redacted)", 60) + (" (minor)" if c.minor else "")
        say(f"{c.index:>6}  {c.state:<8}  {', '.join(c.scope):<24}  {end:<24}  {who}")


@command.command("revoke")
@click.argument("index", type=click.IntRange(0))
@click.option("--reason", default="", help="Reason; kept in the workspace, and the entry only commits to it.")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def revoke(
    index: int, reason: str, passphrase_file: Path | None, workspace: Path | None, as_json: bool
) -> None:
    """Revoke consent INDEX. This cannot be undone; to restore consent, grant it again."""
    from safegen.cli._output import show_rows
    from safegen.cli._workspace import open_writing
    from safegen.consent.registry import revoke as run

    with open_writing(workspace, passphrase_file) as (ledger, _):
        entry = run(ledger, index, reason)
    show_rows({"consent": index, "state": "revoked", "entry": entry}, as_json=as_json)


@command.command("attest")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--consent",
    "consents",
    multiple=True,
    type=click.IntRange(0),
    metavar="INDEX",
    help="Number of the consent of a person the file shows (repeatable, one per person).",
)
@click.option("--no-person", is_flag=True, help="The file shows no real person.")
@click.option(
    "--by", default="", metavar="NAME", help="Who states it (default: SAFEGEN_USER, else your login name)."
)
@_options.passphrase_file
@_options.workspace
@_options.as_json
def attest(
    file: Path,
    consents: tuple[int, ...],
    no_person: bool,
    by: str,
    passphrase_file: Path | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """State whom FILE shows before using it as an input. Its SHA-256 and your name are recorded with it."""
    from safegen.cli._output import show_rows
    from safegen.consent import service

    found = service.attest(
        file, consents, no_person, by, workspace, passphrase=_options.passphrase(passphrase_file)
    )
    show_rows(
        {"entry": found.index, "sha256": found.sha256, "shows": list(found.consents) or "no person"},
        as_json=as_json,
    )


@command.command("check")
@click.argument("what", metavar="PROMPT|FILE")
@setting_option("policy")
@_options.workspace
@_options.as_json
@click.pass_context
def check(ctx: click.Context, what: str, policy: str, workspace: Path | None, as_json: bool) -> None:
    """Check whether the registry lets PROMPT or FILE pass. Exit 3: no; 4: first state whom FILE shows."""
    from safegen.cli._output import print_json
    from safegen.consent import service

    with open_readonly(workspace) as ledger:
        answer = service.check_consent(what, policy, workspace, ledger)
    if as_json:
        print_json(answer.to_dict())
    else:
        say(f"{answer.outcome}: {answer.about}")
        for reason in answer.reasons:
            say(f"  {reason}")
    ctx.exit(answer.exit_code)
