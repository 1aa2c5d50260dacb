"""The running audit over a ledger: counts releases, leaves out withdrawn ones, knows prompts apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from safegen.audit import api
from safegen.audit.released import released
from safegen.errors import UsageError
from safegen.ledger.records import ReleaseRecord
from safegen.workspace.config import find_workspace
from safegen.workspace.session import Session, open_session

NONE = dict.fromkeys(("red", "blue", "unknown"), "0.000")


def add(session: Session, colours: list[str], *, prompt: str = "p") -> list[int]:
    """Record releases whose clips show *colours*."""
    found = []
    for i, colour in enumerate(colours):
        decision = session.ledger.append("decision", {"outcome": "allow"}, {"prompt_sha256": prompt})
        record = ReleaseRecord(
            manifest_id=f"urn:{prompt}:{i}",
            manifest=b"m",
            content_id=i + 1,
            watermark_alg="w",
            attributes=[
                {"name": "colour", "value": colour, "probabilities": {**NONE, colour: "1.000"}},
            ],
            public={"decision": decision, "model": {"name": "tiny", "version": "1", "sha256": "ab"}},
        )
        with session.ledger.transaction() as batch:
            found.append(batch.release(record, sha256=f"{i:064x}", size=1))
    return found


def test_what_was_released_is_counted(tmp_path: Path) -> None:
    with open_session(find_workspace(tmp_path)) as session:
        with pytest.raises(UsageError, match="no release"):
            released(session.ledger)
        first = add(session, ["red", "red", "blue", "unknown"], prompt="a")
        add(session, ["red"], prompt="b")
        session.ledger.withdraw(first[2], "a mistake")
        audit = released(session.ledger)
        (cell,) = audit.cells
        assert {s.name: s.count for s in cell.shares} == {"red": 3, "blue": 0}
        assert (cell.unknown, cell.prompts, cell.group) == (1, 2, "tiny")
        assert audit.outcomes["tiny"] == {"released": 4, "withdrawn": 1}
        aimed = released(session.ledger, targets={"colour": {"red": 3, "blue": 1}})
        assert [s.target for s in aimed.cells[0].shares] == [0.75, 0.25]
        with pytest.raises(UsageError):
            released(session.ledger, attributes=("shape",))
    done = api.released(tmp_path / "out", workspace=tmp_path)
    assert done.audit.cells[0].n == 3
    assert (tmp_path / "out" / "report.html").is_file()
