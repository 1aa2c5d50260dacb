"""The commands of ``safegen log`` that write: to the ledger, or to a file."""

from __future__ import annotations

from pathlib import Path

import click

from safegen._text import to_json
from safegen.cli import _options
from safegen.cli._output import confirm, print_json, say, show_document
from safegen.cli._workspace import open_readonly, open_writing


@click.command("checkpoint")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file (default: stdout).")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def checkpoint(
    output: Path | None, passphrase_file: Path | None, workspace: Path | None, as_json: bool
) -> None:
    """Write a signed checkpoint over the whole ledger, to be kept where nobody can change it."""
    from safegen.cli._files import write_new
    from safegen.ledger.checkpoint import parse_unverified

    with open_writing(workspace, passphrase_file) as (ledger, _):
        note = ledger.checkpoint()
    if output is not None:
        write_new(output, note.encode())
    if as_json:
        head = parse_unverified(note)
        print_json({"origin": head.origin, "size": head.size, "root": head.root.hex(), "note": note})
    elif output is None:
        show_document(note)
    else:
        say(str(output))


@click.command("stamp")
@click.option(
    "--proof",
    type=click.Path(path_type=Path),
    help="Stamp the checkpoint in this proof sidecar and write PROOF.tsr (default: the newest checkpoint).",
)
@_options.passphrase_file
@_options.workspace
@_options.as_json
def stamp(proof: Path | None, passphrase_file: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Have a checkpoint time-stamped by the authority in safegen.toml (signing.tsa_url). Uses the network."""
    from safegen.cli._files import write_new
    from safegen.cli._output import show_rows
    from safegen.errors import UsageError
    from safegen.ledger import timestamp as stamps
    from safegen.ledger.proof import MAX_PROOF

    with open_writing(workspace, passphrase_file) as (ledger, found):
        url = found.config.tsa_url
        if url is None:
            raise UsageError(
                "no time stamp authority is configured", hint="set signing.tsa_url in safegen.toml"
            )
        if proof is None:
            body = stamps.checkpoint_body(ledger.checkpoint())
        else:
            body = stamps.checkpoint_body(_text(proof, MAX_PROOF).partition("\n\n")[2])
        token = stamps.request_stamp(url, body)
        kept = stamps.store_stamp(found.checkpoints, body, token)
    if proof is not None:
        kept = proof.with_name(proof.name + stamps.SUFFIX)
        write_new(kept, token)
    origin, size, _ = body.decode().split("\n", 2)
    show_rows({"origin": origin, "size": int(size), "stamp": str(kept)}, as_json=as_json)


def _text(path: Path, limit: int) -> str:
    """A text file of at most *limit* characters. Raises UnreadableInput."""
    from safegen.errors import UnreadableInput

    try:
        with path.open(encoding="utf-8") as file:
            return file.read(limit)
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInput(f"{path} cannot be read", hint="check the path") from error


@click.command("withdraw")
@click.argument("index", type=click.IntRange(0))
@click.option(
    "--reason", required=True, help="Reason; part of the public entry, shown to anyone who verifies."
)
@_options.passphrase_file
@_options.workspace
@_options.as_json
def withdraw(
    index: int, reason: str, passphrase_file: Path | None, workspace: Path | None, as_json: bool
) -> None:
    """Withdraw release INDEX: the file is unchanged, but the ledger records that it is no longer valid."""
    from safegen.cli._output import show_rows

    with open_writing(workspace, passphrase_file) as (ledger, _):
        at = ledger.withdraw(index, reason)
    show_rows({"release": index, "withdrawn by entry": at}, as_json=as_json)


@click.command("supersede")
@click.argument("old", type=click.IntRange(0))
@click.argument("new", type=click.IntRange(0))
@click.option("--reason", default="superseded", show_default=True, help="Reason; part of the public entry.")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def supersede(
    old: int, new: int, reason: str, passphrase_file: Path | None, workspace: Path | None, as_json: bool
) -> None:
    """Withdraw release OLD because release NEW replaces it."""
    from safegen.cli._output import show_rows

    with open_writing(workspace, passphrase_file) as (ledger, _):
        at = ledger.supersede(old, new, reason)
    show_rows({"release": old, "superseded by": new, "withdrawn by entry": at}, as_json=as_json)


@click.command("redact")
@click.argument("index", type=click.IntRange(0))
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@_options.passphrase_file
@_options.workspace
@_options.as_json
def redact(
    index: int, yes: bool, passphrase_file: Path | None, workspace: Path | None, as_json: bool
) -> None:
    """Permanently delete the private part of entry INDEX (prompt, settings, reason). Proofs stay valid."""
    from safegen.cli._output import show_rows
    from safegen.workspace.sealed_prompts import remove_sealed_prompt

    with open_writing(workspace, passphrase_file) as (ledger, found):
        entry = ledger.entry(index)
        if not yes:
            question = f"permanently delete the private part of entry {index} ({entry.kind}, {entry.time})?"
            confirm(question, abort=True, instead="--yes")
        ledger.redact(index)
        remove_sealed_prompt(found, index)
    show_rows({"redacted": index, "kind": entry.kind}, as_json=as_json)


@click.command("export")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file (default: stdout).")
@_options.workspace
def export(output: Path | None, workspace: Path | None) -> None:
    """Export every entry as a line of JSON, never its private part."""
    from safegen.cli._files import open_new

    with open_readonly(workspace) as ledger:
        if output is None:
            for line in ledger.export():
                print_json(line, indent=None, sort_keys=True)
            return
        with open_new(output) as file:
            file.writelines(f"{to_json(line, sort_keys=True)}\n".encode() for line in ledger.export())
    say(str(output))
