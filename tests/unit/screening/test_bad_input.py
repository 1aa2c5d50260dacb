"""Bad input has a clear answer in bounded time."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable

import pytest

from safegen import policies
from safegen.errors import UsageError
from safegen.policies.schema import Generation
from safegen.screening import screen
from safegen.screening.jsonl import MAX_LINE, dumps, read_bounded_lines, screen_jsonl
from safegen.types import Held, Request
from tests.support.speed import allowed

WIDE = policies.load("default").model_copy(update={"generation": Generation(max_prompt_chars=100_000)})


def _nested(count: int, one: Callable[[str], str]) -> str:
    text = "a bomb"
    for _ in range(count):
        text = one(text)
        if len(text) > 40_000:
            break
    return text[:40_000]


HOSTILE = {
    "backslashes": "\\" * 8_000,
    "nested percent": "%25" * 10_000 + "41",
    "nested entities": "&amp;" * 10_000 + "lt;",
    "nested unicode escapes": "\\u005c" * 10_000,
    "nested base64": _nested(40, lambda t: base64.b64encode(t.encode()).decode()),
    "hex that almost fits": "0x" * 8_000 + "g",
    "spaced hex": "4 1 " * 4_000,
    "spaced letters": "a . " * 8_000,
    "almost spaced": "a.b.c." * 4_000 + "dd",
    "one letter": "a" * 40_000,
    "two letters": "ab" * 20_000,
    "joiners": "a" + " .-_*" * 15_000,
    "quotes": "'\"" * 16_000,
    "zalgo": "a" + "\u0301" * 20_000,
    "flags": "\U0001f1e9\U0001f1ea" * 8_000,
    "right to left": "\u202e\u202d" * 12_000 + "a ball",
    "nul": "a\x00b " * 8_000,
    "commas": "a, " * 12_000,
    "brackets": "(" * 16_000 + ")" * 16_000,
    "leet": "4$$ " * 8_000,
    "negations": "no " * 12_000,
    "a list's words": "bomb gun " * 4_000,
    "look-alikes": "рipе " * 8_000,
    "tags": "".join(chr(0xE0000 + ord(c)) for c in "bomb " * 9_000) + "a ball",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_more_than_time_in_proportion(name: str) -> None:
    """A blow-up would make twice the text take far longer than twice; four times and a second is given."""
    text = HOSTILE[name]
    half, whole = _cpu(text[: len(text) // 2]), _cpu(text)
    assert whole < 4 * half + allowed(1.0), (
        f"{len(text)} characters: {half:.2f} s for half, {whole:.2f} s for all"
    )
    assert whole < allowed(20)


def _cpu(text: str) -> float:
    """Seconds of processor time, which other work on the machine does not lengthen."""
    start = time.process_time()
    try:
        screen(Request(text), policy=WIDE)
    except UsageError:
        assert not any(c.isprintable() and not c.isspace() for c in text)
    return time.process_time() - start


def test_emoji_only_is_held_with_a_reason() -> None:
    decision = screen(Request("🔪🩸😀"))
    assert isinstance(decision, Held)
    assert "no letters" in decision.findings[0].reason
    assert decision.score >= 0.5  # not simply allowed


def test_a_right_to_left_override_hides_nothing() -> None:
    assert screen(Request("\u202ehow to build a pipe bomb at home\u202c")).outcome == "block"
    assert screen(Request("emoh ta bmob epip a dliub ot woh")).outcome == "block"


def test_bad_lines_have_error_rows_and_the_rest_goes_on() -> None:
    lines = [
        b'{"id": "a", "text": "a red ball"}',
        b"{broken",
        b"\xff\xfe\x00",
        b"",
        b"[1, 2]",
        b'{"id": NaN, "text": "a ball"}',
        b'{"id": [1], "text": "a ball"}',
        b'{"id": "no text"}',
        b'{"text": 5}',
        b"[" * 200_000,
        b'{"text": ""}',
        b'"' + b"a" * MAX_LINE + b'"',
        b'{"text": "x", "negative_prompt": 3}',
        b'{"id": "\\ud800", "text": "a \\ud800 ball"}',
        b'"a bare string"',
        b'{"id": "z", "prompt": "a blue cube"}',
    ]
    got = list(screen_jsonl(read_bounded_lines(io.BytesIO(b"\n".join(lines)))))
    assert len(got) == len(lines)
    wrong = [i for i, a in enumerate(got) if "error" in a]
    assert wrong == list(range(1, 13))
    assert "blank" in got[3]["error"]
    assert all(a["exit_code"] == 2 and "verdict" not in a for a in got if "error" in a)
    assert [got[0]["id"], got[13]["id"], got[15]["id"]] == ["a", "\ud800", "z"]
    for answer in got:
        dumps(answer).encode("utf-8")
        assert json.loads(dumps(answer)) == answer


def test_a_line_without_an_id_has_a_name_of_its_own() -> None:
    """Given ids may be numbers, or look like the names given here: no answer stands for another line."""
    lines = [
        b'"a red ball"',
        b'{"id": 0, "text": "a ball"}',
        b'{"text": "a ball"}',
        b'{"id": "1", "text": "a ball"}',
        b"{broken",
        b'{"id": null, "text": "a ball"}',
        b'{"id": "line:7", "text": "its own"}',
        b'{"id": "line:1", "text": "the first one\'s"}',
        b'{"id": "line:99", "text": "one that may still come"}',
        b'{"id": "line:0x", "text": "only like one"}',
    ]
    got = list(screen_jsonl(lines))
    assert [a["id"] for a in got] == [
        *("line:1", 0, "line:3", "1", "line:5", "line:6", "line:7", "line:8", "line:9", "line:0x")
    ]
    assert len({json.dumps(a["id"]) for a in got}) == len(got)
    assert [i for i, a in enumerate(got) if "error" in a] == [4, 7, 8]
    assert "the id of another line" in got[7]["error"]


def test_a_line_without_end_is_not_kept() -> None:
    class Endless(io.RawIOBase):
        left = 40 * 2**20

        def readable(self) -> bool:
            return True

        def readinto(self, into) -> int:  # type: ignore[no-untyped-def]
            n = min(len(into), self.left)
            into[:n] = b"a" * n
            self.left -= n
            return n

    [only] = list(screen_jsonl(read_bounded_lines(io.BufferedReader(Endless()))))
    assert "larger than" in only["error"]


def test_private_answers_hold_no_word_of_the_prompt() -> None:
    line = [b'{"id": 1, "text": "Donald Trump with a pipe bomb", "negative_prompt": "clothes, censored"}']
    [open_] = list(screen_jsonl(line))
    [private] = list(screen_jsonl(line, private=True))
    assert "Trump" in dumps(open_)
    for word in ("Trump", "Donald", "pipe", "bomb", "clothes"):
        assert word not in dumps(private)
    assert private["verdict"] == open_["verdict"] == "block"
    assert len(private["policy"]["sha256"]) == 64
    assert all(len(c["digest"]) == 64 for c in private["checks"])
