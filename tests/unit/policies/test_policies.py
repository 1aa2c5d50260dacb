"""Policy files: what is refused, with which line; inheritance; digests; the packs' own examples."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from safegen import policies
from safegen.errors import UsageError
from safegen.policies.engine import decide, explain
from safegen.policies.schema import Policy, Rule
from safegen.screening import screen
from safegen.screening.examples import run_examples
from safegen.types import Allowed, CheckRun, Finding, Held, Refused, Request

GOOD = "name: mine\nextends: default\ncategories:\n  sexual: {block: 0.3}\n"


def _write(folder: Path, content: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", policies.names())
def test_packs_do_what_their_examples_say(name: str) -> None:
    policy = policies.load(name)
    assert run_examples(policy) == []
    assert policies.lint(Path(policies.__file__).parent / "packs" / f"{name}.yaml") == ()
    assert len(policy.examples) >= 4


def test_shipped_names() -> None:
    assert set(policies.names()) >= {"default", "strict", "newsroom", "permissive-research"}


DIGESTS = {
    "default": "23208462a02a349a142ac0c9722c0f48324a07d351d077010085ad08a241d115",
    "newsroom": "532506cd3d3673aeb6ff78bc09c3dc7e6797262b71c2575e06850fb6bf9e41c7",
    "permissive-research": "ab48024a6c1a12f6eea853fe070266be3e98f4b6565b71aa85d85f0e3e03d572",
    "strict": "79eb74ac954b8af8344c0a67897adcec5242e6e83d3731bccd7068570323cb6a",
}
"""As they stand in ledgers and manifests: they change with what a policy decides, and with nothing else."""


def test_the_digests_of_the_shipped_policies() -> None:
    assert {name: policies.load(name).digest for name in policies.names()} == DIGESTS


@pytest.mark.parametrize("name", policies.names())
def test_a_policy_written_down_is_the_same_policy(name: str, tmp_path: Path) -> None:
    content = policies.load(name).model_dump(mode="json", exclude={"extends"})
    path = _write(tmp_path, yaml.safe_dump(content, sort_keys=False), f"{name}.yaml")
    assert policies.load(str(path)).digest == DIGESTS[name]


@pytest.mark.parametrize(
    "line",
    [
        "inputs: {forbidden: blur}",
        "languages: {unsupported: allow}",
        "examples: [{prompt: a, expect: pixelate}]",
    ],
)
def test_words_are_neither_blurred_nor_pixelated(line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Input should be"):
        policies.load(str(_write(tmp_path, f"name: mine\nextends: default\n{line}\n")))


def test_default_requires_only_what_is_always_there() -> None:
    policy = policies.load("default")
    assert policy.frames_required == ("blank", "flash")
    assert policy.attributes == ("world",)
    assert policy.training_mining["ai_generative_training"] == "notAllowed"
    assert policy.max_prompt_chars >= 500


def test_strict_is_nowhere_laxer_than_default() -> None:
    strict, default = policies.load("strict"), policies.load("default")
    for category in policies.CATEGORIES:
        loose, tight = default.rule(category).lowest, strict.rule(category).lowest
        if loose is not None:
            assert tight is not None and tight <= loose, category


def test_a_file_extends_a_pack(tmp_path: Path) -> None:
    policy = policies.load(str(_write(tmp_path, GOOD)))
    assert policy.name == "mine"
    assert policy.rule("sexual") == Rule(block=0.3)
    assert policy.rule("hate") == policies.load("default").rule("hate")
    assert policy.examples == ()
    assert policy.digest != policies.load("default").digest


def test_digest_is_about_content_not_layout(tmp_path: Path) -> None:
    one = policies.load(str(_write(tmp_path, GOOD)))
    two = policies.load(
        str(
            _write(tmp_path, "# why\nextends: default\nname: mine\ncategories:\n  sexual:\n    block: 0.30\n")
        )
    )
    three = policies.load(str(_write(tmp_path, GOOD.replace("0.3", "0.31"))))
    assert one.digest == two.digest != three.digest


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (GOOD + "categorys: {}\n", 5, "categorys"),
        (GOOD + "  hat: {block: 0.5}\n", 5, "hat"),
        (GOOD + "  hate: {block: 1.5}\n", 5, "hate"),
        (GOOD + "  hate: {block: 0}\n", 5, "hate"),
        (GOOD + "  hate: {block: .nan}\n", 5, "hate"),
        (GOOD + "  hate: {review: 0.9, block: 0.5}\n", 5, "review"),
        (GOOD + "  hate: {blok: 0.5}\n", 5, "blok"),
        (GOOD + "  hate: soon\n", 5, "hate"),
        (GOOD + "  sexual: {block: 0.5}\n", 5, "twice"),
        (GOOD + "languages: {unsupported: allow}\n", 5, "languages"),
        (GOOD + "examples:\n  - {prompt: x, expect: maybe}\n", 6, "expect"),
        (GOOD + "examples:\n  - {prompt: x, expect: allow, category: nope}\n", 6, "nope"),
        (GOOD + "lists: [wepons]\n", 5, "wepons"),
        (GOOD + "generation: {max_prompt_chars: -1}\n", 5, "max_prompt_chars"),
        (GOOD + "generation:\n  training_mining: {ai_training: never}\n", 6, "ai_training"),
        ("name: mine\nextends: defalt\n", 2, "defalt"),
        ("name: mine\nextends: [default]\n", 2, "extends"),
        ("extends: default\n", 1, "name"),
        ("name: 'a b'\nextends: default\n", 1, "name"),
        ("name: mine\n", 1, "categories"),
        ("- name\n", 1, "mapping"),
        ("name: [mine\n", 2, ""),
        ("name: mine\n\tx: y\n", 2, ""),
        ("", 1, ""),
        ("name: mine\nextends: default\n1: x\n", 3, "text"),
        ("name: mine\nextends: mine.yaml\n", 2, "forms a loop"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_their_line(tmp_path: Path, content: str, line: int, words: str) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(UsageError) as e:
        policies.load(str(path))
    assert f"mine.yaml, line {line}:" in str(e.value)
    assert words in str(e.value)
    assert e.value.hint
    problems = policies.lint(path)
    assert problems
    assert problems[0].line == line
    assert not problems[0].message.startswith(path.name)  # the line is said once


def test_typos_get_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown key") as e:
        policies.load(str(_write(tmp_path, GOOD + "generaton: {}\n")))
    assert "generation" in e.value.hint


def test_a_circle_through_two_files(tmp_path: Path) -> None:
    _write(tmp_path, "name: a\nextends: b.yaml\n", "a.yaml")
    _write(tmp_path, "name: b\nextends: a.yaml\n", "b.yaml")
    with pytest.raises(UsageError, match="forms a loop"):
        policies.load(str(tmp_path / "a.yaml"))
    [problem] = policies.lint(tmp_path / "a.yaml")  # what is wrong in b.yaml lies at the link to it
    assert problem.line == 2 and problem.message.startswith("b.yaml, line 2: ")


def test_a_billion_laughs_is_refused(tmp_path: Path) -> None:
    lines = ["name: mine", "a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(UsageError):
        policies.load(str(_write(tmp_path, "\n".join(lines))))


@pytest.mark.parametrize("name", ["nowhere.yaml", "no/such/file.yaml", "Default"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(UsageError) as e:
        policies.load(name)
    assert "default" in e.value.hint


def test_lint_says_what_is_unwise(tmp_path: Path) -> None:
    path = _write(tmp_path, "name: mine\ncategories: {}\nchecks: {required: []}\n")
    said = " ".join(p.message for p in policies.lint(path))
    assert "no prompt check" in said
    assert "no examples" in said
    assert "no category" in said


def test_run_examples_reports_mismatches(tmp_path: Path) -> None:
    path = _write(tmp_path, GOOD + "examples:\n  - {prompt: a red ball, expect: block}\n")
    [wrong] = run_examples(policies.load(str(path)))
    assert (wrong.example.expect, wrong.actual) == ("block", "allow")
    assert wrong.reason


def test_a_score_keeps_its_band_and_rises_with_the_overall_probability() -> None:
    policy = policies.load("default")
    alone = _decide(policy, ("copyright_ip", 0.6)).score
    harmless = _decide(policy, ("copyright_ip", 0.6), ("unsafe", 0.03)).score
    harmful = _decide(policy, ("copyright_ip", 0.6), ("unsafe", 0.9)).score
    assert 0.5 <= harmless < alone < harmful < 0.8
    assert _decide(policy, ("unsafe", 0.03)).score < _decide(policy, ("unsafe", 0.85)).score < 0.5
    assert _decide(policy, ("weapons", 0.9), ("unsafe", 0.0)).score >= 0.8
    assert _decide(policy, ("weapons", 1.0), ("unsafe", 1.0)).score == 1.0
    name = screen(Request("Mickey Mouse riding a bicycle"), policy=policy)
    assert "unsafe" not in name.categories and 0.5 <= name.score < alone


def _decide(policy: Policy, *scores: tuple[str, float]) -> Allowed | Held | Refused:
    findings = [Finding(c, s, "rules", "because", (0, 1), "a") for c, s in scores]
    return decide(
        Request("a b c"), policy=policy, findings=findings, checks=[CheckRun("rules", "1", "0" * 64)]
    )


def test_engine_table() -> None:
    policy = Policy(
        name="p",
        categories={"hate": Rule(review=0.4, block=0.8), "sexual": Rule(block=0.5), "weapons": Rule()},
    )
    assert isinstance(_decide(policy, ("hate", 0.39)), Allowed)
    assert isinstance(_decide(policy, ("hate", 0.4)), Held)
    assert isinstance(_decide(policy, ("hate", 0.8)), Refused)
    assert isinstance(_decide(policy, ("hate", 0.5), ("sexual", 0.5)), Refused)
    assert isinstance(_decide(policy, ("weapons", 1.0), ("privacy", 1.0)), Allowed)
    refused = _decide(policy, ("hate", 0.5), ("sexual", 0.9))
    assert [f.threshold for f in refused.findings] == [0.5, 0.4]
    assert refused.categories == {"sexual": 0.9, "hate": 0.5}
    assert "sexual content" in explain(refused)
