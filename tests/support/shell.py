"""Commands run in this process as a shell would run them: arguments in, bytes and an exit code out."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: bytes
    err: bytes


def run(arguments: Sequence[str], *, encoding: str = "utf-8", typed: bytes = b"") -> Ran:
    """Run ``safegen ARGUMENTS`` to its end; stdout and stderr show what *encoding* has, strictly."""
    from safegen.cli import group
    from safegen.cli._run import run as run_group

    out, err = io.BytesIO(), io.BytesIO()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["safegen", *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), "utf-8"))
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding, write_through=True))
        patch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding, write_through=True))
        try:
            run_group(group)
        except SystemExit as end:
            code = end.code
        finally:
            signal.signal(signal.SIGTERM, before)
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout.detach()
            sys.stderr.detach()
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())
