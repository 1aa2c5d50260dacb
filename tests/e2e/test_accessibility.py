"""Accessible releases, from the outside: what is beside the file, in it, in its credentials, in a player."""

from __future__ import annotations

import base64
import hashlib
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import safegen
from safegen.accessibility import scenes, sidecars, tracks, webvtt
from safegen.accessibility.transcript import render_transcript
from safegen.errors import UsageError
from safegen.media import tracks as media
from safegen.media.encode import Encoding, encode_mp4
from safegen.types import Clip, Verdict
from safegen.verification.html_report import ReportItem, render
from safegen.verification.summary import summary_rows
from tests.e2e import browser
from tests.e2e.conftest import PROMPT, Studio
from tests.unit.accessibility.conftest import Tones, world


def stated(report: safegen.Report) -> dict[str, Any]:
    manifest = (report.credentials.manifest or {}) if report.credentials else {}
    return next(dict(a["data"]) for a in manifest["assertions"] if a["label"] == "org.safegen.accessibility")


def test_a_release_comes_with_tracks_that_its_credentials_name(studio: Studio) -> None:
    release = studio.first
    report = studio.verify(release.path)
    assert report.verdict is Verdict.VERIFIED
    record = stated(report)
    assert record["made"]
    for kind, name in sidecars.names(release.path.name).items():
        file = release.path.with_name(name)
        assert file in release.sidecars
        assert record[kind]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert release.sidecars[0].name.endswith(".tlog-proof")
    recorded = report.ledger.entry if report.ledger else {}
    assert recorded["accessibility"]["made"]
    assert {s["sha256"] for s in recorded["sidecars"]} == {
        record[k]["sha256"] for k in ("captions", "descriptions", "chapters", "transcript")
    }


def test_the_file_itself_has_them_too_and_says_what_was_seen(studio: Studio) -> None:
    release = studio.first
    found = media.read_tracks(release.path)
    assert [t for *_, t in found.texts["captions"]] == [tracks.NO_SOUND]
    said = [t for *_, t in found.texts["descriptions"]]
    assert said == [c.text for c in webvtt.read_file(release.path.with_name("first.descriptions.vtt"))]
    seen = {a.name: a.value for a in release.attributes}
    assert seen["colour"] in said[0]
    assert seen["shape"] in said[0]


def test_verify_says_which_texts_are_still_those_that_were_released(studio: Studio, tmp_path: Path) -> None:
    """A forged caption beside a genuine file is said; the verdict is about the file and stays."""
    copy = tmp_path / "copy.mp4"
    shutil.copy(studio.first.path, copy)
    for kind, name in sidecars.names("copy.mp4").items():
        if kind != "transcript":
            shutil.copy(studio.first.path.with_name(sidecars.names("first.mp4")[kind]), tmp_path / name)
    forged = tmp_path / "copy.captions.vtt"
    forged.write_text(forged.read_text().replace("[No sound]", "[He swore]"))
    report = studio.verify(copy)
    assert report.verdict is Verdict.VERIFIED
    assert {t.kind: t.state for t in report.texts} == {
        "captions": "changed",
        "descriptions": "as released",
        "chapters": "as released",
        "transcript": "absent",
    }
    told = dict(summary_rows(report))["beside it"]
    assert told == (
        "copy.captions.vtt CHANGED since the release; descriptions, chapters as released; "
        "transcript not beside the file"
    )
    assert told in " ".join(render([ReportItem(copy, report)], when="now").split())
    whole = studio.verify(studio.first.path)
    assert {t.state for t in whole.texts} == {"as released"}


def test_the_prompt_is_in_none_of_them(studio: Studio) -> None:
    for name in sidecars.names("first.mp4").values():
        assert PROMPT not in studio.first.path.with_name(name).read_text()


def test_a_changed_text_track_is_tampering(studio: Studio, tmp_path: Path) -> None:
    data = studio.first.path.read_bytes()
    assert data.count(b"[No sound]") == 1
    forged = tmp_path / "forged.mp4"
    forged.write_bytes(data.replace(b"[No sound]", b"[He swore]"))
    assert studio.verify(forged).verdict is Verdict.TAMPERED


def test_names_that_are_taken_are_known_before_the_work(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "x.chapters.vtt").write_text("mine")
    with pytest.raises(UsageError, match=r"x\.chapters\.vtt exists"):
        safegen.generate(PROMPT, tmp_path / "x.mp4", seed=1, workspace=studio.workspace)
    assert [p.name for p in tmp_path.iterdir()] == ["x.chapters.vtt"]


@pytest.mark.slow
def test_switched_off_the_record_says_so(studio: Studio, tmp_path: Path) -> None:
    release = safegen.generate(PROMPT, tmp_path / "x.mp4", seed=1, access=False, workspace=studio.workspace)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.mp4", "x.mp4.tlog-proof"]
    report = studio.verify(release.path)
    assert report.verdict is Verdict.VERIFIED
    assert stated(report) == sidecars.SWITCHED_OFF
    assert media.read_tracks(release.path).texts == {}


