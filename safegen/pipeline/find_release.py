"""From a file back to its release and the request that made it: the starting point for reproducing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.hashing import file_sha256, require_readable, text_sha256
from safegen.errors import UnreadableInput, UsageError
from safegen.request.settings import settings_for
from safegen.types import Input, Json, Request, Shot

if TYPE_CHECKING:
    from safegen.ledger.records import ReleaseEntry
    from safegen.ledger.store import Ledger

MAX_PROMPT_FILE = 1_000_000
_RESTORED = tuple(s for s in settings_for("ledger") if s.name not in {"model", "policy", "seed"})
"""Left out of the ledger where they were not set; model, policy and seed never are."""
_KEEP_HINT = "set keep_prompts = true under [privacy] in safegen.toml to keep prompts for next time"


@dataclass(frozen=True)
class ReleaseMatch:
    """A release in the ledger. ``by``: how it was found (``file hash``, ``manifest id``, ``watermark``,
    ``pictures``).
    """

    release: ReleaseEntry
    by: str


@dataclass(frozen=True)
class SuppliedRequest:
    """What the user adds where the workspace does not keep it: prompts as text, files of inputs, and a
    model or policy that is called otherwise by now.
    """

    prompt: str | None = None
    negative_prompt: str | None = None
    inputs: Sequence[Path] = ()
    model: str | None = None
    policy: str | None = None


def find_release(path: Path, ledger: Ledger) -> ReleaseMatch:
    """The release that the file at *path* is, or was before it was changed or re-encoded.

    Raises UnreadableInput, CheckUnavailable, LedgerError; UsageError when this ledger knows no such release.
    """
    from safegen.credentials.in_child import read_credentials
    from safegen.verification import watermarks
    from safegen.verification.collector import EvidenceCollector

    require_readable(path)
    for release in ledger.find_releases(sha256=file_sha256(path)):
        return ReleaseMatch(release, "file hash")
    credentials = read_credentials(path)
    if credentials.manifest_id:
        for release in ledger.find_releases(manifest_id=credentials.manifest_id):
            return ReleaseMatch(release, "manifest id")
    collector = EvidenceCollector(path)
    search = watermarks.detect_watermarks(collector, credentials, ledger)
    # A mark can be copied onto other pictures: it counts only where they are the recorded ones.
    _, recovered = watermarks.resolve_payloads(collector, search, ledger, "")
    if recovered is not None:
        return ReleaseMatch(recovered, "watermark")
    _, recovered = watermarks.recover_by_content(collector, search, credentials, ledger, "")
    if recovered is not None:
        return ReleaseMatch(recovered, "pictures")
    raise UsageError(
        f"{path.name} is not a release in this workspace's ledger",
        hint="only the workspace that made a video can reproduce it: choose it with --workspace",
    )


def restore_request(release: ReleaseEntry, ledger: Ledger, supplied: SuppliedRequest) -> tuple[Request, Json]:
    """The request behind *release*, and the private part of its entry.

    Raises UsageError, saying what to give, when something is neither kept nor *supplied*, or what is given is
    not what was recorded.
    """
    if release.entry.public.get("made") != "generated":
        raise UsageError(
            "this video was made elsewhere and only protected here", hint="there is nothing to reproduce"
        )
    private = ledger.private(release.index)
    if private is None or "request" not in private:
        raise UsageError(
            f"the settings of release {release.index} are not recorded",
            hint="they were redacted, or it was made by an older version",
        )
    decision = _decision_private(release, ledger)
    prompt = _recorded_text("prompt", decision, supplied.prompt)
    negative = _recorded_text("negative_prompt", decision, supplied.negative_prompt)
    recorded: Json = private["request"]
    request = _request(recorded, prompt, negative)
    request = replace(
        request,
        model=supplied.model or request.model,
        policy=supplied.policy or request.policy,
        inputs=_match_inputs(recorded.get("inputs", []), supplied.inputs),
        shots=_shots(recorded.get("shots", []), decision, prompt),
    )
    return request, private


def _decision_private(release: ReleaseEntry, ledger: Ledger) -> Json:
    """The private part of the decision that allowed the release."""
    index = release.entry.public.get("decision")
    private = ledger.private(index) if isinstance(index, int) else None
    if private is None:
        raise UsageError(
            "the prompt's commitment was redacted, so no prompt can be compared with it",
            hint="this release can no longer be reproduced",
        )
    return private


def _recorded_text(name: str, decision: Json, supplied: str | None) -> str:
    """A prompt: as kept, or as given and compared with the recorded hash."""
    recorded_hash = decision.get(f"{name}_sha256")
    option = f"--{name.replace('_', '-')}-file"
    if supplied is None:
        if isinstance(decision.get(name), str):
            return str(decision[name])
        if recorded_hash == text_sha256(""):
            return ""
        raise UsageError(
            f"this workspace does not keep prompts: the {name.replace('_', ' ')} must be given",
            hint=f"{option} FILE with exactly the same text; {_KEEP_HINT}",
        )
    for text in (supplied, supplied.removesuffix("\n"), supplied.removesuffix("\r\n")):
        if text_sha256(text) == recorded_hash:
            return text
    raise UsageError(
        f"this is not the {name.replace('_', ' ')} of the release: its hash is not the recorded one",
        hint="check every character; only a line break at the end is ignored",
    )


def _request(recorded: Json, prompt: str, negative: str) -> Request:
    """The recorded request. Raises UsageError for a record that cannot be read."""
    try:
        settings: dict[str, Any] = {
            s.name: s.restore(recorded[s.name]) for s in _RESTORED if s.name in recorded
        }
        return Request(
            prompt=prompt,
            negative_prompt=negative,
            model=str(recorded["model"]),
            policy=str(recorded["policy"]),
            seed=int(recorded["seed"]),
            options=json.loads(recorded.get("options", "{}")),
            mode=recorded.get("mode", "text"),
            **settings,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(
            f"the recorded request cannot be read: {error!r}",
            hint="use the version of safegen that recorded it, or a newer one",
        ) from error


def _match_inputs(recorded: Sequence[Mapping[str, Any]], files: Sequence[Path]) -> tuple[Input, ...]:
    """The recorded inputs, each with the file whose SHA-256 it has. Raises UsageError."""
    at = {file_sha256(file): file for file in files}
    wanted = {str(row["sha256"]) for row in recorded}
    for digest, file in at.items():
        if digest not in wanted:
            raise UsageError(
                f"{file} is not an input of this release", hint="check the file: its SHA-256 is not recorded"
            )
    for row in recorded:
        if row["sha256"] not in at:
            raise UsageError(
                f"an input is missing: the {str(row['role']).replace('_', ' ')} with SHA-256 {row['sha256']}",
                hint="give the same file with --input FILE",
            )
    return tuple(Input(row["role"], at[row["sha256"]], row["sha256"]) for row in recorded)


def _shots(times: Sequence[Any], decision: Json, prompt: str) -> tuple[Shot, ...]:
    """The storyboard: the recorded times, each with its prompt as kept, else a line of the prompt."""
    kept = decision.get("storyboard")
    lines = [str(shot["prompt"]) for shot in kept] if isinstance(kept, list) else prompt.split("\n")
    if times and len(lines) != len(times):
        raise UsageError(
            f"the storyboard has {len(times)} prompts, but the text has {len(lines)} lines",
            hint="give one prompt per line",
        )
    return tuple(Shot(float(at), line) for at, line in zip(times, lines, strict=False))


def read_prompt_file(file: Path) -> str:
    """A prompt from *file* (UTF-8, with or without a byte order mark). Raises UnreadableInput."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_PROMPT_FILE + 1)
        if len(data) > MAX_PROMPT_FILE:
            raise UnreadableInput(
                f"{file} is too large for a prompt", hint="give a file that contains only the prompt"
            )
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UnreadableInput(f"{file}: {error.strerror}", hint="check the path") from error
    except UnicodeDecodeError as error:
        raise UnreadableInput(f"{file} is not text in UTF-8", hint="save it as UTF-8") from error
