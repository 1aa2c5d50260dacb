"""``safegen log find``: look up releases by pictures."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options
from safegen.cli._output import say
from safegen.cli._workspace import open_readonly


@click.command("find")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_options.workspace
@_options.as_json
def find(file: Path, workspace: Path | None, as_json: bool) -> None:
    """List the releases whose recorded pictures FILE shows, whatever marks it carries.

    Recognises whole clips, parts of clips and single pictures; mirrored, with bars, or cropped to 70%. Exit 9
    if there is none.
    """
    from safegen.cli._output import print_json
    from safegen.errors import GateFailed
    from safegen.verification.content_index import INDEX_NAME, search_to_json
    from safegen.workspace.config import find_workspace as find_workspace

    with open_readonly(workspace) as ledger:
        found = search_to_json(ledger, file, find_workspace(workspace).root / INDEX_NAME)
    if as_json:
        print_json(found)
        click.get_current_context().exit(0 if found else 9)
    if not found:
        raise GateFailed(
            "no release shows these pictures",
            hint="try `safegen verify FILE`: a rotated picture or a smaller crop may still carry the mark",
        )
    for row in found:
        how = "".join(f"  {word}" for word in ("mirrored", "cropped") if row[word])
        withdrawn = "" if row["withdrawn"] is None else f"  withdrawn by entry {row['withdrawn']}"
        shown = f"{row['index']:>6}  {row['content_id']}  {row['manifest_id']}"
        say(f"{shown}  score {row['score']:.2f}{how}{withdrawn}")
