"""The recipe's own rows, and what an identity term is replaced by."""

from __future__ import annotations

import pytest

from safegen.detectors.prompt._identity import neutralise_identity
from safegen.detectors.prompt._vectorise import feature_words
from training.guard import asked, benign, unlabelled, unsafe
from training.guard.data import Row, is_held_out


def test_generated_rows_are_the_same_every_time() -> None:
    rows = benign.rows(scale=0.02)
    assert rows == benign.rows(scale=0.02)
    assert {"gen_sentences", "gen_instructions", "gen_foreign"} <= {r.source for r in rows}
    assert not any(r.unsafe or "{" in r.text or not r.text.strip() for r in rows)
    assert all(r.unsafe and "{" not in r.text for r in unsafe.rows(scale=0.02))


def test_names_stand_in_harmless_and_in_harmful_rows_and_never_in_sexual_ones() -> None:
    rows = asked.rows(scale=0.1)
    assert rows == asked.rows(scale=0.1)
    assert {r.unsafe for r in rows} == {False, True}
    assert not any(r.category == "sexual" or "{" in r.text for r in rows)
    known = asked.names("public_figures", "characters")
    assert all(any(name in r.text.lower() for name in known) for r in rows[:100])
    base = [Row(f"a dog on a beach, number {i}", i % 2 == 0, "benign", "coprov2") for i in range(40)]
    copies = asked.with_artists(base, count=20)
    assert sum(r.unsafe for r in copies) == 10
    assert all(r.text.startswith(r.origin + ", ") and r.origin in {b.text for b in base} for r in copies)


def test_texts_without_labels_are_new_and_the_same_every_time() -> None:
    rows = benign.rows(scale=0.05) + unsafe.rows(scale=0.05)
    texts = unlabelled.texts(rows, 3000)
    assert texts == unlabelled.texts(rows, 3000)
    assert len(texts) == len(set(texts)) > 2500
    assert not set(texts) & {r.text for r in rows}


def test_altered_copies_of_held_out_rows_are_held_out() -> None:
    rows = [Row(f"a prompt of number {i}", False, "benign", "overt_safe") for i in range(60)]
    kept = [r for r in rows if is_held_out(r)]
    assert 0 < len(kept) < 20
    assert all(is_held_out(r.with_text("other words", r.source + "+style")) for r in kept)
    assert is_held_out(Row("x", False, "benign", "fetv"))
    assert not is_held_out(Row("x", False, "benign", "coco_captions"))


@pytest.mark.parametrize(
    "term",
    ["gay", "Middle Eastern", "middle-eastern", "South Asian", "African American", "physically disabled",
     "non-binary", "Native American", "working-class", "visually impaired"],
)  # fmt: skip
def test_who_somebody_is_leaves_no_trace_in_the_features(term: str) -> None:
    article = "an" if term[0].lower() in "aeiou" else "a"
    text = f"{article} {term} woman running from the police".lower()
    assert feature_words(text) == feature_words("a norwegian woman running from the police")


@pytest.mark.parametrize(
    "text", ["the middle of the eastern wall", "a western film", "a south wind", "an old car"]
)
def test_other_words_stay(text: str) -> None:
    assert neutralise_identity(text) == text
