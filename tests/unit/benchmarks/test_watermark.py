"""The benchmark's own arithmetic: what the figures in the docs rest on."""

import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import fingerprint, splices
from benchmarks.watermark import content, nulls, table, vmaf
from benchmarks.watermark.__main__ import Rows
from benchmarks.watermark.measure import ssim_y
from benchmarks.watermark.plot import chart
from benchmarks.watermark.report import charts, markdown
from benchmarks.watermark.unmarked import contents
from safegen.watermarks.tile.statistic import log10_bound


def rows() -> list[dict]:
    cost = {"kind": "cost", "scheme": "tile", "clip": "a", "frames": 2, "psnr_y": 45.0, "ssim_y": 0.99,
            "bitrate_delta": 0.05, "embed_fps": 500.0, "share_of_x264": 0.06}  # fmt: skip
    hit = {"kind": "attack", "scheme": "tile", "clip": "a", "attack": "h264_crf23", "payload": True,
           "known": True, "wrong": False, "seconds": 0.1}  # fmt: skip
    return [cost, hit, {**hit, "attack": "h264_crf40", "payload": False}, {**hit, "clip": "b", "wrong": True}]


def test_every_issue_attack_is_in_the_table():
    assert {
        "perspective_2",
        "logo_25",
        "letterbox",
        "fps_60pct",
        "h265_crf34",
        "vp9_crf50",
        "av1_crf32",
    } <= set(table.ATTACKS)
    assert set(table.PEERS) <= set(table.ATTACKS)


def test_tables_count_free_known_and_wrong():
    text = markdown(rows(), "2026-01-01")
    assert "| h264_crf23 | 2 / 2 / 2 (1 wrong) |" in text and "| h264_crf40 | 0 / 1 / 1 |" in text
    assert "45.0" in text and "+5%" in text and "Nothing" in markdown([], "")


def test_charts_are_drawings():
    for picture in charts(rows()).values():
        assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert "&lt;b&gt;" in chart("<b>", "x", "y", {"l": [(0, 0), (1, 2)]})
    with pytest.raises(ValueError, match="nothing"):
        chart("", "", "", {})


def test_rows_survive_a_stop(tmp_path):
    file = tmp_path / "rows.jsonl"
    first = Rows(file)
    first.add(kind="cost", clip="a")
    file.write_text(file.read_text() + '{"kind": "att')
    again = Rows(file)
    assert again.all == [{"kind": "cost", "clip": "a"}] and again.has(clip="a") and not again.has(clip="b")
    again.add(kind="attack", clip="b")
    assert [json.loads(line)["clip"] for line in file.read_text().splitlines()] == ["a", "b"]
    assert len(nulls.read_rows(file)) == 2


def test_null_searches_are_shared_out_evenly():
    plan = list(nulls.schedule(["a", "b", "c"], 100))
    assert sum(len(keys) for _, keys in plan) == 100
    assert len({(name, k) for name, keys in plan for k in keys}) == 100
    assert list(nulls.schedule([], 5)) == []


def test_a_null_search_gives_its_statistics():
    picture = contents([])["noise/0"]()[:1, :256, :256]
    (row,) = nulls.visit("n", picture, [1], [5, 6])
    assert row["accepted"] == 0 and row["log10_p"] > -3 and 0 < row["pilot_z"] < 8 and row["known_z"] < 8
    assert ElementTree.fromstring(nulls.picture([row, {**row, "pilot_z": 5.0}])).tag.endswith("svg")
    assert nulls.summary([row])["payloads_accepted"] == 0


def test_shares_reached_and_their_bound():
    seen = nulls.reached(np.array([1.0, 2.0, 3.0, 4.0]))
    assert seen[0] == (1.0, 0.0) and seen[-1][1] == pytest.approx(math.log10(0.25))
    limit = dict(nulls.bound(np.array([0.0, 10.0]), 1.0))
    assert limit[10.0] == pytest.approx(log10_bound(10.0)) and limit[0.0] == 0


def test_wilson_interval_reference():
    # Newcombe 1998, table I: 81 of 263, and 0 of 20.
    assert content.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert content.wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_ssim_of_equal_and_of_disturbed_pictures():
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, (1, 64, 64, 3)).astype(np.uint8)
    assert ssim_y(clean, clean) == pytest.approx(1.0)
    assert ssim_y(clean, 255 - clean) < 0.1


def test_splices_are_judged_by_their_runs():
    right = splices.judged([(0.0, 1.0, True), (1.0, 2.1, False), (2.1, 4.0, True)], (1.0, 2.0))
    assert (
        right["right"] and right["errors"] == pytest.approx([0, 0.1]) and right["lost"] == pytest.approx(0.1)
    )
    honest = splices.judged([(0.0, 3.0, True), (3.0, 4.0, False)], (0.0, 0.0))
    assert not honest["right"] and honest["lost"] == 1.0
    text = splices.table([{"kind": "none", "crf": 28, **honest}, {"kind": "other clip", "crf": 23, **right}])
    assert "| none | 28 | 0/1 |  | 1.0 s |" in text and "| other clip | 23 | 1/1 | 0.05 s / 0.10 s |" in text


def test_fingerprint_figures_count_found_and_wrong():
    edit = next(iter(fingerprint.EDITS))
    rows = [{"clip": c, "edit": edit, "found": c == "a", "wrong": []} for c in "ab"]
    got = fingerprint.summary([*rows, {"clip": "c", "edit": edit, "found": True, "wrong": ["a | 0.9"]}])
    assert (
        got["found"] == {edit: [2, 3]} and got["wrong"] == [f"c | {edit} | a | 0.9"] and got["searches"] == 6
    )


def test_vmaf_needs_a_program_that_has_it(monkeypatch, tmp_path):
    monkeypatch.setattr(vmaf.shutil, "which", lambda _: None)
    monkeypatch.setattr(vmaf.importlib.util, "find_spec", lambda _: None)
    assert vmaf.program(None) is None
    plain = tmp_path / "ffmpeg"
    plain.write_text("#!/bin/sh\necho ' T.. scale'\n")
    plain.chmod(0o755)
    assert vmaf.program(str(plain)) is None
    plain.write_text("#!/bin/sh\necho ' .. libvmaf'\n")
    assert vmaf.program(str(plain)) == str(plain)
