"""Texts: what they speak of, how labels fall, every way in which a file can be bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from safegen.audit import api, lexicon, texts_report
from safegen.errors import UnreadableInput, UsageError

PEOPLE = lexicon.load("people")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A woman's hat", {("gender", "woman")}),
        ("a black cat on a white wall", set()),
        ("a young black woman smiling", {("age", "young"), ("origin", "african"), ("gender", "woman")}),
        ("an old barn", set()),
        ("two old men, a Latina and her mother",
         {("age", "old"), ("gender", "man"), ("origin", "latin american"), ("gender", "woman")}),
        ("NON-BINARY artist", {("gender", "beyond two")}),
        ("straight ahead", set()),
        ("", set()),
        ("the chef", set()),
    ],
)  # fmt: skip
def test_words_are_found_where_they_mean_people(text: str, found: set[tuple[str, str]]) -> None:
    assert PEOPLE.find_mentions(text) == found


def test_phrases_of_several_words() -> None:
    world = lexicon.load("world")
    found = world.find_mentions("A red ball, rolling left to right over green grass")
    assert {("motion", "left to right"), ("colour", "red"), ("thing", "ball"), ("place", "grass")} <= found
    assert ("motion", "right to left") not in found


def write(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"text": t, "label": label}) + "\n" for t, label in rows))
    return path


def test_shares_duplicates_and_labels(tmp_path: Path) -> None:
    rows = [(f"a man in scene {i}", "unsafe" if i % 2 else "safe") for i in range(200)]
    rows += [(f"a woman in scene {i}", "unsafe" if i % 10 == 0 else "safe") for i in range(100)]
    rows += [("A  MAN in scene 1", "unsafe"), ("nobody here", "safe")]
    found, subject = api.data([write(tmp_path / "a.jsonl", rows)], tmp_path / "report")
    assert (found.texts, found.duplicates) == (301, 1)
    assert found.mentions["gender"] == {"woman": 100, "man": 200, "beyond two": 0}
    assert found.speaking["gender"] == 300
    gender = next(c for c in found.audit.cells if c.attribute == "gender")
    assert gender.shares[1].share == pytest.approx(2 / 3)
    man = next(r for r in found.rates if r.name == "man")
    assert man.differs
    assert man.rate - man.others_rate == pytest.approx(0.4)
    assert 0.25 < man.low < 0.4 < man.high < 0.55
    assert next(r for r in found.rates if r.name == "muslim").why
    assert all(r.label == "unsafe" for r in found.rates)
    body = json.loads((tmp_path / "report" / "audit.json").read_text())
    assert body == json.loads(json.dumps(texts_report.to_json(found, subject)))
    assert "How labels are distributed" in (tmp_path / "report" / "report.html").read_text()


def test_labels_that_fall_evenly_are_not_called_different(tmp_path: Path) -> None:
    labels = ["unsafe" if i % 3 == 0 else "safe" for i in range(300)]
    rows = [(f"a {who} {i}", label) for who in ("man", "woman") for i, label in enumerate(labels)]
    found, _ = api.data([write(tmp_path / "a.jsonl", rows)])
    assert not any(r.differs for r in found.rates)


def test_csv_text_files_and_named_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('words,kind\n"a man, walking",x\na woman,y\n')
    (tmp_path / "b.txt").write_text("\ufeffa girl\n\n  a boy \n", encoding="utf-8")
    found, _ = api.data([tmp_path / "a.csv"], text="words", label="kind")
    assert found.mentions["gender"]["man"] == 1
    assert found.labels == {"x": 1, "y": 1}
    found, _ = api.data([tmp_path / "b.txt"])
    assert (found.texts, found.mentions["gender"]["woman"]) == (2, 1)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"text": "x"}\nnot json\n', "line 2"),
        ("a.jsonl", b"[1]\n", "not an object"),
        ("a.jsonl", b'{"words": "x"}\n', "no text field"),
        ("a.jsonl", b"[" * 100_000, "not JSON"),
        ("a.txt", b"\xff\xfe\x00broken", "UTF-8"),
        ("a.txt", b"\n\n", "no text"),
        ("a.parquet", b"PAR1", ".parquet"),
        ("a.csv", b'text\n"open', "unexpected end"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        api.data([tmp_path / name])


def test_missing_files_columns_and_lexicons(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput):
        api.data([tmp_path / "none.txt"])
    file = write(tmp_path / "a.jsonl", [("x", "y")])
    with pytest.raises(UsageError, match="no field kind"):
        api.data([file], label="kind")
    with pytest.raises(UsageError, match="no lexicon"):
        api.data([file], lexicon="animals")
    (tmp_path / "l.yaml").write_text("about: x\ndimensions: {a: {b: {words: 3}}}\n")
    with pytest.raises(UsageError, match="line 2"):
        api.data([file], lexicon=str(tmp_path / "l.yaml"))
