"""A job for a sandboxed child that a hostile file has taken over: it does what the file is called."""

from __future__ import annotations

import os
import time
from typing import BinaryIO

from safegen.media._child import Job, send


def preload() -> None:
    """Nothing is needed."""


def prepare(job: Job) -> None:
    """Nothing more."""


def work(job: Job, out: BinaryIO) -> None:
    """What the file's name says."""
    what = os.path.basename(job["shown"]["input"])
    if what == "spins":
        while True:
            pass
    if what == "sleeps":
        time.sleep(3600)
    if what == "aborts":
        os.abort()
    if what == "grows":
        held = []
        while True:
            held.append(bytearray(1 << 26))
    if what == "ends":
        os._exit(0)
    if what == "boasts":
        send(out, {"type": "evidence", "evidence": {"state": "valid", "trusted": True}})
    if what == "mistypes":
        send(out, {"type": "evidence", "evidence": ["valid"]})
    if what == "accuses":
        send(out, {"type": "refused", "kind": "RefusedByPolicy", "message": 7})
    if what == "answers":
        send(out, {"type": "carries", "answer": "yes"})
