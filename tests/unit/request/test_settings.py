"""One table of settings: whatever takes, checks, records or documents a setting follows it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import typing
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel, ValidationError

from safegen.audit.schema import ClipSettings
from safegen.cli import group
from safegen.errors import UsageError
from safegen.generators.registry import find_generator
from safegen.pipeline.environment import request_json
from safegen.pipeline.find_release import _request as restored
from safegen.request import build, storyboard
from safegen.request.build import RequestSettings
from safegen.request.settings import (
    SETTINGS,
    Place,
    Setting,
    check_settings,
    names_for,
    setting_named,
    settings_for,
)
from safegen.request.validate import check_request
from safegen.templates import Options
from safegen.templates.schema import Variant
from safegen.types import Input, Request, Shot
from tests.e2e.painter import Painter
from tests.support import settings_tables

ROOT = Path(__file__).resolve().parents[3]
RANGED = [s for s in SETTINGS if s.least is not None]
WAYS = ("generate", "remix", "extend", "loop", "blend", "storyboard")


def command_named(name: str) -> click.Command:
    """A command, imported now."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


def just_outside(setting: Setting) -> list[float]:
    """The nearest values that are out of range."""
    assert setting.least is not None and setting.most is not None
    step = 1 if setting.kind is int else 0.001
    return [setting.least if setting.above else setting.least - step, setting.most + step]


def bounds(setting: Setting) -> list[float]:
    """The first and last value of the range."""
    assert setting.least is not None and setting.most is not None
    return [setting.least + (0.001 if setting.above else 0), setting.most]


def test_names_are_told_once() -> None:
    names = [s.name for s in SETTINGS]
    assert len(set(names)) == len(names)
    assert {p for s in SETTINGS for p in s.places} == set(typing.get_args(Place))


def test_lists_that_are_written_down_keep_their_names_and_order() -> None:
    sizes = ("width", "height", "seconds", "fps", "steps", "guidance")
    assert names_for("ledger") == ("model", "policy", "seed", *sizes, "strength")
    assert names_for("dry run") == sizes
    assert names_for("storyboard") == (
        *("model", "policy", "negative_prompt", "seed", "size", "aspect"),
        *sizes,
    )
    assert names_for("clip") == (*names_for("storyboard"), "options")
    asked = Request(
        "a",
        "b",
        seed=5,
        width=64,
        height=32,
        seconds=2,
        fps=12,
        steps=3,
        guidance=1.5,
        options={"z": 1, "a": 2},
        mode="edit",
        inputs=(Input("video", Path("a"), "ff"),),
        strength=0.5,
    )
    assert json.dumps(request_json(asked)) == (
        '{"model": "tiny", "policy": "default", "seed": 5, "width": 64, "height": 32, "seconds": 2, '
        '"fps": 12, "steps": 3, "guidance": 1.5, "strength": 0.5, "options": "{\\"a\\": 2, \\"z\\": 1}", '
        '"mode": "edit", "inputs": [{"role": "video", "sha256": "ff"}]}'
    )
    assert request_json(Request("a")) == {"model": "tiny", "policy": "default", "seed": 0}


@pytest.mark.parametrize(
    ("name", "recorded", "wanted"),
    [
        ("seconds", 0.01, 0.01),
        ("seconds", 3, 3.0),
        ("seconds", "0.01", 0.01),
        ("fps", "24.0", 24),
        ("fps", "23.976", 23.976),
        ("width", "64.0", 64),
        ("fps", 24.0, 24),
        ("fps", 12.5, 12.5),
        ("width", 64.0, 64),
        ("guidance", 0, 0.0),
    ],
)
def test_what_older_versions_recorded_can_be_made_again(name: str, recorded: object, wanted: float) -> None:
    row = {"model": "tiny", "policy": "default", "seed": 1, name: recorded}
    request = restored(row, "x", "")
    value = getattr(request, name)
    assert (value, type(value)) == (wanted, type(wanted))
    assert check_request(request, Painter()).seconds == 3.0


@pytest.mark.parametrize("row", [{"width": "64.5"}, {"fps": "nan"}, {"fps": "0.5"}, {"steps": "many"}])
def test_a_record_that_makes_no_sense(row: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="cannot be"):
        check_request(restored({"model": "tiny", "policy": "default", "seed": 1, **row}, "x", ""), Painter())


def test_fields_of_the_classes_are_those_of_the_table() -> None:
    assert tuple(typing.get_type_hints(RequestSettings)) == names_for("clip")
    for setting in settings_for("clip"):
        allowed = _kinds(typing.get_type_hints(RequestSettings)[setting.name])
        assert allowed == {setting.kind} | ({type(None)} if setting.default is None else set()), setting.name
    made = {f.name: f for f in fields(Request)}
    for name in {*names_for("ledger"), "negative_prompt"} - {"seed"}:
        assert made[name].default == setting_named(name).default, name
    assert tuple(f.name for f in fields(Options)) == (*names_for("template run"), "publish_caption")
    assert set(Variant.model_fields) == {"prompt", *names_for("template")}
    assert set(ClipSettings.model_fields) == set(names_for("audit"))


