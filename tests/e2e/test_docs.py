"""Every fenced block of the documentation: commands and scripts are run, files read by what reads them.

``third-party.md`` is walked in ``test_walkthrough.py``, the README in ``tests/test_readme.py``, and
CONTRIBUTING in ``tests/test_contributing.py``.
"""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

import safegen
from safegen import policies
from safegen.audit import suites
from safegen.detectors.prompt._lexicon import load as load_lists
from safegen.media.encode import encode_mp4
from safegen.request.storyboard import load_storyboard
from safegen.templates import loading as templates
from safegen.workspace import config
from tests.support import pages
from tests.support.once import once
from tests.support.pages import Block, Desk, Step

ELSEWHERE = {"README.md", "third-party.md"}
PAGES = {p.name: p for p in pages.PAGES}
GENERATING = {
    "accessibility.md",
    "logging.md",
    "protect.md",
    "reproduce.md",
    "review.md",
    "templates.md",
    "ways.md",
}
"""Pages whose commands make clips: seconds of processor time each."""
NOT_RUN = {
    "README.md": 2,
    "audit.md": 1,
    "backup.md": 3,
    "conformance.md": 1,
    "credentials.md": 1,
    "fingerprint.md": 3,
    "ledger.md": 1,
    "model-tiny.md": 1,
    "models.md": 1,
    "protect.md": 1,
    "remote.md": 1,
    "review.md": 1,
    "watermark.md": 9,
}
"""How many blocks of a page are not run; each says why in a comment above it."""
LINES = {
    "prompts.jsonl": [{"id": "a", "text": "a red ball"}, "a blue box on snow"],
    "labelled.jsonl": [{"id": "a", "text": "a red ball", "label": "safe"}],
    "captions.jsonl": [{"id": str(i), "text": f"a woman and {i} balls"} for i in range(4)],
}
FRESH = {"consent.md", "review.md"}
"""Pages that begin with an empty workspace."""
RELEASED = ("clip.mp4", "ball.mp4")
"""What a page calls a release of the reader's own."""


