"""Runs over tables. The generator draws a moving texture (a model takes minutes); all else is real."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safegen
from safegen.errors import CheckUnavailable, GenerationFailed, Interrupted, UsageError
from safegen.pipeline import produce as production
from safegen.protocols import NoProgress, Progress
from safegen.templates import Options, Row, RunReport, load, run
from safegen.templates.batch import TemplateRun
from safegen.templates.request import build_request
from safegen.templates.results import RESULTS_FILE, open_journal
from safegen.templates.schema import Variant
from safegen.types import Clip, Condition, Generated, ModelRef, Outlook, Request
from tests.unit.templates.test_template_files import GOOD, own


class Texture:
    """A generator that needs no model; ``act`` is called with every request first."""

    name = "texture"
    modes = frozenset({"text"})

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.act: Callable[[Request], None] = lambda request: None

    def outlook(self, request: Request) -> Outlook:
        return Outlook(384, 384, 1.0, 24)

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        self.asked.append(request)
        self.act(request)
        rng = np.random.default_rng(request.seed)
        base = np.kron(rng.integers(40, 215, (12, 12, 3)), np.ones((32, 32, 1))).astype(np.uint8)
        frames = np.stack([np.roll(base, 3 * i, axis=1) for i in range(24)])
        return Generated(Clip.from_array(frames, 24), ModelRef("texture", "test", "1", None), {"steps": 1})


@pytest.fixture
def texture(monkeypatch: pytest.MonkeyPatch) -> Texture:
    generator = Texture()
    monkeypatch.setattr(production, "find_generator", lambda model: generator)
    return generator


@pytest.fixture
def go(tmp_path: Path, in_memory: Path, texture: Texture) -> Callable[..., RunReport]:
    """Run the test's own template over lines of a table."""
    template = own(tmp_path)

    def call(*lines: str, **more: object) -> RunReport:
        table = tmp_path / "table.csv"
        table.write_text("\n".join(("who,colour", *lines)), encoding="utf-8", errors="surrogateescape")
        return run(
            str(template),
            tmp_path / "out",
            csv=table,
            workspace=in_memory / "w",
            **more,  # type: ignore[arg-type]
        )

    return call


def results(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / RESULTS_FILE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def clips(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "out").glob("*.mp4"))


def test_rows_fail_alone_and_names_stay_private(
    go: Callable[..., RunReport], texture: Texture, tmp_path: Path, in_memory: Path
) -> None:
    seen: list[Row] = []
    report = go("Ann,red", "Bob,mauve", "J\udcfcrgen,red", "Ann,orange", '"open,red', on_row=seen.append)
    assert (report.rows, report.done, report.failed, report.exit_code) == (5, 2, 3, 8)
    assert clips(tmp_path) == ["ann-2.mp4", "ann.mp4"]
    rows = results(tmp_path)
    assert [r["status"] for r in rows] == ["done", "failed", "failed", "done", "failed"]
    assert [r["path"] for r in rows if r["path"]] == ["ann.mp4", "ann-2.mp4"]
    assert "mauve" in rows[1]["error"]
    assert len(seen) == 5
    assert [r.prompt for r in texture.asked] == ["a red ball", "an orange ball"]
    answer = safegen.verify(tmp_path / "out/ann.mp4", workspace=in_memory / "w")
    assert answer.verdict is safegen.Verdict.VERIFIED
    manifest = json.dumps(answer.credentials.manifest)
    assert '"title": "Test"' in manifest
    assert "ann" not in manifest.lower().replace("channel", "")
    assert not list((tmp_path / "out").glob(".safegen-tmp/*"))


def test_caption_is_published_when_asked(
    go: Callable[..., RunReport], tmp_path: Path, in_memory: Path
) -> None:
    go("Annabel,red", options=Options(publish_caption=True))
    manifest = safegen.verify(tmp_path / "out/annabel.mp4", workspace=in_memory / "w").credentials.manifest
    assert "For Annabel" in json.dumps(manifest)


def test_stopped_and_resumed_without_doing_anything_twice(
    go: Callable[..., RunReport], texture: Texture, tmp_path: Path
) -> None:
    def stop(request: Request) -> None:
        if len(texture.asked) == 2:
            raise KeyboardInterrupt

    texture.act = stop
    with pytest.raises(Interrupted, match="1 finished") as caught:
        go("Ann,red", "Bob,red", "Cy,mauve")
    assert "--resume" in caught.value.hint
    assert clips(tmp_path) == ["ann.mp4"]
    texture.act = lambda request: None
    with pytest.raises(UsageError, match="already"):
        go("Ann,red", "Bob,red", "Cy,red")
    report = go("New,red", "Ann,red", "Bob,red", "Cy,red", resume=True)
    assert (report.done, report.skipped, report.failed) == (3, 1, 0)
    assert clips(tmp_path) == ["ann.mp4", "bob.mp4", "cy.mp4", "new.mp4"]
    with pytest.raises(UsageError, match="option"):
        go("Ann,red", resume=True, options=Options(seed=9))


