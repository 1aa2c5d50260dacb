"""Help for everything, text that cannot steer a terminal, completion, exit codes that are documented."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from safegen.cli import group
from safegen.cli.verify import LEVELS
from safegen.types import Verdict

ROOT = Path(__file__).resolve().parents[3]


def commands(node: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, node)]
    if isinstance(node, click.Group):
        context = click.Context(node)
        for name in node.list_commands(context):
            child = node.get_command(context, name)
            assert child is not None
            found += commands(child, (*path, name))
    return found


ALL = commands(group)


@pytest.mark.parametrize("path", [p for p, _ in ALL], ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(group, [*path, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output


@pytest.mark.parametrize(("path", "command"), [(p, c) for p, c in ALL if p], ids=lambda v: str(v))
def test_every_command_and_option_is_explained(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help, path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.name in {"limit"}, (path, parameter.name)


RESULTS = [p for p, c in ALL if p and not isinstance(c, click.Group)]


@pytest.mark.parametrize("path", RESULTS, ids=" ".join)
def test_every_command_with_a_result_speaks_json(path: tuple[str, ...]) -> None:
    command = dict(ALL)[path]
    names = {p.name for p in command.params}
    is_text_already = path in {("log", "proof"), ("log", "export")}
    assert "as_json" in names or is_text_already


def test_hostile_manifest_text_does_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from safegen.cli import _verify_view as view
    from safegen.cli._output import console
    from safegen.types import CredentialsEvidence, CredentialState, Report

    evil = "\x1b]0;owned\x07[bold]x[/bold]"
    credentials = CredentialsEvidence(CredentialState.VALID, signer=evil, manifest={"title": evil})
    report = Report(Path(evil), "0" * 64, Verdict.SIGNED_UNTRUSTED, evil, (evil,), credentials)
    view.show(report, console(plain=True), explain=True)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]x[/bold]" in out


def test_verdicts_of_the_help_are_those_of_the_table() -> None:
    text = CliRunner().invoke(group, ["verify", "--help"]).output
    document = (ROOT / "docs/verify.md").read_text(encoding="utf-8")
    for verdict in Verdict:
        assert f"{verdict.exit_code} {verdict.name}" in " ".join(text.split())
        assert f"| {verdict.exit_code} | {verdict.name} |" in document


def test_levels_of_require_are_ordered() -> None:
    from safegen.cli.verify import _meets_level
    from safegen.types import CredentialsEvidence, CredentialState, Report

    nothing = CredentialsEvidence(CredentialState.ABSENT)
    passing = [
        {v for v in Verdict if _meets_level(Report(Path("x"), "", v, "", (), nothing), level)}
        for level in LEVELS
    ]
    assert all(small < large for small, large in itertools.pairwise(passing))
    contradictions = {Verdict.TAMPERED, Verdict.CONFLICT, Verdict.NO_PROVENANCE}
    assert not passing[-1] & contradictions


def test_completion_is_offered() -> None:
    import os

    env = {**os.environ, "_SAFEGEN_COMPLETE": "bash_source"}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['safegen']; from safegen.cli import main; main()"],
        env=env,
        capture_output=True,
        text=True,
    )
    assert "_safegen_completion" in done.stdout


def test_bug_is_named_and_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from safegen import api
    from safegen.cli._run import run

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(api, "screen", broken)
    monkeypatch.setattr(sys, "argv", ["safegen", "screen", "x", "--json"])
    with pytest.raises(SystemExit) as caught:
        run(group)
    assert caught.value.code == 1
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "Bug"
