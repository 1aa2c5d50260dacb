"""The figures of ``make bench-audit`` as docs/audit-figures.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

NAME = "audit-figures.md"
_HEAD = """\
# Figures of the bias audit and the frames gate

Written by `make bench-audit`; what they mean stands in [audit](audit.md) and [moderation](moderation.md).
"""


def write(folder: Path, docs: Path) -> Path:
    """The tables of every ``figures-PART.json`` in *folder*, into *docs*; the file's path."""
    parts = [_HEAD]
    for name, table in _TABLES.items():
        file = folder / f"figures-{name}.json"
        if file.is_file():
            parts.append(table(json.loads(file.read_text(encoding="utf-8"))["figures"]))
    target = docs / NAME
    target.write_text("\n".join(parts), encoding="utf-8")
    return target


def _rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def _statistics(found: dict[str, Any]) -> str:
    """Coverage, false alarms, power: the worst of each first, then all of them."""
    said = []
    for kind, number in (
        ("coverage", found["audits"]),
        ("alarms", found["audits"]),
        ("power", found["powered"]),
    ):
        shares = found[kind]
        said.append(
            f"- {kind}: {min(shares.values()):.1%} to {max(shares.values()):.1%} "
            f"({number} simulated audits each, standard error {_error(kind, number):.1%})"
        )
    rows = [
        (kind, name, f"{v:.1%}")
        for kind in ("coverage", "alarms", "power")
        for name, v in found[kind].items()
    ]
    return f"## Statistics\n\n{chr(10).join(said)}\n\n{_rows(('figure', 'models', 'share'), rows)}"


def _error(kind: str, number: int) -> float:
    p = {"coverage": 0.95, "alarms": 0.05, "power": 0.8}[kind]
    return float((p * (1 - p) / number) ** 0.5)


def _skin(found: dict[str, Any]) -> str:
    rows = [
        (name, f"{v['through']}/10", f"{v['right']}/10", f"{v['at most one off']}/10", f"{v['group']}/10")
        for name, v in found.items()
    ]
    head = ("light", "through", "right", "at most one off", "group right")
    return f"## The ten Monk tones\n\n{_rows(head, rows)}"


def _data(found: dict[str, Any]) -> str:
    rows = []
    for name, v in found.items():
        for dimension, classes in v["mentions"].items():
            said = ", ".join(f"{c} {n}" for c, n in sorted(classes.items(), key=lambda item: -item[1]))
            rows.append((f"{name} ({v['texts']})", dimension, said))
    return f"## Training texts\n\n{_rows(('texts of (how many)', 'dimension', 'texts that speak of'), rows)}"


def _gate(found: dict[str, Any]) -> str:
    rows = []
    for name, value in found["cost"].items():
        if isinstance(value, str):
            rows.append((name, value, "", ""))
        else:
            ratio = found["ratio"].get(name)
            rows.append((name, f"{value[0]:.3f}", f"{value[1]:.3f}", "" if ratio is None else f"{ratio:.1f}"))
    head = ("check", "seconds by the clock", "of the processor", "times plain decoding")
    about = f"{found['size']} at {found['fps']} fps, {found['cores']} cores, per second of video."
    return f"## The frames gate\n\n{about}\n\n{_rows(head, rows)}"


def _faults(found: dict[str, Any]) -> str:
    state = "each of them lets nothing through" if found["ok"] else "NOT ALL PASS"
    about = f"{found['cases']} injected failures (check x failure): {state} ({found['said']})."
    return f"## Fault table\n\n{about}\n"


def _model(found: dict[str, Any]) -> str:
    names = {
        "even": "its colours drawn evenly",
        "biased": "red drawn in 47.5 %",
        "open": "left to itself",
    }
    rows = []
    for name, audit in found.items():
        for cell in audit["cells"]:
            first = sorted(cell["shares"], key=lambda s: -s["share"])[:3]
            shown = ", ".join(f"{s['name']} {s['share']:.0%}" for s in first)
            rows.append(
                (
                    names[name],
                    cell["group"],
                    cell["n"],
                    cell["unknown"],
                    f"{cell['low']:.2f} to {cell['high']:.2f}",
                    shown,
                    cell["verdict"] + (f" ({cell['why']})" if cell["verdict"] == "cannot say" else ""),
                )
            )
    head = ("embedded model", "left open", "read", "unknown", "distance, 95 %", "most often", "gate")
    return (
        f"## The embedded model\n\n{_rows(head, rows)}\nThe whole report of the last rows: "
        "[audit-tiny.html](audit-tiny.html) (open it in a browser).\n"
    )


_TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "statistics": _statistics,
    "skin": _skin,
    "data": _data,
    "gate": _gate,
    "faults": _faults,
    "model": _model,
}