def test_killed_before_the_result_was_written(
    go: Callable[..., RunReport], texture: Texture, tmp_path: Path
) -> None:
    go("Ann,red")
    path = tmp_path / "out" / RESULTS_FILE
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1][:9])
    report = go("Ann,red", resume=True)
    assert (report.done, clips(tmp_path)) == (1, ["ann.mp4"])
    assert len(texture.asked) == 1
    assert len(results(tmp_path)) == 1


def test_what_concerns_every_row_stops_the_run(
    go: Callable[..., RunReport], texture: Texture, tmp_path: Path
) -> None:
    def unavailable(request: Request) -> None:
        raise CheckUnavailable("no weights")

    texture.act = unavailable
    with pytest.raises(CheckUnavailable):
        go("Ann,red", "Bob,red")
    assert len(texture.asked) == 1
    assert results(tmp_path)[0]["status"] == "failed"


def test_ten_failures_in_a_row_stop_the_run(go: Callable[..., RunReport], texture: Texture) -> None:
    def broken(request: Request) -> None:
        raise GenerationFailed("no")

    texture.act = broken
    with pytest.raises(GenerationFailed):
        go(*["Ann,red"] * 30)
    assert len(texture.asked) == 10


def test_dry_run_makes_and_records_nothing(
    go: Callable[..., RunReport], texture: Texture, tmp_path: Path, in_memory: Path
) -> None:
    seen: list[Row] = []
    report = go("Ann,red", "Bob,mauve", dry_run=True, on_row=seen.append)
    assert (report.done, report.failed, report.exit_code, report.results) == (1, 1, 8, None)
    assert seen[0].prompt == "a red ball"
    assert not texture.asked
    assert not (tmp_path / "out").exists()
    assert not (in_memory / "w").exists()


def test_value_is_screened_inside_the_whole_prompt(tmp_path: Path, in_memory: Path, texture: Texture) -> None:
    text = "a {what} child in a bedroom"
    template = (
        "use: marketing\nsummary: x\npurpose: x\ntitle: T\nfields:\n  what: {about: any word}\n"
        f'small: {{prompt: "{text}", model: tiny}}\n'
    )
    path = own(tmp_path, template)
    seen: list[Row] = []
    report = run(
        str(path),
        tmp_path / "out",
        values={"what": "naked"},
        workspace=in_memory / "w",
        on_row=seen.append,
    )
    assert report.failed == 1
    assert seen[0].status == "refused"
    assert not texture.asked
    assert results(tmp_path)[0]["status"] == "refused"


def test_table_that_cannot_work(go: Callable[..., RunReport], tmp_path: Path, texture: Texture) -> None:
    table = tmp_path / "other.csv"
    table.write_text("name,color\nAnn,red\n")
    with pytest.raises(UsageError, match="'who'") as caught:
        run(str(tmp_path / "own.yaml"), tmp_path / "out", csv=table)
    assert "--set who=" in caught.value.hint
    with pytest.raises(UsageError, match="rows"):
        go()
    report = run(str(tmp_path / "own.yaml"), tmp_path / "x", csv=table, values={"who": "A"}, dry_run=True)
    assert "column not used: color (did you mean colour?)" in report.notes


def test_one_run_at_a_time_in_a_folder(tmp_path: Path) -> None:
    with (
        open_journal(tmp_path, run="a", resume=False),
        pytest.raises(UsageError, match="another run"),
        open_journal(tmp_path, run="a", resume=True),
    ):
        pass


def test_foreign_results_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / RESULTS_FILE).write_text("my,own\n1,2\n")
    with pytest.raises(UsageError, match="not the results"), open_journal(tmp_path, run="a", resume=True):
        pass
    assert (tmp_path / RESULTS_FILE).read_text() == "my,own\n1,2\n"


