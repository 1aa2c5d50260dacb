"""An engine's address, and the settings of the conversation."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from safegen.errors import MissingExtra, UsageError
from safegen.generators.option_values import SWITCHES, is_number
from safegen.generators.remote.engines import Engine, engine_by_name

KEY_VARIABLE = "SAFEGEN_REMOTE_KEY"
_FORM = "write URL#MODEL, such as http://localhost:30010/v1#wan; for a local model, give a name such as tiny"
_PRINTABLE = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True)
class Address:
    """``url`` without a slash at the end, ``model`` as the engine calls it. Holds no secret."""

    url: str
    model: str

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a key is kept for."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.url).netloc

    @property
    def identifier(self) -> str:
        """What manifest and ledger call the model."""
        return f"{self.url}#{self.model}"

    @property
    def is_confidential(self) -> bool:
        """Whether what is sent there cannot be read on the way: https, or this very machine."""
        parts = urlsplit(self.url)
        if parts.scheme == "https" or parts.hostname == "localhost":
            return True
        try:
            return ipaddress.ip_address(parts.hostname or "").is_loopback
        except ValueError:
            return False


def parse_address(model: str) -> Address:
    """The parts of ``URL#MODEL``. Raises UsageError; what is wrong is said without repeating a secret."""
    url, _, name = model.partition("#")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("the address of the server cannot be read", hint=_FORM) from None
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise UsageError(
            "do not put a key or password in the address: the address is recorded",
            hint=f"put it in the environment variable {KEY_VARIABLE} or in the keyring",
        )
    if parts.query or "?" in url:
        raise UsageError(
            "the address of a server cannot contain '?'", hint=f"put a key in {KEY_VARIABLE}; {_FORM}"
        )
    if not parts.hostname or port == 0 or not _PRINTABLE.fullmatch(url):
        raise UsageError("the address of the server cannot be read", hint=_FORM)
    if not _PRINTABLE.fullmatch(name):
        raise UsageError(f"the address does not say which model at {parts.netloc} to use", hint=_FORM)
    return Address(f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}", name)


@dataclass(frozen=True)
class ConnectionOptions:
    """The settings of the conversation; what ``--option`` may say. Times in seconds."""

    engine: Engine | None = None
    key_env: str = ""
    """Name of another environment variable that holds the key."""
    plain_key: bool = False
    """Send the key over plain http to another machine."""
    timeout: float = 60.0
    """How long one answer may take."""
    deadline: float = 3600.0
    """How long all of it may take."""
    poll: float = 5.0
    """Longest pause between two questions how far the job is."""
    retries: int = 4
    max_bytes: int = 2 * 2**30
    delete: bool = False
    """Delete the engine's own copy once it is here."""
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the engine's own, not checked yet."""


def parse_options(options: Mapping[str, Any]) -> ConnectionOptions:
    """Settings from a request's options; names that are not ours are left to the engine's table.

    Raises UsageError for a value that cannot be.
    """
    given = {name: _value(value) for name, value in options.items()}
    engine = given.pop("engine", None)
    found: dict[str, Any] = {}
    if engine is not None:
        found["engine"] = engine_by_name(str(engine))
    if "key_env" in given:
        found["key_env"] = str(given.pop("key_env"))
    for name in ("plain_key", "delete"):
        if name in given:
            found[name] = _switch(name, given.pop(name))
    for name, low, high in (("timeout", 0.1, 3600), ("deadline", 0.1, 7 * 86400), ("poll", 0.01, 600)):
        if name in given:
            found[name] = float(_number(name, given.pop(name), low, high))
    for name, low, high in (("retries", 0, 20), ("max_bytes", 1, 2**40)):
        if name in given:
            found[name] = int(_number(name, given.pop(name), low, high))
    return ConnectionOptions(**found, engine_options=given)


def client_library() -> Any:
    """The ``openai`` module. Raises MissingExtra."""
    try:
        import openai
    except ImportError as error:
        raise MissingExtra(
            "using a model on a server needs the openai client", hint='pip install "safegen[remote]"'
        ) from error
    return openai


def _value(value: Any) -> Any:
    """Options from a command line are text: numbers and switches in it are what they look like."""
    if not isinstance(value, str):
        return value
    lowered = value.strip().lower()
    if lowered in SWITCHES:
        return SWITCHES[lowered]
    try:
        read = json.loads(lowered)
    except ValueError:
        return value
    return read if isinstance(read, bool | int | float) else value


def _number(name: str, value: Any, low: float, high: float) -> float:
    if not is_number(value, low, high):
        raise UsageError(f"the option {name} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"the option {name} must be true or false, not {value!r}")
    return value
