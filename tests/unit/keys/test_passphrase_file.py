"""Passphrase files that others can read or change are refused."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from safegen.errors import KeyUnavailable
from safegen.keys import passphrase

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o620, 0o666, 0o640, 0o600, 0o400])
def test_a_passphrase_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "pass phrase"
    file.write_bytes(b"secret\n")
    file.chmod(mode)
    if mode in (0o640, 0o600, 0o400):  # a group of one's own may read it
        assert passphrase.from_file(file) == b"secret"
        return
    with pytest.raises(KeyUnavailable, match=f"mode {mode:04o}") as caught:
        passphrase.from_file(file)
    assert f"chmod 600 '{file}'" in caught.value.hint and "secret" not in str(caught.value)


def test_a_passphrase_from_a_pipe_needs_no_mode(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"secret\n"))
    writer.start()
    assert passphrase.from_file(pipe) == b"secret"
    writer.join()
