"""To which servers a key from the environment may go: those that the user named himself.

A template, a storyboard, an audit suite or a recorded request may name a server as its model. Whoever wrote
that file chose the server, and must not thereby choose who is sent the user's key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from safegen.errors import UsageError
from safegen.generators.remote.address import Address, parse_address

VARIABLE = "SAFEGEN_REMOTE_ORIGIN"
"""Environment variable: origins (``https://host:port``) that may be sent the key, whoever names them."""
_named: set[str] = set()


def confirm(model: str | None) -> None:
    """Take note that the user, not a file, named *model*: on the command line, or in a program.

    Anything that is no address of a server, and an address that cannot be read, is passed over: using it
    says what is wrong.
    """
    if model is None or not model.lower().startswith(("http://", "https://")):
        return
    try:
        _named.add(parse_address(model).origin)
    except UsageError:
        return


def is_confirmed(address: Address, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the user named the server of *address*, in this process or in SAFEGEN_REMOTE_ORIGIN."""
    listed = (word.rstrip("/").lower() for word in re.split(r"[\s,]+", environ.get(VARIABLE, "")) if word)
    return address.origin in _named or address.origin in listed


def unconfirmed(address: Address, variable: str) -> UsageError:
    """The error where the key in *variable* would go to a server that only a file named."""
    return UsageError(
        f"the key in {variable} is not sent to {address.origin}: you did not name that server yourself",
        hint=f"if you trust it, name it yourself with --model, or set {VARIABLE}={address.origin}; "
        f"if it needs no key, unset {variable}",
    )
