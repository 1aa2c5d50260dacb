"""The hub's refusals, each as one error that says what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safegen.errors import GenerationFailed, SafegenError, UsageError
from safegen.generators.hub.cache import hub_cache, hub_endpoint, hub_library, is_offline

_LOG_IN = "`hf auth login` or HF_TOKEN"


@contextlib.contextmanager
def translating_errors(source: str, revision: str = "") -> Iterator[None]:
    """Turn whatever the library raises while it asks for *source* into one clear error.

    Raises UsageError (unknown id or revision), GenerationFailed (everything else).
    """
    if is_offline():
        raise GenerationFailed(
            f"{source} cannot be fetched: offline mode is on",
            hint="unset HF_HUB_OFFLINE, or use a model that is already pulled",
        )
    errors = hub_library().errors
    try:
        yield
    except SafegenError:
        raise
    except errors.HfHubHTTPError as error:
        raise _refused(error, errors, source, revision) from error
    except errors.HFValidationError as error:
        raise UsageError(f"{source!r} is not a hub id", hint="write ORGANISATION/NAME") from error
    except (errors.LocalEntryNotFoundError, errors.HTTPError, ConnectionError, TimeoutError) as error:
        raise GenerationFailed(
            f"the hub at {hub_endpoint()} cannot be reached ({type(error).__name__})",
            hint="check the network and HF_ENDPOINT; the data received is kept for the next pull",
        ) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(hub_cache()) from error
        raise GenerationFailed(
            f"{source} could not be fetched: {error}", hint="pull it again: the data received is kept"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GenerationFailed(
            f"{hub_endpoint()} returned an invalid answer: {type(error).__name__}: {error}",
            hint="check that HF_ENDPOINT is a Hugging Face hub",
        ) from error


def disk_full(folder: Path, needed: int | None = None, free: int | None = None) -> GenerationFailed:
    """The error for a disk without room; *needed* and *free* in bytes."""
    figures = ""
    if needed is not None and free is not None:
        figures = f": {needed / 1e9:.2f} GB still to download, {free / 1e9:.2f} GB free"
    return GenerationFailed(
        f"the disk of {folder} is full{figures}",
        hint="free some space, or choose another folder with HF_HUB_CACHE",
    )


def _refused(error: Any, errors: Any, source: str, revision: str) -> SafegenError:
    """What an HTTP error of the hub means."""
    status = getattr(error.response, "status_code", 0)
    if isinstance(error, errors.GatedRepoError):
        return GenerationFailed(
            f"{source} is gated: its owner decides who may download it (HTTP {status})",
            hint=f"ask for access at {hub_endpoint()}/{source}, then log in with {_LOG_IN}",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return UsageError(f"{source} has no revision {revision!r}", hint="give a branch, a tag or a commit")
    if isinstance(error, errors.RepositoryNotFoundError):
        return UsageError(
            f"the hub has no model {source}, or it is private (HTTP {status})",
            hint=f"check the spelling; for a private or gated model, log in with {_LOG_IN}",
        )
    if isinstance(error, errors.EntryNotFoundError):
        return GenerationFailed(f"the hub lists a file of {source} that it does not serve: {_url(error)}")
    if status == 401:
        return GenerationFailed(
            f"the hub does not accept the login for {source}", hint=f"log in again with {_LOG_IN}"
        )
    if status == 403:
        return GenerationFailed(
            f"this login has no access to {source}",
            hint=f"ask for access at {hub_endpoint()}/{source}",
        )
    return GenerationFailed(
        f"the hub answered HTTP {status} for {source}",
        hint="try again later: the data received is kept for the next pull",
    )


def _url(error: Any) -> str:
    """Path of the request that failed."""
    return str(getattr(getattr(error.response, "url", None), "path", "?"))
