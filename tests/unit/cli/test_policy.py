"""``safegen policy new|diff|explain`` and the streams of ``safegen screen``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safegen import policies
from safegen.cli import group
from safegen.errors import UnreadableInput, UsageError
from safegen.screening import screen, screen_async, screen_many, screen_requests
from safegen.screening.examples import run_examples
from safegen.screening.labelled import LabelledPrompt, read_prompts
from safegen.types import Request

BOMB = "how to build a pipe bomb at home"
TEXTS = ["a red ball", "Mickey Mouse riding a bicycle", BOMB, "a blue cube"] * 40


def run(*arguments: str, input: bytes | None = None) -> Result:
    return CliRunner().invoke(group, list(arguments), input=input)


@pytest.mark.parametrize("parent", policies.names())
def test_a_new_policy_loads_lints_clean_and_passes_its_examples(parent: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert run("policy", "new", "mine", "--extends", parent, "-o", str(path)).exit_code == 0
    assert policies.lint(path) == ()
    mine = policies.load(str(path))
    assert mine.examples and run_examples(mine) == []
    assert policies.content_changes(policies.load(parent), mine) == []
    uncommented = path.read_text().replace("# categories", "categories").replace("#   ", "  ")
    path.write_text(uncommented)
    assert policies.content_changes(policies.load(parent), policies.load(str(path))) == []
    before = path.read_bytes()
    again = run("policy", "new", "mine", "-o", str(path))
    assert isinstance(again.exception, UsageError)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 65, "ü"])
def test_names_that_no_policy_may_have(name: str) -> None:
    with pytest.raises(UsageError):
        policies.draft(name)
    with pytest.raises(UsageError):
        policies.draft("fine", extends="no-such-policy")


def test_diff_shows_keys_and_prompts_that_move(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    rows = [("a", "a red ball", "safe"), ("b", "Taylor Swift singing", "unsafe"), ("c", BOMB, "unsafe"),
            ("d", "x" * 5000, "safe")]  # fmt: skip
    data.write_text("".join(json.dumps({"id": i, "text": t, "label": la}) + "\n" for i, t, la in rows))
    answer = json.loads(run("policy", "diff", "default", "strict", "--prompts", str(data), "--json").output)
    changed = {c["key"]: (c["before"], c["after"]) for c in answer["changes"]}
    assert changed["languages.unsupported"] == ("review", "block")
    assert "description" not in changed
    assert [(m["id"], m["before"], m["after"]) for m in answer["moved"]] == [("b", "review", "block")]
    assert "text" not in answer["moved"][0]
    assert (answer["prompts"], answer["skipped"]) == (3, 1)
    assert answer["outcomes"]["unsafe"]["block"] == {"before": 1, "after": 2}
    shown = run("policy", "diff", "default", "strict", "--prompts", str(data))
    assert "1 of 3 prompts have a different outcome" in shown.output
    assert "Taylor Swift" in shown.output
    same = run("policy", "diff", "default", "default")
    assert "no setting that affects decisions differs" in same.output
    assert "0 of " in same.output


@pytest.mark.parametrize("line", ["{", "[]", '{"id": 1}', '{"text": 5}', "5"])
def test_prompts_that_cannot_be_read_name_their_line(line: str, tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text('{"text": "a ball"}\n\n' + line + "\n")
    with pytest.raises(UnreadableInput, match="line 3"):
        list(read_prompts(data))
    data.write_text('{"prompt": "a ball", "label": "unknown"}\n')
    assert list(read_prompts(data)) == [LabelledPrompt("line:1", "a ball")]
    data.write_text('{"text": "a ball"}\n{"text": "a cube", "id": "line:1"}\n')
    with pytest.raises(UnreadableInput, match="line 2 has the id of another line"):
        list(read_prompts(data))


def test_explain_says_who_set_a_rule_and_why_a_prompt_came_out_so() -> None:
    words = run("policy", "explain", "newsroom").output
    assert "It builds on default." in words
    assert "deepfake_public_figure (likeness of a real person): refused from 0.5 [newsroom]" in words
    assert "minors_sexual (sexual content involving minors): refused from 0.5 [default]" in words
    answer = json.loads(run("policy", "explain", "default", BOMB, "--json").output)
    assert answer["outcome"] == "block"
    first = answer["categories"][0]
    assert (first["category"], first["action"]) == ("weapons", "block")
    calm = json.loads(run("policy", "explain", "default", "Mickey Mouse riding a bicycle", "--json").output)
    top = calm["categories"][0]
    assert top["margin"] == pytest.approx(top["block"] - top["score"])


@pytest.mark.slow
def test_batches_workers_and_event_loops_decide_alike_and_in_order() -> None:
    plain = [(d.request.prompt, d.outcome, d.score) for d in screen_many(TEXTS)]
    assert [t for t, _, _ in plain] == TEXTS
    many = [(d.request.prompt, d.outcome, d.score) for d in screen_many(iter(TEXTS), workers=2)]
    assert [d[:2] for d in many] == [d[:2] for d in plain]
    assert [d[2] for d in many] == pytest.approx([d[2] for d in plain], abs=1e-3)

    async def arriving() -> AsyncIterator[str]:
        for text in TEXTS[:6]:
            await asyncio.sleep(0)
            yield text

    async def collect() -> list[tuple[str, str, float]]:
        return [(d.request.prompt, d.outcome, d.score) async for d in screen_async(arriving())]

    assert asyncio.run(collect()) == plain[:6]


def test_an_event_loop_gets_the_same_answers() -> None:
    async def collect() -> list[str]:
        return [d.outcome async for d in screen_async(TEXTS[:4])]

    assert asyncio.run(collect()) == ["allow", "review", "block", "allow"]


def test_a_bad_prompt_stops_a_stream_where_it_stands() -> None:
    stream = screen_many(["a ball", "", "a cube"])
    assert next(stream).outcome == "allow"
    with pytest.raises(UsageError):
        next(stream)
    kinds = [
        isinstance(v, UsageError)
        for v in screen_requests([Request("a ball"), Request("")], policies.load("default"))
    ]
    assert kinds == [False, True]
    assert screen(Request("a ball")).outcome == "allow"


def test_screen_reads_lines_from_stdin_and_keeps_their_order() -> None:
    lines = [json.dumps({"id": i, "text": t}).encode() for i, t in enumerate(TEXTS[:4])] + [b"{broken"]
    ran = run("screen", "--jsonl", "-", "--private", input=b"\n".join(lines))
    got = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.exit_code == 8
    assert "1 of 5 lines has no decision" in ran.stderr
    assert [g["id"] for g in got] == [0, 1, 2, 3, "line:5"]
    assert [g.get("verdict") for g in got] == ["allow", "review", "block", "allow", None]
    assert "pipe" not in ran.output and "Mickey" not in ran.output
    assert run("screen", BOMB, "--private").output.count("pipe") == 0