@pytest.mark.slow
def test_a_storyboard_is_described_shot_by_shot(studio: Studio, tmp_path: Path) -> None:
    shots = [safegen.Shot(0, "a red ball moving right over grass"), safegen.Shot(3, "a blue box over snow")]
    safegen.storyboard(shots, tmp_path / "x.mp4", seed=4, seconds=6, workspace=studio.workspace)
    chapters = webvtt.read_file(tmp_path / "x.chapters.vtt")
    assert [c.start for c in chapters] == [0.0, 3.0]
    assert [c.text[:7] for c in chapters] == ["Shot 1:", "Shot 2:"]
    said = webvtt.read_file(tmp_path / "x.descriptions.vtt")
    assert "ball" in said[0].text
    assert "box" in said[1].text
    assert studio.verify(tmp_path / "x.mp4").verdict is Verdict.VERIFIED


PAGE = """<!doctype html><html lang="en"><title>player</title><video id="v" muted width="400" src="{0}.mp4">
<track kind="captions" src="{0}.captions.vtt" srclang="en" label="Captions" default>
<track kind="descriptions" src="{0}.descriptions.vtt" srclang="en" label="Descriptions">
<track kind="chapters" src="{0}.chapters.vtt" srclang="en" label="Chapters"></video>
<script>
const video = document.getElementById("v"); window.seen = []; window.loaded = 0; window.failed = "";
for (const element of document.querySelectorAll("track")) {{
  element.addEventListener("load", () => window.loaded++);
  element.addEventListener("error", () => window.failed += element.src);
  const track = element.track; if (track.kind != "captions") track.mode = "hidden";
  track.addEventListener("cuechange", () => window.seen.push(
    [track.kind, video.currentTime, Array.from(track.activeCues, cue => cue.text)]));
}}
video.addEventListener("error", () => window.failed += video.error.message);
video.addEventListener("ended", () => window.ended = true);
</script></html>"""


def two_shots(folder: Path) -> tracks.AccessibilityTracks:
    """A playable clip of two shots with every track, inside and beside."""
    frames = [*world("red", "ball", "right", "grass"), *world("blue", "box", "still", "snow", 2)]
    import numpy as np

    clip = Clip.from_array(np.stack(frames), 12)
    found = scenes.segment_scenes(scenes.sample_clip(clip), shots=(0.0, 3.0))
    built = tracks.build_tracks(found, clip.seconds, audio=None, engine=Tones())
    encode_mp4(clip, folder / "bare.mp4", fps=Fraction(12), encoding=Encoding(preset="ultrafast"))
    media.mux_tracks(folder / "bare.mp4", folder / "clip.mp4", sidecars.embedded_tracks(built))
    for name, text in sidecars.build_sidecars(built, title="T").by_file_name("clip.mp4").items():
        (folder / name).write_text(text)
    return built


@pytest.mark.slow
@pytest.mark.skipif(browser.PROGRAM is None, reason="there is no Chromium")
def test_a_browser_shows_each_cue_when_it_should(tmp_path: Path) -> None:
    built = two_shots(tmp_path)
    (tmp_path / "index.html").write_text(PAGE.format("clip"))
    with browser.served(tmp_path) as address, browser.browser() as tab:
        tab.call("Page.navigate", url=f"{address}/index.html")
        tab.until("window.loaded === 3 && document.getElementById('v').readyState >= 3", 300)
        assert tab.evaluate("window.failed") == ""
        tab.evaluate("document.getElementById('v').play()")
        tab.until("document.getElementById('v').currentTime > 1", 300)
        picture = base64.b64decode(tab.call("Page.captureScreenshot")["data"])
        (tmp_path / "player.png").write_bytes(picture)
        tab.until("window.ended", 300)
        seen = tab.evaluate("window.seen")
        assert tab.evaluate("window.failed") == ""
        assert tab.evaluate("document.getElementById('v').videoWidth") == 64
    for kind, cues in (
        ("captions", built.captions),
        ("descriptions", built.descriptions),
        ("chapters", built.chapters),
    ):
        shown = [(time, text) for k, time, (*text,) in seen if k == kind and text]
        assert [text for _, text in shown] == [[c.text] for c in cues]
        for (time, _), expected in zip(shown, cues, strict=True):
            assert expected.start <= time < expected.end
            assert time - expected.start < 1.0


@pytest.mark.slow
@pytest.mark.skipif(browser.PROGRAM is None, reason="there is no Chromium")
def test_the_transcript_is_a_page_a_screen_reader_can_use(tmp_path: Path) -> None:
    built = two_shots(tmp_path)
    (tmp_path / "t.html").write_text(render_transcript(built, title="Transcript: clip"))
    with browser.served(tmp_path) as address, browser.browser() as tab:
        tab.call("Page.navigate", url=f"{address}/t.html")
        tab.until("document.readyState === 'complete' && document.title", 300)
        tree = tab.call("Accessibility.getFullAXTree")["nodes"]
    roles = [n["role"]["value"] for n in tree if not n.get("ignored")]
    names = [n.get("name", {}).get("value", "") for n in tree if n["role"]["value"] == "heading"]
    assert "main" in roles
    assert names == ["Transcript: clip", *(c.text for c in built.chapters)]
    assert roles.count("listitem") == 2


def test_the_option_is_on_every_command_that_makes_clips() -> None:
    from safegen.cli import group

    for name in ("generate", "remix", "extend", "loop", "blend", "storyboard"):
        shown = CliRunner().invoke(group, [name, "--help"]).output
        assert "--access / --no-access" in shown, name


def test_describing_a_release_leaves_it_as_it_is(studio: Studio, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    shutil.copy(studio.first.path, copy)
    done = safegen.describe(copy, video=tmp_path / "again.mp4")
    assert any("Content Credentials" in note for note in done.notes)
    assert copy.read_bytes() == studio.first.path.read_bytes()
