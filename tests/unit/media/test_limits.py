"""A user's own limits (a service's, ``ulimit``) that are lower than those of a sandboxed child."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import signed

resource = pytest.importorskip("resource")
READ = """
import resource, sys
from pathlib import Path
kind = getattr(resource, sys.argv[2])
resource.setrlimit(kind, (int(sys.argv[3]), int(sys.argv[3])))
from safegen.credentials import in_child
from safegen.media import _start
_start.FORKER.usable = _start.FORKER.usable and sys.argv[4] == "forked"
print(in_child.read_credentials(Path(sys.argv[1])).state.name)
"""


@pytest.mark.parametrize("how", ["forked", "alone"])
@pytest.mark.parametrize(("kind", "most"), [("RLIMIT_AS", 5 * 2**30), ("RLIMIT_CPU", 9)])
def test_a_lower_limit_than_ours_stays(tmp_path: Path, kind: str, most: int, how: str) -> None:
    """Nobody may raise a hard limit: asking for more made every file unreadable."""
    file = signed.make("jpg", tmp_path)
    command = [sys.executable, "-c", READ, str(file), kind, str(most), how]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.stdout.strip(), ended.returncode) == ("VALID", 0), ended.stderr
