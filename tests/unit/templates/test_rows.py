"""Tables as programs, spreadsheets and people write them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from safegen.errors import UnreadableInput, UsageError
from safegen.templates.csv_table import MAX_LINE, Record, Table


def read(folder: Path, data: bytes | str) -> list[Record]:
    path = folder / "table.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with Table(path) as table:
        return list(table.records())


WANTED = [{"name": "Ann", "colour": "red"}, {"name": "Müller, J.", "colour": "blue"}]
TABLES = {
    "plain": 'name,colour\nAnn,red\n"Müller, J.",blue\n'.encode(),
    "byte order mark": 'name,colour\nAnn,red\n"Müller, J.",blue\n'.encode("utf-8-sig"),
    "semicolons": "name;colour\r\nAnn;red\r\nMüller, J.;blue\r\n".encode(),
    "tabs": "name\tcolour\nAnn\tred\nMüller, J.\tblue".encode(),
    "bars": "name|colour\nAnn|red\nMüller, J.|blue".encode(),
    "utf-16": "name;colour\r\nAnn;red\r\nMüller, J.;blue\r\n".encode("utf-16"),
    "sep line": "sep=;\r\nname;colour\r\nAnn;red\r\nMüller, J.;blue\r\n".encode(),
    "old line ends": "name;colour\rAnn;red\rMüller, J.;blue\r".encode(),
    "spaces and capitals": 'Name , Colour\nAnn, red \n\n,,\n"Müller, J.",blue\n'.encode(),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_all_kinds(name: str, tmp_path: Path) -> None:
    rows = read(tmp_path, TABLES[name])
    assert [dict(r.values) for r in rows] == WANTED
    assert [r.number for r in rows] == [1, 2]


def test_quotes_and_line_breaks_in_them(tmp_path: Path) -> None:
    rows = read(tmp_path, 'a,b\n"say ""hi""",1\n"two\nlines",2\nlast,3\n')
    assert [r.values.get("a") for r in rows] == ['say "hi"', "two\nlines", "last"]
    assert [r.line for r in rows] == [2, 3, 5]


def test_open_quote_takes_one_line_with_it(tmp_path: Path) -> None:
    rows = read(tmp_path, 'a,b\n"open,1\nx,2\ny,3\n"z",4\n')
    assert [bool(r.error) for r in rows] == [True, False, False, False]
    assert [r.values.get("b") for r in rows[1:]] == ["2", "3", "4"]
    assert [r.line for r in rows] == [2, 3, 4, 5]


def test_bad_rows_fail_alone(tmp_path: Path) -> None:
    long = "x" * (3 * MAX_LINE)
    data = f"a,b\n1,2\n1,2,3\n{long},2\nshort\n1,2\n".encode()
    rows = read(tmp_path, data)
    assert [bool(r.error) for r in rows] == [False, True, True, False, False]
    assert dict(rows[3].values) == {"a": "short"}
    assert [r.line for r in rows] == [2, 3, 4, 5, 6]


def test_bytes_that_are_no_text_stay_in_their_row(tmp_path: Path) -> None:
    rows = read(tmp_path, b"a\nJ\xfcrgen\nAnn\n")
    assert rows[0].values["a"] == "J\udcfcrgen"
    assert rows[1].values["a"] == "Ann"


@pytest.mark.parametrize("data", [b"", b"\n\n", b"a,a\n1,2\n", b"\xff\xd8\xff\xe0rest", b'"open\n'])
def test_no_header(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read(tmp_path, data)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(UnreadableInput):
            Table(path)


def test_a_hundred_thousand_rows_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("name,colour\n" + "Ann,red\n" * 100_000)
    tracemalloc.start()
    with Table(path) as table:
        count = sum(1 for r in table.records() if not r.error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 2_000_000