@pytest.mark.parametrize(
    ("options", "values", "key"),
    [
        (Options(), {}, "c98627c62f44e7c8"),
        (
            Options(width=512, height=288, seconds=2.5, steps=8, seed=7, crf=20),
            {"colour": "red"},
            "0a865bb9ac3db552",
        ),
        (
            Options(model="wan2.1-1.3b", policy="strict", publish_caption=True, watermark="dwtdct"),
            {},
            "6b95205d3d3f3148",
        ),
        (Options(seconds=0.1), {}, "618cc647df1f6468"),
    ],
)
def test_runs_that_older_versions_began_keep_their_names(
    options: Options, values: dict[str, str], key: str, tmp_path: Path
) -> None:
    """Otherwise --resume would refuse them."""
    template = load(str(own(tmp_path)))
    assert TemplateRun(template, tmp_path, values, options, NoProgress()).run_key == key


@pytest.mark.parametrize("more", [{"fps": 12}, {"size": "480p"}, {"aspect": "1:1"}, {"guidance": 0.0}])
def test_each_option_makes_another_run(more: dict[str, Any], tmp_path: Path) -> None:
    template = load(str(own(tmp_path)))
    runs = [TemplateRun(template, tmp_path, {}, o, NoProgress()) for o in (Options(), Options(**more))]
    assert runs[0].run_key != runs[1].run_key


SETTINGS = "{size: 480p, fps: 12, steps: 9, guidance: 3, negative_prompt: rain}"


def test_settings_of_the_file_and_of_the_run(
    go: Callable[..., RunReport], texture: Texture, tmp_path: Path
) -> None:
    own(tmp_path, GOOD.replace("model: tiny}", "model: tiny, " + SETTINGS[1:]))
    go("Ann,red")
    (tmp_path / "out" / RESULTS_FILE).unlink()
    go("Bob,red", options=Options(aspect="1:1", fps=24, negative_prompt="", guidance=0.0))
    made = [
        (r.width, r.height, r.fps, r.steps, r.guidance, r.negative_prompt, r.seconds) for r in texture.asked
    ]
    assert made == [(848, 480, 12, 9, 3.0, "rain", None), (480, 480, 24, 9, 0.0, "", None)]


@pytest.mark.parametrize(
    ("file", "options", "sides"),
    [
        ({}, {}, (None, None)),
        ({}, {"aspect": "16:9"}, (688, 384)),
        ({"width": 640}, {"height": 480}, (640, 480)),
        ({"width": 640, "height": 480}, {"width": 320}, (320, 480)),
        ({"width": 640, "height": 480}, {"aspect": "1:1"}, (480, 480)),
        ({"width": 640, "height": 480}, {"size": "720p"}, (1280, 720)),
        ({"width": 640, "height": 480}, {"size": "832x480"}, (832, 480)),
        ({"aspect": "9:16"}, {}, (384, 688)),
        ({"aspect": "9:16"}, {"width": 480}, (480, 848)),
        ({"aspect": "9:16"}, {"aspect": "1:1"}, (384, 384)),
        ({"aspect": "9:16"}, {"width": 480, "height": 480}, (480, 480)),
        ({"size": "720p"}, {"height": 480}, (1280, 480)),
        ({"size": "720p", "aspect": "1:1"}, {}, (720, 720)),
        ({"size": "720p", "aspect": "9:16"}, {"aspect": "16:9"}, (1280, 720)),
    ],
)
def test_size_of_a_row(file: dict[str, Any], options: dict[str, Any], sides: tuple[int, int]) -> None:
    request = build_request(
        Variant(prompt="a ball", model="tiny", **file),
        {},
        Options(**options),
        model="tiny",
        seed=1,
        outlook=Texture().outlook,
    )
    assert (request.width, request.height) == sides


def test_a_size_that_contradicts_itself(tmp_path: Path, go: Callable[..., RunReport]) -> None:
    report = go("Ann,red", options=Options(size="720p", width=100), dry_run=True)
    assert (report.failed, report.failures[0].error) == (1, "--size conflicts with --width or --height")
    with pytest.raises(UsageError, match="width cannot be 0"):
        go("Ann,red", options=Options(width=0), dry_run=True)
    own(tmp_path, GOOD.replace("model: tiny}", "model: tiny, size: 832x480, aspect: '1:1'}"))
    with pytest.raises(UsageError, match="already has a shape"):
        go("Ann,red")


@pytest.mark.parametrize("wrong", ["width: true", "fps: 12.5", "guidance: 51", "size: 3", "shutter: 3"])
def test_a_setting_that_is_wrong_in_a_file(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=wrong.split(":", maxsplit=1)[0]):
        load(str(own(tmp_path, GOOD.replace("model: tiny}", f"model: tiny, {wrong}}}"))))
