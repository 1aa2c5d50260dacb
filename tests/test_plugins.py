"""Plug-ins: names without importing, one kind each, hints that help, contracts that are declared."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest

from safegen import plugins, policies
from safegen.detectors import frames, prompt
from safegen.errors import CheckUnavailable, UsageError
from safegen.policies.schema import Checks
from safegen.screening import screen
from safegen.types import Request
from tests.support.architecture import imported_roots, modules

NAMES = {
    "generator": ("tiny",),
    "watermark": ("dwtdct", "dwtdctsvd", "rivagan", "tile"),
    "prompt detector": ("classifier", "encoder", "rules"),
    "frame detector": (
        "blank", "faces", "falconsai", "flash", "freepik", "frozen", "known", "shieldgemma", "text",
    ),
    "attribute extractor": ("skin_tone", "world", "zero_shot"),
}  # fmt: skip
LOADERS: dict[str, Callable[[str], Any]] = {
    "generator": plugins.load_generator,
    "watermark": plugins.load_watermark,
    "prompt detector": plugins.load_prompt_detector,
    "frame detector": plugins.load_frame_detector,
    "attribute extractor": plugins.load_attribute_extractor,
}
PROTOCOLS = {
    "generator": "ShippedGenerator",
    "watermark": "Watermark",
    "prompt detector": "PromptDetector",
    "frame detector": "FrameDetector",
    "attribute extractor": "AttributeExtractor",
}
MINE = """
from safegen.types import CheckRun, Finding

class Mine:
    name = "mine"

    def run(self, text):
        if "{bad}" in text:
            raise RuntimeError("boom")
        found = [Finding("hate", 0.99, self.name, "mine says so")] if "zebra" in text else []
        return found, CheckRun(self.name, "1")

