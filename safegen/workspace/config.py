"""Where keys, ledger, trust and settings live.

Found in this order: ``--workspace``, ``SAFEGEN_WORKSPACE``, the nearest ``safegen.toml`` upwards from
the current folder, the platform's user data folder. A workspace that was *found by walking up* is not
used: whoever made the folder chose what is in it, its settings and its ledger included. The user confirms
it once (``safegen workspace trust``, ``safegen.workspace.confirmed``); until then its file is not even read,
``verify`` takes anchors and ledger from the user's own workspace, and everything else refuses.

Layout: ``safegen.toml``, ``keys/``, ``ledger.db``, ``checkpoints/``, ``trust/``, ``held/``, ``.safegen-id``.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from safegen._util.files import write_durable
from safegen.errors import UnconfirmedWorkspace, UsageError, WorkspaceError
from safegen.workspace.new_file import NEW_FILE

CONFIG_NAME = "safegen.toml"
_CONTENT = (CONFIG_NAME, "keys", "ledger.db", "checkpoints", "trust")

WorkspaceSource: TypeAlias = Literal["option", "environment", "confirmed", "discovered", "user"]
"""``discovered``: found by walking up, and not confirmed."""


@dataclass(frozen=True)
class Config:
    """Settings of a workspace, validated. Paths are absolute."""

    ledger_url: str | None = None
    signing_chain: Path | None = None
    signing_key: Path | None = None
    signing_passphrase_file: Path | None = None
    """Its first line opens the signing key; None: the environment, else the workspace's own passphrase."""
    signing_alg: str | None = None
    """The algorithm that the signing key must have; None: the key decides."""
    tsa_url: str | None = None
    tsa_required: bool = False
    """Whether a release is refused where the authority gives no stamp; else it goes without, and says so."""
    ocsp_url: str | None = None
    ocsp_required: bool = False
    """Whether a release is refused where the responder gives no answer."""
    keep_prompts: bool = False
    seal_prompts: bool = True
    """Whether held prompts are kept, encrypted, for whoever reviews them."""
    keep_held_days: int = 30
    """For how many days after the decision."""
    publish_prompt: bool = False
    organisation: str = ""
    manifest: str = "embedded"
    """Where manifests go: ``embedded``, ``sidecar``, or an https address (``{id}``: the content id)."""
    label: str = ""
    """A visible label burnt into every clip; empty: none."""
    access: bool = True
    """Whether releases come with captions, descriptions, chapters and a transcript."""
    c2pa_list: bool = True
    """Whether the C2PA's trust lists vouch for signers and time stamps."""


@dataclass(frozen=True)
class Workspace:
    """A workspace folder. ``trusted`` is False when it was merely discovered; ``config`` is then empty."""

    root: Path
    source: WorkspaceSource = "option"
    config: Config = field(default_factory=Config)

    @property
    def trusted(self) -> bool:
        """Whether the anchors, keys and ledger here count as the user's own."""
        return self.source != "discovered"

    def require_trusted(self) -> None:
        """Raise UnconfirmedWorkspace for a workspace that was merely discovered."""
        if not self.trusted:
            raise UnconfirmedWorkspace(
                f"the workspace {self.root} was found by searching upwards, and you have not confirmed it",
                root=str(self.root),
                hint=f"if it is yours: safegen workspace trust {shlex.quote(str(self.root))}; "
                "else choose another with --workspace",
            )

    @property
    def keys(self) -> Path:
        """Folder of the identity."""
        return self.root / "keys"

    @property
    def trust(self) -> Path:
        """Folder of pinned trust bundles."""
        return self.root / "trust"

    @property
    def checkpoints(self) -> Path:
        """Folder of signed checkpoints, outside the database."""
        return self.root / "checkpoints"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.config.ledger_url or f"sqlite:///{self.root / 'ledger.db'}"

    @property
    def has_ledger(self) -> bool:
        """Whether a ledger exists."""
        return self.config.ledger_url is not None or (self.root / "ledger.db").is_file()

    def with_release_settings(
        self, *, manifest: str | None = None, label: str | None = None, access: bool | None = None
    ) -> Workspace:
        """This workspace with the given release settings in place of those in its file.

        Raises UsageError for a place where a manifest cannot go, or a label that cannot be written.
        """
        from safegen.credentials.manifest_location import check_manifest_location

        if manifest is not None:
            check_manifest_location(manifest)
        if label:
            from safegen.media.label import check_label

            check_label(label)
        chosen: dict[str, Any] = {"manifest": manifest, "label": label, "access": access}
        changes = {k: v for k, v in chosen.items() if v is not None}
        return replace(self, config=replace(self.config, **changes))

    def create(self) -> None:
        """Create the folder (0700) and its ``safegen.toml`` if absent. Raises WorkspaceError.

        One that is made here and now counts as confirmed: nobody else has put anything into it.
        """
        self.require_trusted()
        fresh = not any((self.root / name).exists() for name in _CONTENT)
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.trust, self.checkpoints):
                folder.mkdir(exist_ok=True, mode=0o700)
            config = self.root / CONFIG_NAME
            if not config.exists():
                write_durable(config, NEW_FILE.encode(), mode=0o666)
        except OSError as error:
            raise WorkspaceError(
                f"the workspace {self.root} cannot be written: {error.strerror}",
                hint="choose another with --workspace or SAFEGEN_WORKSPACE",
            ) from error
        if fresh and self.source != "user":
            from safegen.workspace.confirmed import confirm_workspace

            with suppress(WorkspaceError):  # then the user is asked where it is found
                confirm_workspace(self.root)


