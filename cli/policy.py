"""``safegen policy``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options
from safegen.cli._output import say, show_document


@click.group("policy")
def command() -> None:
    """List, show, explain, write, compare, test and check policies."""


@command.command("list")
@_options.as_json
def list_(as_json: bool) -> None:
    """List the shipped policies."""
    from safegen import policies
    from safegen.cli._output import print_json

    rows = [policies.load(name) for name in policies.names()]
    if as_json:
        print_json([{"name": p.name, "digest": p.digest, "description": p.description} for p in rows])
        return
    for policy in rows:
        say(f"{policy.name:<22}{policy.digest[:12]}  {' '.join(policy.description.split())}")


@command.command("show")
@click.argument("policy", default="default")
@_options.as_json
def show(policy: str, as_json: bool) -> None:
    """Show everything POLICY decides, with inheritance resolved."""
    import yaml

    from safegen import policies
    from safegen.cli._output import print_json

    found = policies.load(policy)
    content = found.model_dump(mode="json", exclude={"examples"})
    if as_json:
        print_json({**content, "digest": found.digest})
    else:
        say(f"# digest {found.digest}")
        show_document(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


@command.command("explain")
@click.argument("policy")
@click.argument("prompt", required=False)
@_options.as_json
def explain(policy: str, prompt: str | None, as_json: bool) -> None:
    """Explain in words what POLICY does, or, with PROMPT, why that prompt gets its outcome."""
    from safegen import policies
    from safegen.api import screen
    from safegen.cli._output import print_json
    from safegen.cli._policy_view import show_standing, standing_json
    from safegen.policies.engine import explain as in_words

    found = policies.load(policy)
    if prompt is None:
        lines = list(policies.describe_policy(found, policy))
        if as_json:
            print_json({"schema": "safegen.policy-words/1", "name": found.name, "sentences": lines})
        else:
            for line in lines:
                say(line)
        return
    decision = screen(prompt, policy=policy)
    rows = policies.category_standings(decision, found)
    if as_json:
        print_json(standing_json(decision, rows))
    else:
        show_standing(f"{decision.outcome}: {in_words(decision)}", rows)


@command.command("new")
@click.argument("name")
@click.option("--extends", default="default", show_default=True, help="Policy to extend.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="File to write (default: NAME.yaml; never overwrites).",
)
@_options.as_json
def new(name: str, extends: str, out: Path | None, as_json: bool) -> None:
    """Write a starting policy file NAME that extends another policy and already passes its own examples."""
    from safegen import policies
    from safegen.cli._files import write_new
    from safegen.cli._output import show_rows

    path = out or Path(f"{name}.yaml")
    write_new(path, policies.draft(name, extends=extends).encode())
    show_rows({"written": str(path), "next": f"safegen policy lint {path}"}, as_json=as_json)


@command.command("diff")
@click.argument("before")
@click.argument("after")
@click.option(
    "--prompts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='Prompts to compare, one {"id", "text", "label"} per line (default: both policies\' examples).',
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Maximum number of changed prompts to show.",
)
@click.option("--text", is_flag=True, help="Include the prompts' text in --json.")
@_options.as_json
def diff(before: str, after: str, prompts: Path | None, limit: int, text: bool, as_json: bool) -> None:
    """Show what changes from policy BEFORE to AFTER: content, and prompts that get a different outcome."""
    from safegen import policies
    from safegen.cli._output import print_json
    from safegen.cli._policy_view import diff_json, show_diff
    from safegen.screening.comparison import compare_outcomes
    from safegen.screening.labelled import example_prompts, read_prompts

    a, b = policies.load(before), policies.load(after)
    rows = read_prompts(prompts) if prompts is not None else example_prompts(a, b)
    changed, seen = policies.content_changes(a, b), compare_outcomes(rows, a, b)
    if as_json:
        print_json(diff_json(a, b, changed, seen, text=text))
    else:
        show_diff(a, b, changed, seen, limit)


@command.command("test")
@click.argument("names", nargs=-1, metavar="[POLICY]...")
@_options.as_json
def test(names: tuple[str, ...], as_json: bool) -> None:
    """Run the examples in each POLICY (default: all shipped policies). Exit 9 if any outcome differs."""
    from safegen import policies
    from safegen.cli._output import print_json
    from safegen.errors import GateFailed
    from safegen.screening.examples import run_examples

    failures: list[dict[str, str]] = []
    count = 0
    for name in names or policies.names():
        policy = policies.load(name)
        count += len(policy.examples)
        for wrong in run_examples(policy):
            failures.append(
                {
                    "policy": policy.name,
                    "prompt": wrong.example.prompt,
                    "expected": wrong.example.expect,
                    "actual": wrong.actual,
                    "reason": wrong.reason,
                }
            )
    if as_json:
        print_json({"examples": count, "failures": failures})
        click.get_current_context().exit(9 if failures else 0)
    for failure in failures:
        say(
            f"{failure['policy']}: expected {failure['expected']}, got {failure['actual']}: "
            f"{failure['prompt']!r} ({failure['reason']})"
        )
    say(f"{count - len(failures)} of {count} examples as expected")
    if failures:
        raise GateFailed(
            "the policy does not do what its examples say", hint="change the policy or the examples"
        )


@command.command("lint")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@_options.as_json
def lint(files: tuple[Path, ...], as_json: bool) -> None:
    """Check policy files; problems are reported by line. Exit 9 if there are any."""
    from safegen import policies
    from safegen.cli._output import print_json
    from safegen.errors import GateFailed

    problems = [p for file in files for p in policies.lint(file)]
    if as_json:
        print_json(
            [{"path": str(p.path), "line": p.line, "message": p.message, "hint": p.hint} for p in problems]
        )
        click.get_current_context().exit(9 if problems else 0)
    for problem in problems:
        say(
            f"{problem.path}:{problem.line}: {problem.message}"
            + (f" ({problem.hint})" if problem.hint else "")
        )
    if problems:
        raise GateFailed(f"{len(problems)} problem(s) found", hint="correct the lines listed above")
    say("no problems")
