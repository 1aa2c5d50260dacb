"""Show cases of the review queue, for people and programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen.cli._output import say

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader
    from safegen.review.queue import Case


def private_details(ledger: LedgerReader, case: Case, workspace: Path | None) -> dict[str, object]:
    """What only the workspace has: findings, the prompt if kept or sealed for the reviewer, reasons."""
    from safegen.workspace.config import find_workspace
    from safegen.workspace.sealed_prompts import open_sealed_prompt

    private, why = ledger.private(case.index), ""
    if private is None or "prompt" not in private:
        kept, why = open_sealed_prompt(find_workspace(workspace), case.decision, private)
        private = kept or private
    about: dict[str, object] = {
        "redacted": private is None,
        "findings": (private or {}).get("findings", []),
        "prompt": (private or {}).get("prompt"),
        "negative_prompt": (private or {}).get("negative_prompt"),
        "storyboard": (private or {}).get("storyboard", []),
        "prompt_absent": why,
    }
    reasons = {s.index: (ledger.private(s.index) or {}).get("reason") for s in case.steps}
    about["reasons"] = {str(index): reason for index, reason in reasons.items() if reason}
    return about


def held_clip_path(case: Case, workspace: Path | None) -> str | None:
    """Where the held clip lies, for the reviewer to look at; None where nothing is kept."""
    from safegen.pipeline.held_clips import CLIP_FILE, held_clip_folder
    from safegen.workspace.config import find_workspace

    if case.output is None or "id" not in case.output:
        return None
    file = held_clip_folder(find_workspace(workspace), str(case.output["id"])) / CLIP_FILE
    return str(file) if file.is_file() else None


def print_case(shown: dict[str, Any]) -> None:
    """A case for people."""

    say(f"decision   {shown['decision']} of {shown['time']}: {shown['status']}")
    say(f"policy     {shown['policy']['name']}, score {shown['score']}")
    if shown["model"]:
        say(f"model      {shown['model']}")
    _print_clip(shown)
    ran = ", ".join(f"{c['name']} {c['version']}" for c in shown["checks"])
    say(f"checks     {ran}")
    for finding in shown["findings"]:
        when = f" at {finding['at']} s" if "at" in finding else ""
        limit = f" (limit {finding['threshold']})" if "threshold" in finding else ""
        why = f": {finding['reason']}" if "reason" in finding else ""
        say(f"found      {finding['category']} {finding['score']}{limit}{when}, {finding['detector']}{why}")
    if shown["output"] is not None and "source_sha256" in shown["output"]:
        return _print_steps(shown)
    absent = f"({shown['prompt_absent']})"
    say(f"prompt     {absent if shown['prompt'] is None else shown['prompt']}")
    for shot in shown["storyboard"]:
        say(f"shot       {shot['at']}: {shot['prompt']}")
    if shown["negative_prompt"]:
        say(f"negative   {shown['negative_prompt']}")
    return _print_steps(shown)


def _print_clip(shown: dict[str, Any]) -> None:
    """Which clip it is about, and where it can be looked at."""

    output = shown["output"]
    if output is None:
        return
    if "source_sha256" in output:
        say(f"clip       the video made elsewhere with SHA-256 {output['source_sha256']}")
        return
    where = shown["clip"] or "no longer available"
    say(f"clip       {where} (frames {str(output.get('frames_sha256'))[:16]}...)")


def _print_steps(shown: dict[str, Any]) -> None:
    """What was decided, by whom."""

    for step in shown["steps"]:
        reason = step.get("reason") or shown["reasons"].get(str(step["index"]))
        who = f" by {step['reviewer']}" if "reviewer" in step else ""
        say(f"{step['index']:>6}  {step['time']}  {step['act']}{who}" + (f": {reason}" if reason else ""))