def find_workspace(option: str | os.PathLike[str] | None = None, *, start: Path | None = None) -> Workspace:
    """The workspace to use, by the order in the module's docstring. It need not exist yet.

    Raises UsageError for a path that is a file, UnconfirmedWorkspace for one that was merely found,
    WorkspaceError for an unreadable ``safegen.toml``.
    """
    found = look_up_workspace(option, start=start)
    found.require_trusted()
    return found


def look_up_workspace(
    option: str | os.PathLike[str] | None = None, *, start: Path | None = None
) -> Workspace:
    """As ``find_workspace``, but one that was merely found is returned, with nothing in it read."""
    if option:
        return _load(Path(option), "option")
    if named := os.environ.get("SAFEGEN_WORKSPACE"):
        return _load(Path(named), "environment")
    here = (start or Path.cwd()).resolve()
    own = _user_folder()
    for folder in (here, *here.parents):
        if (folder / CONFIG_NAME).is_file() and folder != own:
            from safegen.workspace.confirmed import is_confirmed

            return _load(folder, "confirmed") if is_confirmed(folder) else Workspace(folder, "discovered")
    return _load(own, "user")


def find_trusted_workspace(option: str | os.PathLike[str] | None = None) -> Workspace:
    """As ``find_workspace``, but in place of a merely discovered one the user's own workspace."""
    return trusted_or_own(look_up_workspace(option))


def trusted_or_own(found: Workspace) -> Workspace:
    """*found* if it is trusted, else the user's own workspace."""
    return found if found.trusted else _load(_user_folder(), "user")


def read_workspace(root: Path) -> Workspace:
    """The workspace in the folder *root*, as if it were named. Raises UsageError, WorkspaceError."""
    return _load(root, "option")


def user_data_folder() -> Path:
    """The user's own data folder: never a workspace that was named or found."""
    return _user_folder()


def _user_folder() -> Path:
    """The platform's folder for user data."""
    import platformdirs

    return Path(platformdirs.user_data_dir("safegen", appauthor=False)).resolve()


def _load(root: Path, source: WorkspaceSource) -> Workspace:
    """Workspace at *root* with its settings."""
    root = root.expanduser().resolve()
    if root.exists() and not root.is_dir():
        raise UsageError(f"the workspace {root} is a file", hint="give a folder")
    return Workspace(root, source, _read_config(root))


def _read_config(root: Path) -> Config:
    """Settings from ``safegen.toml``; defaults where it does not exist."""
    file = root / CONFIG_NAME
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(
            f"{file} cannot be read: {error}", hint="repair it, or choose another with --workspace"
        ) from error
    try:
        data = _toml(text)
    except ValueError as error:
        raise WorkspaceError(f"{file}: {error}", hint="repair the file: it must be TOML") from error
    return _validate(data, root, file)


def _toml(text: str) -> Mapping[str, Any]:
    """Parse TOML."""
    import tomllib

    return tomllib.loads(text)


def _validate(data: Mapping[str, Any], root: Path, file: Path) -> Config:
    """Config from parsed TOML. Unknown keys are errors: a typo must not switch something off silently."""
    if data == {"format": 1}:  # as made: pydantic's import would be a third of what `verify` takes
        return Config()
    from pydantic import ValidationError

    from safegen.workspace.schema import WorkspaceFile

    try:
        content = WorkspaceFile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WorkspaceError(f"{file}: {where}: {first['msg']}", hint="correct safegen.toml") from error
    try:
        chosen = Workspace(root).with_release_settings(
            manifest=content.release.manifest, label=content.release.label
        )
    except UsageError as error:
        raise WorkspaceError(f"{file}: [release]: {error}", hint=error.hint) from error
    signing = content.signing
    return Config(
        ledger_url=content.ledger.url,
        signing_chain=root / signing.chain if signing.chain else None,
        signing_key=root / signing.key if signing.key else None,
        signing_passphrase_file=root / signing.passphrase_file if signing.passphrase_file else None,
        signing_alg=signing.alg,
        tsa_url=signing.tsa_url or None,
        tsa_required=signing.tsa_required,
        ocsp_url=signing.ocsp_url or None,
        ocsp_required=signing.ocsp_required,
        keep_prompts=content.privacy.keep_prompts,
        seal_prompts=content.review.seal_prompts,
        keep_held_days=content.review.keep_days,
        publish_prompt=content.privacy.publish_prompt,
        organisation=content.identity.organisation,
        manifest=chosen.config.manifest,
        label=chosen.config.label,
        access=content.release.access,
        c2pa_list=content.trust.c2pa_list,
    )
