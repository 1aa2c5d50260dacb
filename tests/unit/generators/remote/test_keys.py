"""Where a server's key comes from, and to which servers it never goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from safegen.errors import SafegenError, UsageError
from safegen.generators.registry import find_generator
from safegen.generators.remote import origins
from safegen.generators.remote.address import Address, parse_options
from safegen.generators.remote.keys import find_key
from safegen.protocols import NoProgress
from safegen.request.build import storyboard
from safegen.request.storyboard import read_file
from safegen.templates import Options
from safegen.templates.batch import TemplateRun
from safegen.templates.loading import load
from safegen.types import Request
from tests.support.video_server import VideoServer, serving

LOCAL, FAR = Address("http://127.0.0.1:30010/v1", "m"), Address("http://video.example/v1", "m")
KEY = {"SAFEGEN_REMOTE_KEY": "k1"}


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Nobody has named a server; the set that says so."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setattr(origins, "_named", found := set())
    return found


@pytest.fixture
def server() -> Iterator[VideoServer]:
    with serving(clip=b"") as running:
        yield running


def test_a_key_comes_from_the_environment_then_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    origins.confirm(LOCAL.identifier)
    monkeypatch.setattr(keyring, "get_password", lambda service, user: f"{service}@{user}")
    none, mine = parse_options({}), parse_options({"key_env": "MINE"})
    assert find_key(LOCAL, none, {"SAFEGEN_REMOTE_KEY": "k1\n"}) == "k1"
    assert find_key(LOCAL, mine, {"MINE": "k2", **KEY}) == "k2"
    assert find_key(LOCAL, none, {"OPENAI_API_KEY": "never"}) == "safegen@http://127.0.0.1:30010"
    assert find_key(LOCAL, none, {}, open_keyring=False) is None


def test_a_key_that_is_named_and_missing_or_no_key_is_an_error() -> None:
    origins.confirm(LOCAL.identifier)
    with pytest.raises(UsageError, match="MINE is empty"):
        find_key(LOCAL, parse_options({"key_env": "MINE"}), KEY)
    with pytest.raises(UsageError) as error:
        find_key(LOCAL, parse_options({}), {"SAFEGEN_REMOTE_KEY": "s3cret\x1bkey"})
    assert "s3cret" not in str(error.value)


def test_a_key_goes_over_plain_http_only_when_told_so() -> None:
    origins.confirm(FAR.identifier)
    with pytest.raises(UsageError, match="plain http"):
        find_key(FAR, parse_options({}), KEY)
    assert find_key(FAR, parse_options({"plain_key": "true"}), KEY) == "k1"
    assert find_key(FAR, parse_options({}), {}, open_keyring=False) is None


def test_a_key_from_the_environment_is_for_servers_that_were_named() -> None:
    with pytest.raises(UsageError, match=r"is not sent to http://127\.0\.0\.1:30010") as refused:
        find_key(LOCAL, parse_options({}), KEY)
    assert "SAFEGEN_REMOTE_ORIGIN=http://127.0.0.1:30010" in refused.value.hint
    assert "k1" not in f"{refused.value}{refused.value.hint}"
    origins.confirm("https://127.0.0.1:30010/v1#m")
    origins.confirm("http://127.0.0.1:3001/v1#m")
    origins.confirm("http://127.0.0.1:30010")  # names no model: no address
    for other in ("tiny", None, "http://", "HTTP://[", "org/model"):
        origins.confirm(other)
    with pytest.raises(UsageError, match="is not sent"):
        find_key(LOCAL, parse_options({}), KEY)
    assert find_key(LOCAL, parse_options({}), KEY, open_keyring=False) is None, "only a look ahead"
    origins.confirm("HTTP://127.0.0.1:30010/another#n")
    assert find_key(LOCAL, parse_options({}), KEY) == "k1"


@pytest.mark.parametrize(
    ("listed", "allowed"),
    [
        ("http://127.0.0.1:30010", True),
        ("https://a.example, HTTP://127.0.0.1:30010/", True),
        ("http://127.0.0.1:30010.evil.example http://127.0.0.1", False),
        ("127.0.0.1:30010", False),
        ("*", False),
        ("", False),
    ],
)
def test_origins_may_be_listed(listed: str, allowed: bool) -> None:
    assert origins.is_confirmed(LOCAL, {"SAFEGEN_REMOTE_ORIGIN": listed}) is allowed


def test_the_keyring_has_a_key_for_each_server(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    monkeypatch.setattr(keyring, "get_password", lambda _service, user: f"for {user}".replace(" ", ":"))
    assert find_key(LOCAL, parse_options({}), KEY) == "for:http://127.0.0.1:30010"


def by_template(folder: Path, model: str) -> None:
    text = (
        "use: marketing\nsummary: a house that grows\npurpose: Announce a building.\ntitle: Building\n"
        "fields:\n  colour: {about: Its colour., values: [red, white], default: red}\n"
        f'small:\n  prompt: "a {{colour}} house"\n  model: "{model}"\n  seconds: 4\n'
    )
    (folder / "evil.yaml").write_text(text)
    run = TemplateRun(load(str(folder / "evil.yaml")), folder, {}, Options(), NoProgress())
    run.generator.generate(Request("a house", model=run.model), progress=NoProgress())


def by_storyboard(folder: Path, model: str) -> None:
    shots = [{"at": 0, "prompt": "a house"}, {"at": 2, "prompt": "a tree"}]
    (folder / "story.json").write_text(json.dumps({"shots": shots, "model": model}))
    board = read_file(folder / "story.json")
    request = storyboard(board.shots, **board.settings).request
    find_generator(request.model).generate(request, progress=NoProgress())


def by_recorded_request(folder: Path, model: str) -> None:
    find_generator(model).generate(Request("a house", model=model), progress=NoProgress())


@pytest.mark.parametrize("way", [by_template, by_storyboard, by_recorded_request])
def test_no_file_chooses_who_is_sent_the_key(
    way: Callable[[Path, str], None], server: VideoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEGEN_REMOTE_KEY", "sk-s3cret")
    with pytest.raises(UsageError, match="did not name that server"):
        way(tmp_path, server.name)
    assert not server.asked, "not even the prompt was sent"
    monkeypatch.setenv("SAFEGEN_REMOTE_ORIGIN", server.name.partition("/v1")[0])
    with pytest.raises(SafegenError, match=r"^(?!.*did not name)"):
        way(tmp_path, server.name)
    assert {a.headers["authorization"] for a in server.asked} == {"Bearer sk-s3cret"}


def test_a_model_named_on_the_command_line_or_in_a_program_is_confirmed(
    named: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from safegen.api.options import split_options
    from safegen.cli import group as main

    split_options("generate", {"model": "http://127.0.0.1:1/v1#a"})
    assert named == {"http://127.0.0.1:1"}
    monkeypatch.setenv("SAFEGEN_WORKSPACE", str(tmp_path / "workspace"))
    (tmp_path / "s.json").write_text(
        json.dumps({"shots": [{"at": 0, "prompt": "x"}, {"at": 1, "prompt": "y"}], "model": FAR.identifier})
    )
    given: Any = [str(tmp_path / "s.json"), "--dry-run"]
    CliRunner().invoke(main, ["storyboard", *given], standalone_mode=False)
    assert named == {"http://127.0.0.1:1"}, "a storyboard's own model is not the user's word"
    CliRunner().invoke(main, ["storyboard", *given, "--model", "http://127.0.0.1:2/v1#b"])
    assert named == {"http://127.0.0.1:1", "http://127.0.0.1:2"}
