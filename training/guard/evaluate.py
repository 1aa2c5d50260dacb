"""The shipped classifier with its rules, on sources that training never saw."""

from __future__ import annotations


def table() -> str:
    """Markdown table of every figure; see ``benchmarks.screening.measure``."""
    from benchmarks.screening.measure import figures
    from benchmarks.screening.systems import embedded

    rows = [f"| {name} | {value:.3f} |" for name, value in figures(embedded()).items()]
    return "\n".join(["| | embedded |", "|---|---|", *rows])