def paint(path: Path, *, strobe: bool = False, turn: int = 0) -> None:
    """A second of a moving texture, flashing if it should; its sound is silence."""
    rng = np.random.default_rng(5 + turn)
    base = np.kron(rng.integers(40, 215, (12, 14, 3)), np.ones((32, 32, 1))).astype(np.uint8)
    frames = [np.roll(base, 3 * i, axis=1)[:, :384] for i in range(24)]
    if strobe:
        frames = [f // 8 if i // 2 % 2 else 255 - f // 8 for i, f in enumerate(frames)]
    encode_mp4(frames, path, fps=Fraction(24))


def release(folder: Path, *, generated: bool) -> None:
    """``clip.mp4`` with its proof, and the workspace that made it."""
    place = folder / "workspace"
    place.mkdir(parents=True)
    (place / "safegen.toml").write_text("format = 1\n[privacy]\nkeep_prompts = true\n")
    if generated:
        safegen.generate("a red ball on grass", folder / "clip.mp4", seed=1, workspace=place)
        return
    paint(folder / "source.mp4")
    safegen.protect(folder / "source.mp4", folder / "clip.mp4", workspace=place)


class Shelf:
    """What a reader has at hand, made when a page first names it."""

    def __init__(self, desk: Desk, made: Path) -> None:
        self._desk, self._made = desk, made

    def give(self, text: str) -> None:
        """Put what *text* names and nothing has made yet into the reader's folder."""
        written = set(re.findall(r"(?:-o|--html|>) ?(\S+)", text))
        for name in re.findall(r"[\w-]+(?:\.[a-z0-9]+|/(?= ))(?!\w)", text):
            path = self._desk.folder / name
            if name not in written and not path.exists():
                self._put(name, path)

    def _put(self, name: str, path: Path) -> None:
        if name.removesuffix(".tlog-proof") in RELEASED:
            for made in (self._made / "clip.mp4", self._made / "clip.mp4.tlog-proof"):
                shutil.copy(made, path.with_name(made.name.replace("clip.mp4", path.name)))
        elif name.endswith("/") and name != "clips/":
            path.mkdir()
            shutil.copy(self._made / "clip.mp4", path)
        elif path.suffix in (".png", ".jpg"):
            pixels = np.random.default_rng(len(name)).integers(40, 215, (8, 8, 3))
            cv2.imwrite(str(path), np.kron(pixels, np.ones((40, 40, 1))).astype(np.uint8))
        elif path.suffix in (".mp4", ".mov", ".avi"):
            paint(path.with_suffix(".mp4"), strobe=name.startswith("strobe"), turn=len(name))
            path.with_suffix(".mp4").rename(path)
        elif name in LINES:
            path.write_text("".join(f"{json.dumps(line)}\n" for line in LINES[name]))
        elif path.suffix == ".vtt":
            path.write_text("WEBVTT\n\n00:00.000 --> 00:00.900\nHello.\n")
        elif path.suffix == ".pdf":
            path.write_bytes(b"%PDF-1.4\n%%EOF\n")


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release: generated for the pages that generate, protected (quicker) for the others."""
    generated = request.node.get_closest_marker("slow") is not None
    name = "docs-generated" if generated else "docs-protected"
    return once(tmp_path_factory, name, lambda folder: release(folder, generated=generated))


def names(wanted: Callable[[Block], bool]) -> list[Any]:
    """Pages that have such blocks; those that generate are slow."""
    found = [n for n, path in PAGES.items() if n not in ELSEWHERE and any(map(wanted, pages.blocks(path)))]
    return [pytest.param(n, marks=pytest.mark.slow) if n in GENERATING else n for n in found]


@pytest.mark.parametrize("name", names(lambda b: b.language in pages.RUN and not b.not_run))
def test_what_a_page_shows_is_what_happens(name: str, made: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    shelf = Shelf(desk, made)
    blocks = pages.blocks(PAGES[name])
    if name not in FRESH:
        shutil.copytree(made / "workspace", tmp_path / "workspace")
    for block in blocks:
        if "file" in block.mark:
            (tmp_path / block.mark["file"]).write_text(block.text, encoding="utf-8")
    for block in blocks:
        if block.not_run or block.language not in pages.RUN:
            continue
        if block.language == "python":
            shelf.give(re.sub(r'"(?!clip|ball)[\w-]+\.mp4"', "", block.text))  # others are what it makes
            desk.run(block)
            continue
        for step in pages.steps(block):
            shelf.give(step.command.split(" # ")[0])
            desk.check(small(step) if name == "ways.md" else step)


def small(step: Step) -> Step:
    """The same in few steps and small pictures: the page has a dozen of them."""
    command, _, comment = step.command.partition(" # ")
    if not re.match(r"safegen (generate|remix|extend|loop|blend|storyboard) ", command):
        return step
    return replace(step, command=f"{command} --steps 4 --size 128x128 # {comment}")


def read_yaml(text: str, folder: Path) -> None:
    """By the loader of what it is; a part of a policy as the policy that it is part of."""
    keys = set(yaml.safe_load(text))
    path = folder / "read.yaml"
    if "shots" in keys:
        path.write_text(text)
        assert load_storyboard(path, ()).shots
    elif "entries" in keys:
        whole = text if "name" in keys else f'name: read\ncategory: privacy\nreason: "x"\nscore: 0.5\n{text}'
        name = yaml.safe_load(whole)["name"]
        (folder / f"{name}.yaml").write_text(whole)
        assert load_lists(folder, (name,))
    elif "fields" in keys:
        path.write_text(text)
        assert templates.load(str(path)).fields
    elif "seeds" in keys:
        path.write_text(text)
        assert suites.load(str(path))
    else:
        path.write_text(text if "name" in keys else f"name: part\nextends: default\n{text}")
        assert policies.load(str(path)).digest


def read_toml(text: str, folder: Path) -> None:
    """As a workspace's ``safegen.toml``."""
    tomllib.loads(text)
    (folder / "safegen.toml").write_text(f"format = 1\n{text}")
    config.find_workspace(folder).config  # noqa: B018 - it is read here


READERS: dict[str, Callable[[str, Path], object]] = {
    "yaml": read_yaml,
    "toml": read_toml,
    "json": lambda text, _: json.loads(text),
    "csv": lambda text, _: list(csv.DictReader(io.StringIO(text), strict=True)),
    "html": lambda text, _: html.parser.HTMLParser().feed(text),
}
UNREAD = {"text", "markdown"}
"""Drawings, forms of files in words, and a page's outline."""


@pytest.mark.parametrize(
    "name", [n for n, p in PAGES.items() if any(b.language in READERS for b in pages.blocks(p))]
)
def test_files_that_a_page_shows_can_be_read(name: str, tmp_path: Path) -> None:
    for number, block in enumerate(pages.blocks(PAGES[name])):
        if block.language in READERS:
            folder = tmp_path / str(number)
            folder.mkdir()
            READERS[block.language](block.text, folder)


def test_every_block_says_what_it_is() -> None:
    for path in [*PAGES.values(), *(pages.ROOT / "docs/adr").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        blocks = pages.blocks(path)
        assert 2 * len(blocks) == len(re.findall(r"^```", text, re.M)), path.name
        assert not re.search(r"\n\n    (\w*\$|safegen|python|pip|make) ", text), (
            f"{path.name}: a command without a fence"
        )
        for block in blocks:
            assert block.language in {*pages.RUN, *READERS, *UNREAD}, f"{path.name}: {block.text[:60]}"


def test_what_is_not_run_says_why_and_is_counted() -> None:
    reasons = {n: [b.not_run for b in pages.blocks(p) if b.not_run] for n, p in PAGES.items()}
    assert {n: len(found) for n, found in reasons.items() if found} == NOT_RUN
    assert all(len(reason.split()) >= 3 for found in reasons.values() for reason in found)