def _kinds(hint: Any) -> set[Any]:
    """The types that a hint allows."""
    return {typing.get_origin(h) or h for h in typing.get_args(hint) or (hint,)}


@pytest.mark.parametrize("command", WAYS)
def test_options_of_the_commands(command: str) -> None:
    _check_options(command_named(command), settings_for("clip"))


def test_options_of_a_template_run_and_of_remix() -> None:
    template = command_named("template")
    assert isinstance(template, click.Group)
    _check_options(template.commands["run"], settings_for("template run"))
    _check_options(command_named("remix"), settings_for("remix"))
    _check_options(command_named("protect"), (setting_named("policy"), setting_named("crf")))
    _check_options(command_named("screen"), (setting_named("policy"), setting_named("negative_prompt")))


def _check_options(command: click.Command, wanted: tuple[Setting, ...]) -> None:
    options = {p.name: p for p in command.params if isinstance(p, click.Option)}
    shown = [p.name for p in command.params if p.name in {s.name for s in wanted}]
    assert shown == [s.name for s in wanted]
    for setting in wanted:
        option = options[setting.name]
        assert option.opts == [setting.option]
        if setting.least is not None:
            assert isinstance(option.type, click.IntRange if setting.kind is int else click.FloatRange)
            assert (option.type.min, option.type.max) == (setting.least, setting.most)
            assert option.type.min_open == setting.above
        if setting.kind is Mapping:
            assert option.multiple
        else:
            assert option.default == setting.default or "default: " in str(option.help)


@pytest.mark.parametrize("setting", RANGED, ids=lambda s: s.name)
def test_a_range_is_the_same_everywhere(setting: Setting, tmp_path: Path) -> None:
    models: list[tuple[type[BaseModel], dict[str, Any]]] = []
    if "template" in setting.places:
        models.append((Variant, {"prompt": "a", "model": "tiny"}))
    if "audit" in setting.places and setting.name not in {"width", "height", "seconds"}:
        models.append((ClipSettings, {}))
    for value in just_outside(setting):
        with pytest.raises(UsageError, match=f"{setting.name} cannot be"):
            check_settings({setting.name: value})
        for model, rest in models:
            with pytest.raises(ValidationError):
                model(**rest, **{setting.name: value})
        if "storyboard" in setting.places:
            with pytest.raises(UsageError, match=f"{setting.name} cannot be"):
                storyboard.read_file(_board(tmp_path, setting.name, value))
        if "template run" in setting.places:
            with pytest.raises(UsageError, match=f"{setting.name} cannot be"):
                Options(**{setting.name: value}).check()  # type: ignore[arg-type]
    for value in bounds(setting):
        check_settings({setting.name: value})
        for model, rest in models:
            assert getattr(model(**rest, **{setting.name: value}), setting.name) == value
        if "storyboard" in setting.places:
            board = storyboard.read_file(_board(tmp_path, setting.name, value))
            assert board.settings == {setting.name: value}


def _board(folder: Path, name: str, value: float) -> Path:
    file = folder / "story.yaml"
    file.write_text(f"{name}: {value!r}\nshots: [{{at: 0, prompt: a}}]\n", encoding="utf-8")
    return file


def test_an_audit_has_narrower_limits_of_its_own() -> None:
    wide = ClipSettings(width=4096, height=4096, seconds=60)
    assert (wide.width, wide.seconds) == (4096, 60)
    for name, value in (("width", 4097), ("height", 4097), ("seconds", 60.1)):
        with pytest.raises(ValidationError):
            ClipSettings(**{name: value})
    assert "less than" in (ClipSettings.__doc__ or "")


@pytest.mark.parametrize("setting", RANGED, ids=lambda s: s.name)
@pytest.mark.parametrize("value", [True, "3", float("nan"), float("inf"), [3], b"3"])
def test_numbers_are_numbers(setting: Setting, value: object) -> None:
    with pytest.raises(UsageError, match=f"{setting.name} cannot be"):
        check_settings({setting.name: value})


