"""Actions are ordered by how strict they are, and are the plain words wherever they are written."""

from __future__ import annotations

import json
from itertools import combinations, permutations, product

import pytest
import yaml

from safegen.ledger.canonical import canonical
from safegen.types import DECISIONS, Action, PolicyRef, Request

WORDS = ("allow", "pixelate", "blur", "review", "block")
RANK = {word: rank for rank, word in enumerate(WORDS)}


def test_all_there_are_in_order() -> None:
    assert tuple(Action) == WORDS
    assert [a.severity for a in Action] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("other_as_word", [False, True])
@pytest.mark.parametrize(("one", "other"), product(WORDS, WORDS))
def test_every_pair(one: str, other: str, other_as_word: bool) -> None:
    """Against an action and against its word, from both sides."""
    a, b = Action(one), other if other_as_word else Action(other)
    assert (a < b, b > a) == (RANK[one] < RANK[other],) * 2
    assert (a <= b, b >= a) == (RANK[one] <= RANK[other],) * 2
    assert (a > b, b < a) == (RANK[one] > RANK[other],) * 2
    assert (a >= b, b <= a) == (RANK[one] >= RANK[other],) * 2
    assert (a == b) == (one == other)
    assert max(a, b) == max(one, other, key=RANK.__getitem__)
    assert min(a, b) == min(one, other, key=RANK.__getitem__)


def test_every_permutation_of_every_choice() -> None:
    for size in range(1, len(WORDS) + 1):
        for chosen in combinations(Action, size):
            for order in permutations(chosen):
                assert sorted(order) == list(chosen)
                assert max(order) is chosen[-1]
                assert min(order) is chosen[0]


def test_the_order_is_not_that_of_the_letters() -> None:
    """What a plain ``StrEnum`` would say: a refusal would become a hold."""
    assert max("review", "block") == "review"
    assert max(Action.REVIEW, Action.BLOCK) is Action.BLOCK


@pytest.mark.parametrize("word", ["", "Block", "refuse"])
def test_an_unknown_word_is_not_compared(word: str) -> None:
    for compare in (Action.ALLOW.__lt__, Action.ALLOW.__le__, Action.BLOCK.__gt__, Action.BLOCK.__ge__):
        with pytest.raises(ValueError, match="is not a valid Action"):
            compare(word)


@pytest.mark.parametrize("word", WORDS)
def test_it_is_the_word_wherever_it_is_written(word: str) -> None:
    action = Action(word)
    assert json.dumps({action: action}) == json.dumps({word: word})
    assert canonical({"outcome": action}) == canonical({"outcome": word})
    assert (str(action), f"{action:>9}", repr(action)) == (word, f"{word:>9}", repr(word))
    assert {word: 1}[action] == 1
    assert yaml.safe_dump({"action": str(action.value)}) == yaml.safe_dump({"action": word})


def test_the_exit_codes() -> None:
    assert {a.value: a.exit_code for a in Action} == {
        "allow": 0, "pixelate": 7, "blur": 7, "review": 7, "block": 3
    }  # fmt: skip


def test_a_decision_has_the_action_it_stands_for() -> None:
    made = {a: kind(Request("a"), PolicyRef("p", ""), ()) for a, kind in DECISIONS.items()}
    assert {a: d.outcome for a, d in made.items()} == {a: a for a in DECISIONS}
    assert list(DECISIONS) == ["allow", "review", "block"]
