"""The prompt that made a clip, where its workspace kept it: for clips that go on from another one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safegen.types import PathLike

if TYPE_CHECKING:
    from safegen.workspace.config import Workspace


def prompt_or_kept(
    prompt: str | None,
    videos: Sequence[PathLike],
    workspace: Workspace,
    *,
    shot: Literal["first", "last"] = "last",
) -> tuple[str, tuple[str, ...]]:
    """*prompt*, and a note where it is None: the one that *workspace* kept for one of *videos*, else none.

    Of a storyboard the *first* or *last* shot's. Raises UnreadableInput, LedgerError.
    """
    if prompt is not None:
        return prompt, ()
    for video in videos:
        kept = _kept_prompt(Path(video), workspace, shot)
        if kept:
            return kept, (f"no prompt given: using the one this workspace kept for {Path(video).name}",)
    return "", ("no prompt given and none kept: made without a prompt",)


def _kept_prompt(video: Path, workspace: Workspace, shot: Literal["first", "last"]) -> str | None:
    """The prompt that made *video*, where it is a release of *workspace* that keeps prompts.

    Of a storyboard the *first* or *last* shot's. Raises UnreadableInput, LedgerError.
    """
    from safegen._util.hashing import file_sha256, require_readable
    from safegen.credentials.in_child import read_credentials
    from safegen.workspace.session import open_ledger_if_any

    require_readable(video)
    with open_ledger_if_any(workspace) as ledger:
        if ledger is None:
            return None
        found = ledger.find_releases(sha256=file_sha256(video))
        if not found and (manifest := read_credentials(video).manifest_id):
            found = ledger.find_releases(manifest_id=manifest)
        index = found[0].entry.public.get("decision") if found else None
        private = ledger.private(index) if isinstance(index, int) else None
    shots = (private or {}).get("storyboard")
    if isinstance(shots, list) and shots:
        return str(shots[0 if shot == "first" else -1]["prompt"])
    prompt = (private or {}).get("prompt")
    return prompt if isinstance(prompt, str) else None
