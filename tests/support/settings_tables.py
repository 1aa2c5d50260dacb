"""The tables of settings in the docs, made from ``safegen.request.settings``.

``python -m tests.support.settings_tables`` rewrites those in docs/ways.md and docs/templates.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from safegen.request import settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
START = "<!-- settings: made by `python -m tests.support.settings_tables` -->"
END = "<!-- end of settings -->"


def ways() -> str:
    """Every setting of a way of working."""
    rows = ["| option | in files and Python | value | default | what it is |", "|---|---|---|---|---|"]
    for s in settings.SETTINGS:
        if s.places & {"clip", "remix"}:
            where = f"`{s.name}`" + _only(s)
            rows.append(f"| `{s.option}` | {where} | {s.values} | {s.meaning_unset} | {s.help} |")
    return "\n".join(rows)


def templates() -> str:
    """The settings of a template's file and of its runs."""
    rows = ["| setting | value | in the file | option of `run` |", "|---|---|---|---|"]
    for s in settings.SETTINGS:
        if s.places & {"template", "template run"}:
            in_file = "yes" if "template" in s.places else ""
            option = f"`{s.option}`" if "template run" in s.places else ""
            rows.append(f"| `{s.name}` | {s.values} | {in_file} | {option} |")
    return "\n".join(rows)


TABLES: dict[str, Callable[[], str]] = {"ways.md": ways, "templates.md": templates}


def with_table(page: str, table: str) -> str:
    """*page* with *table* between the marks. Raises ValueError where a mark is missing."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{table}\n{END}{after}"


def _only(setting: settings.Setting) -> str:
    if "remix" in setting.places:
        return " (`remix`)"
    return "" if "storyboard" in setting.places else " (Python)"


if __name__ == "__main__":
    for name, table in TABLES.items():
        page = DOCS / name
        page.write_text(with_table(page.read_text(encoding="utf-8"), table()), encoding="utf-8")