def create():
    return Mine()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose modules are plug-ins for prompts and frames, as if they lay with the shipped ones."""
    paths = [package.__path__ for package in (prompt, frames)]
    for path in paths:
        path.append(str(tmp_path))
    before = set(sys.modules)
    plugins.names.cache_clear()
    yield tmp_path
    for path in paths:
        path.remove(str(tmp_path))
    for name in set(sys.modules) - before:
        if name.startswith("safegen.detectors."):
            del sys.modules[name]
    plugins.names.cache_clear()
    importlib.invalidate_caches()


def write(folder: Path, name: str, source: str) -> None:
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    plugins.names.cache_clear()
    importlib.invalidate_caches()


@pytest.mark.parametrize("kind", get_args(plugins.Kind))
def test_the_names_of_every_kind(kind: plugins.Kind) -> None:
    assert plugins.names(kind) == NAMES[kind]


def test_names_import_no_plug_in() -> None:
    code = (
        "import sys; from typing import get_args; from safegen import plugins\n"
        "for kind in get_args(plugins.Kind): plugins.names(kind)\n"
        "print(*(m for m in sys.modules if m.startswith(('safegen.detectors.', 'safegen.watermarks.',"
        " 'safegen.generators.'))), *{m.split('.')[0] for m in sys.modules} & {'torch', 'cv2', 'pydantic'})"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(out.split()) <= {"safegen.detectors.prompt", "safegen.detectors.frames"}


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k, names in NAMES.items() for n in names])
def test_every_shipped_plug_in_declares_its_contract(kind: plugins.Kind, name: str) -> None:
    """mypy checks what ``create`` returns against what it says."""
    package = plugins._HOMES[kind].package
    [file] = [file for found, file in plugins._modules(package) if found == name]
    [made] = [
        n for n in ast.parse(file.read_bytes()).body if isinstance(n, ast.FunctionDef) and n.name == "create"
    ]
    assert made.returns is not None
    assert ast.unparse(made.returns) == PROTOCOLS[kind] == plugins._HOMES[kind].protocol


@pytest.mark.parametrize("kind", get_args(plugins.Kind))
@pytest.mark.parametrize("name", ["no_such_thing", "_models", "views", "registry", "__init__", "", "../x"])
def test_what_is_no_plug_in(kind: plugins.Kind, name: str) -> None:
    for refuse in (LOADERS[kind], lambda n: plugins.require(kind, n)):
        with pytest.raises(UsageError, match=f"there is no {kind} called '{name}'") as refused:
            refuse(name)
        assert refused.value.hint.endswith(f"known: {', '.join(NAMES[kind])}")
        assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("kind", "typo", "meant"),
    [
        ("watermark", "tyle", "tile"),
        ("frame detector", "blnk", "blank"),
        ("frame detector", "shield-gemma", "shieldgemma"),
        ("attribute extractor", "skintone", "skin_tone"),
        ("prompt detector", "clasifier", "classifier"),
        ("generator", "tinny", "tiny"),
    ],
)
def test_a_typo_gets_a_hint(kind: plugins.Kind, typo: str, meant: str) -> None:
    with pytest.raises(UsageError) as refused:
        LOADERS[kind](typo)
    assert refused.value.hint.startswith(f"did you mean {meant!r}? ")


@pytest.mark.parametrize(
    ("kind", "name", "message", "hint"),
    [
        ("frame detector", "world", "'world' is an attribute extractor, not a frame detector", "attributes:"),
        ("frame detector", "zero-shot", "'zero-shot' is an attribute extractor", "audit suite"),
        (
            "attribute extractor",
            "blank",
            "'blank' is a frame detector, not an attribute extractor",
            "frames:",
        ),
        (
            "frame detector",
            "rules",
            "'rules' is a prompt detector, not a frame detector",
            "checks: required:",
        ),
        ("watermark", "tiny", "'tiny' is a generator, not a watermark", "--model"),
    ],
)
def test_one_of_another_kind_is_told_where_it_belongs(
    kind: plugins.Kind, name: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        LOADERS[kind](name)
    assert hint in refused.value.hint


def test_a_name_may_be_written_with_hyphens() -> None:
    assert plugins.load_attribute_extractor("zero-shot").name == "zero_shot"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def create(): ...", "frame detector"),
        ("def create() -> object: ...", "frame detector"),
        ("def create(size: int = 3) -> 'FrameDetector': ...", "frame detector"),
        ("def create() -> AttributeExtractor: ...", "attribute extractor"),
        ("def create() -> 'AttributeExtractor': ...", "attribute extractor"),
        ("def create() -> protocols.AttributeExtractor: ...", "attribute extractor"),
        (
            "# -*- coding: latin-1 -*-\n# \u00e9\ndef create() -> AttributeExtractor: ...",
            "attribute extractor",
        ),
        ("def create(:", "frame detector"),
        ("def create(sizes: dict[str, int]) -> AttributeExtractor:\n    return 1", "attribute extractor"),
        ("class Mine: ...\ncreate = Mine", "frame detector"),
        ("from elsewhere import create", "frame detector"),
        ("from elsewhere import (\n    create,\n)", "frame detector"),
        ("from elsewhere import create as other", None),
        ("def created(): ...", None),
        ("def f():\n    def create(): ...", None),
        ("'''\ndef create(): ...\n'''", None),
        ("x = 1", None),
    ],
)
def test_the_kind_is_what_create_says(source: str, kind: str | None, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_bytes(source.encode("latin-1"))
    assert plugins._kind_of(file, "safegen.detectors.frames") == kind


def test_a_file_that_python_cannot_read_is_named_and_lets_nothing_through(folder: Path) -> None:
    write(folder, "mine", "def create(:\n")
    assert "mine" in plugins.names("prompt detector")
    with pytest.raises(SyntaxError):
        plugins.load_prompt_detector("mine")
    with pytest.raises(CheckUnavailable, match="'mine', which cannot run here"):
        screen(Request("a zebra"), policy=requiring("rules", "mine"))


def requiring(*checks: str) -> policies.Policy:
    return policies.load("default").model_copy(update={"checks": Checks(required=checks)})


def test_a_prompt_detector_that_has_only_run_is_enough(folder: Path) -> None:
    write(folder, "mine", MINE)
    made = plugins.load_prompt_detector("mine")
    assert (made.name, made.rates_whole_prompt) == ("mine", False)
    assert made.with_lists(("weapons",)) is made
    assert [ran.name for _, ran in made.run_many(["a", "zebra"])] == ["mine", "mine"]
    decision = screen(Request("a zebra in the zoo"), policy=requiring("rules", "classifier", "mine"))
    assert decision.outcome == "block"
    assert [c.name for c in decision.checks] == ["rules", "classifier", "mine"]
    assert [f.detector for f in decision.findings if f.category == "hate"] == ["mine"]
    with pytest.raises(CheckUnavailable, match="the check 'mine' failed: RuntimeError"):
        screen(Request("a horse that is {bad}"), policy=requiring("rules", "mine"))


def test_a_prompt_detector_keeps_what_it_has(folder: Path) -> None:
    """What is missing is completed; what is there, a batch call or that it rates the whole prompt, counts."""
    more = "    rates_whole_prompt = True\n\n    def run_many(self, texts):\n"
    more += '        return [self.run("zebra")] * len(texts)\n'
    source = MINE.replace('    name = "mine"\n', f'    name = "mine"\n{more}')
    write(folder, "mine", source)
    made = plugins.load_prompt_detector("mine")
    assert made.rates_whole_prompt
    assert all(found for found, _ in made.run_many(["a", "b"]))


def test_an_extractor_that_has_only_run_is_enough(folder: Path) -> None:
    write(
        folder,
        "mine",
        "from safegen.types import Attribute, CheckRun\n\nclass Mine:\n    def run(self, clip):\n"
        "        return [Attribute('a', {'b': 1.0}, 'mine', 1.0)], CheckRun('mine', '1')\n\n"
        "def create() -> 'AttributeExtractor':\n    return Mine()\n",
    )
    made = plugins.load_attribute_extractor("mine")
    assert made.name == "mine"
    assert made.prepare({"a": {}}) is made
    assert "mine" not in plugins.names("frame detector")


@pytest.mark.parametrize("said", ["", " -> Mine"])
def test_an_extractor_that_names_no_protocol_may_be_asked_for(folder: Path, said: str) -> None:
    """It is listed as a check; asked for where attributes are wanted, it works as one with only run."""
    write(
        folder,
        "mine",
        "from safegen.types import Attribute, CheckRun\n\nclass Mine:\n    def run(self, clip):\n"
        "        return [Attribute('a', {'b': 1.0}, 'mine', 1.0)], CheckRun('mine', '1')\n\n"
        f"def create(){said}:\n    return Mine()\n",
    )
    assert plugins.load_attribute_extractor("mine").name == "mine"
    assert "mine" in plugins.names("frame detector")
    assert "mine" not in plugins.names("attribute extractor")


def test_many_threads_ask_at_once() -> None:
    """Every check of a clip is loaded in a thread of its own."""
    kinds: tuple[plugins.Kind, ...] = ("frame detector", "watermark", "prompt detector")

    def ask(turn: int) -> tuple[str, ...]:
        plugins.names.cache_clear()
        return plugins.names(kinds[turn % 3])

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(48)))
    assert found == [NAMES[kinds[turn % 3]] for turn in range(48)]


def test_python_is_parsed_in_one_place_that_locks() -> None:
    """In Python 3.11 ``ast.parse`` raises SystemError now and then where several threads call it at once."""
    users = [name for name in modules() if "ast" in imported_roots(name)]
    assert users == ["safegen.generators.diffusers.introspection"]
    assert "with _PARSING:" in modules()[users[0]].file.read_text(encoding="utf-8")


def test_shipped_detectors_need_no_completing() -> None:
    for name in ("rules", "classifier"):
        made = plugins.load_prompt_detector(name)
        assert made.name == name
        assert type(made).__module__ == f"safegen.detectors.prompt.{name}"
    rules = plugins.load_prompt_detector("rules")
    assert not rules.rates_whole_prompt
    found, _ = rules.with_lists(("weapons",)).run("Mickey Mouse")
    assert not found and rules.run("Mickey Mouse")[0]
    assert plugins.load_prompt_detector("classifier").rates_whole_prompt


def test_the_embedded_generator_describes_itself() -> None:
    row = plugins.load_generator("tiny").describe()
    assert row["name"] == "tiny" and row["licence"]
