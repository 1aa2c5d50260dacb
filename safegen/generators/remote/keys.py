"""The key that is sent to a server: where it comes from, and where it must not go."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from safegen.errors import UsageError
from safegen.generators.remote.address import KEY_VARIABLE, Address, ConnectionOptions
from safegen.generators.remote.origins import is_confirmed, unconfirmed

KEYRING_SERVICE = "safegen"


def find_key(
    address: Address,
    options: ConnectionOptions,
    environ: Mapping[str, str] = os.environ,
    *,
    open_keyring: bool = True,
) -> str | None:
    """The key for *address*: from the variable ``key_env``, else SAFEGEN_REMOTE_KEY, else the keyring
    (service ``safegen``, user the origin); ``None`` when there is none.

    One from the environment is for servers that the user named himself (``origins``); one in the keyring was
    put there for this very server. Raises UsageError when it is for another server, named and missing, no
    printable text, or would go over plain http.
    """
    variable = options.key_env or KEY_VARIABLE
    found = environ.get(variable, "").strip()
    if options.key_env and not found:
        raise UsageError(f"the environment variable {options.key_env} is empty", hint="set it to the key")
    elsewhere = bool(found) and not is_confirmed(address, environ)
    if elsewhere:
        found = ""
    if not found and open_keyring:
        found = _from_keyring(address.origin) or ""
        if elsewhere and not found:
            raise unconfirmed(address, variable)
    if not found:
        return None
    if not re.fullmatch(r"[!-~]{1,4096}", found):
        raise UsageError("the key for the server contains invalid characters", hint="set it again")
    if not address.is_confidential and not options.plain_key:
        raise UsageError(
            f"the key would be sent to {address.host} over plain http, where others can read it",
            hint="use https, or, on a network of your own, --option plain_key=true",
        )
    return found


def _from_keyring(origin: str) -> str | None:
    """The password that the system's keyring has for *origin*, if there is a keyring."""
    try:
        import keyring
        from keyring.errors import KeyringError, NoKeyringError
    except ImportError:
        return None
    try:
        return keyring.get_password(KEYRING_SERVICE, origin)
    except NoKeyringError:
        return None
    except KeyringError as error:
        raise UsageError(
            f"the keyring cannot be opened: {type(error).__name__}", hint=f"unlock it, or set {KEY_VARIABLE}"
        ) from error
