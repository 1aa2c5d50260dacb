"""Which rows of leases and of the outbox this user's own safegen has written on this machine.

A database may come from anybody: a copied, shared or forged workspace. Recovery removes and places files, so
it acts only on rows that carry a message authentication code under a key kept apart from every workspace
(``safegen._util.user_state``). The id of a job is 16 random bytes and such a code over the log's origin, the
folder and the name; the outbox row has one over everything in it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen._util.logs import logger
from safegen._util.user_state import user_secret
from safegen.errors import WorkspaceError

if TYPE_CHECKING:
    from safegen.ledger.store import Ledger

_log = logger(__name__)

KEY_NAME = "release.key"
_NONCE = 32
_CODE = 32
JOB = re.compile(rf"[0-9a-f]{{{_NONCE}}}(?:[0-9a-f]{{{_CODE}}})?")
"""Ids of jobs; those without a code were made by an earlier version, or where no key could be kept."""


@dataclass(frozen=True)
class Seal:
    """Makes and checks the codes for the log called ``origin``; without a ``key`` nothing is its own."""

    origin: str
    key: bytes | None

    @classmethod
    def of(cls, ledger: Ledger) -> Seal:
        """The seal for *ledger*. Without a place for its key, releases work but are not recovered."""
        origin = ledger.signer.origin if ledger.signer is not None else ""
        try:
            return cls(origin, user_secret(KEY_NAME))
        except WorkspaceError as error:
            _log.warning("interrupted releases will not be recovered: %(why)s", {"why": str(error)})
            return cls(origin, None)

    def new_job(self, folder: str, name: str) -> str:
        """A fresh id for a job that puts *name* into *folder*."""
        nonce = secrets.token_hex(_NONCE // 2)
        return nonce if self.key is None else nonce + self._job_code(nonce, folder, name)

    def made_job(self, job: str, folder: str, name: str) -> bool:
        """Whether this user's safegen has begun *job*, for *name* in *folder*, on this machine."""
        if self.key is None or not JOB.fullmatch(job) or len(job) != _NONCE + _CODE:
            return False
        nonce, code = job[:_NONCE], job[_NONCE:]
        return hmac.compare_digest(code, self._job_code(nonce, folder, name))

    def row_code(self, row: object) -> str:
        """The code of an outbox row, all of it as JSON values; "" without a key."""
        return "" if self.key is None else self._code("outbox", row)

    def made_row(self, row: object, code: object) -> bool:
        """Whether *code* is the one of *row*."""
        return (
            self.key is not None
            and isinstance(code, str)
            and hmac.compare_digest(code.encode("utf-8", "replace"), self.row_code(row).encode())
        )

    def _job_code(self, nonce: str, folder: str, name: str) -> str:
        return self._code("job", [nonce, folder, name])

    def _code(self, kind: str, value: object) -> str:
        message = json.dumps([kind, self.origin, value], sort_keys=True).encode()
        return hmac.new(self.key or b"", message, hashlib.sha256).hexdigest()[:_CODE]