@pytest.mark.parametrize("name", [s.name for s in RANGED if s.kind is int])
def test_whole_numbers_are_whole(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be") as caught:
        check_settings({name: 20.5})
    assert "a whole number from" in caught.value.hint
    if name in names_for("clip"):
        with pytest.raises(UsageError, match=f"{name} cannot be 20.5"):
            build.generate("x", **{name: 20.5})  # type: ignore[typeddict-item]


@pytest.mark.parametrize("name", ["model", "policy", "negative_prompt", "size", "aspect", "options"])
def test_text_is_text(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} cannot be 3"):
        build.generate("x", **{name: 3})  # type: ignore[typeddict-item]


def test_a_strength_is_checked_before_it_is_compared() -> None:
    for wrong in ("0.5", 0, 1.5, True):
        with pytest.raises(UsageError, match="strength cannot be"):
            build.remix("a.mp4", "x", strength=wrong)  # type: ignore[arg-type]


def test_a_size_by_name_is_held_to_the_range_of_its_sides() -> None:
    with pytest.raises(UsageError, match="width cannot be"):
        build.generate("x", size="9999p")
    with pytest.raises(UsageError, match=r"width cannot be 10$"):
        build.generate("x", size="10x10")


def test_defaults_are_those_of_the_table() -> None:
    request = build.generate("x").request
    assert (request.model, request.policy, request.negative_prompt) == ("tiny", "default", "")
    assert 0 <= request.seed < 2**31
    assert isinstance(request.options, Mapping) and not request.options


@pytest.mark.parametrize("name", settings_tables.TABLES)
def test_tables_in_the_docs(name: str) -> None:
    page = (settings_tables.DOCS / name).read_text(encoding="utf-8")
    made = settings_tables.with_table(page, settings_tables.TABLES[name]())
    assert page == made, "run: python -m tests.support.settings_tables"


def test_the_storyboards_of_the_docs_suit_the_default_model(tmp_path: Path) -> None:
    page = (settings_tables.DOCS / "ways.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith("safegen storyboard --shot"))
    arguments = [*shlex.split(line)[1:], "--dry-run", "--workspace", str(tmp_path / "w")]
    done = CliRunner().invoke(group, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    call = next(line for line in page.splitlines() if line.startswith("safegen.storyboard("))
    shots = [Shot(float(at), prompt) for at, prompt in re.findall(r'Shot\((.*?), "(.*?)"\)', call)]
    yaml = re.search(r"```yaml\n(seconds: .*?)```", page, re.DOTALL)
    assert yaml is not None and len(shots) == 2
    file = tmp_path / "story.yaml"
    file.write_text(yaml[1], encoding="utf-8")
    board = storyboard.read_file(file)
    for told, settings in ((shots, RequestSettings()), (board.shots, board.settings)):
        request = build.storyboard(told, **settings).request
        assert check_request(request, find_generator("tiny")).seconds


MUTANT = r"""
import dataclasses, inspect, json, pathlib, sys, typing
from safegen.request import settings as table

everywhere = table.setting_named("fps").places
table.SETTINGS = tuple(
    dataclasses.replace(s, least=32) if s.name == "width" else s for s in table.SETTINGS
) + (table.Setting("shutter", int, "Angle of the shutter", everywhere, least=1, most=360),)

import click

import safegen
from safegen.audit.schema import ClipSettings
from safegen.cli import group
from safegen.errors import SafegenError
from safegen.request import build, storyboard
from safegen.templates import Options
from safegen.templates.schema import Variant
from tests.support import settings_tables

def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except (SafegenError, ValueError):
        return True
    return False

def board(text):
    file = pathlib.Path(sys.argv[1]) / "story.yaml"
    file.write_text(text + "\nshots: [{at: 0, prompt: a}]\n")
    return file

def command(name):
    return group.get_command(click.Context(group), name)

def options(command):
    return {p.name: getattr(p.type, "min", None) for p in command.params}

print(json.dumps({
    "command line": [options(command(n)).get("width") for n in ("generate", "loop", "storyboard")],
    "new option": "shutter" in options(command("remix")),
    "template run": options(command("template").commands["run"]).get("width"),
    "new run option": "shutter" in options(command("template").commands["run"]),
    "storyboard": [refused(storyboard.read_file, board(f"width: {n}")) for n in (31, 32)],
    "new key": [refused(storyboard.read_file, board(f"shutter: {n}")) for n in (361, 180)],
    "template": [refused(Variant, prompt="a", model="tiny", width=n) for n in (31, 32)],
    "audit": [refused(ClipSettings, width=n) for n in (31, 32)],
    "run": [refused(Options(width=n).check) for n in (31, 32)],
    "build": [refused(build.generate, "x", width=n) for n in (31, 32)],
    "validation": [refused(table.check_settings, {"shutter": n}) for n in (0, 1)],
    "signature": ["shutter" in inspect.signature(f).parameters for f in (safegen.generate, safegen.blend)],
    "help": "shutter: Angle of the shutter (1 to 360;" in safegen.remix.__doc__,
    "ledger": table.names_for("ledger")[-1],
    "docs": ["shutter" in make() for make in settings_tables.TABLES.values()],
    "typed dict": sorted(set(table.names_for("clip")) - set(typing.get_type_hints(build.RequestSettings))),
}))
"""


def test_a_changed_table_changes_everything(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MUTANT, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "command line": [32, 32, 32],
        "new option": True,
        "template run": 32,
        "new run option": True,
        "storyboard": [True, False],
        "new key": [True, False],
        "template": [True, False],
        "audit": [True, False],
        "run": [True, False],
        "build": [True, False],
        "validation": [True, False],
        "signature": [True, True],
        "help": True,
        "ledger": "shutter",
        "docs": [True, True],
        # No run can add to a class that type checkers read: the test of the fields fails instead.
        "typed dict": ["shutter"],
    }
