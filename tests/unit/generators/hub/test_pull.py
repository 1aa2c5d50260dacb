"""Pulling from a hub: the real client and the real pipeline against a hub of one's own that has faults."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from safegen.errors import GenerationFailed, Interrupted, SafegenError, UsageError
from safegen.generators import pull
from safegen.generators.hub import download, lockfile, pinned
from safegen.generators.presets import PRESETS, Preset, preset_for_source
from safegen.generators.tiny.generator import FOLDER
from safegen.protocols import NoProgress
from tests.unit.generators.hub.hub_server import NAME, Hub, Repo, files_of

pytest.importorskip("huggingface_hub")
pytest.importorskip("diffusers")

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def preset() -> Preset:
    return preset_for_source(NAME)


def pulled(preset: Preset, **how: object) -> lockfile.PinnedModel:
    return pull.pull_model(pull.plan_pull(preset, **how))  # type: ignore[arg-type]


class StopAfter(NoProgress):
    """Cancels once so many megabytes have come."""

    def __init__(self, megabytes: int) -> None:
        self.left = megabytes

    def advance(self, amount: int = 1) -> None:
        self.left -= amount

    def cancelled(self) -> bool:
        return self.left <= 0


def test_pull_pins_the_commit_and_later_runs_are_offline(
    server: Hub, preset: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = server.repos[NAME].shas[0]
    record = pulled(preset)
    assert (record.commit, record.revision, record.licence) == (commit, "main", "apache-2.0")
    assert record.pipeline == "WanPipeline"
    assert "digests.json" not in record.files  # only what loading reads
    server.repos[NAME].commits.append({"model_index.json": b"{}"})
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    server.log.clear()
    folder, version = pinned.verified_folder(preset)
    assert version == commit
    assert (folder / WEIGHTS).read_bytes() == (FOLDER / WEIGHTS).read_bytes()
    assert server.log == []


@pytest.mark.slow
def test_the_pulled_pipeline_loads(server: Hub, preset: Preset) -> None:
    from safegen.generators.diffusers import loading
    from safegen.generators.hub import digests

    pulled(preset)
    server.shutdown()
    loaded = loading.load_pipeline(preset)
    assert type(loaded.pipe).__name__ == "WanPipeline"
    shipped = {k: v for k, v in digests.file_digests(FOLDER).items() if k in lockfile.read_record(NAME).files}  # type: ignore[union-attr]
    assert loaded.digest == digests.combined_digest(shipped)
    assert loaded.version == lockfile.read_record(NAME).commit  # type: ignore[union-attr]


def test_what_was_never_pulled_is_not_downloaded_by_the_way(server: Hub, preset: Preset) -> None:
    with pytest.raises(GenerationFailed, match="not on this machine") as error:
        pinned.verified_folder(preset)
    assert f"models pull {NAME}" in error.value.hint
    assert server.log == []


def test_a_plan_says_size_and_licence_and_keeps_nothing(server: Hub, preset: Preset, in_memory: Path) -> None:
    plan = pull.plan_pull(preset)
    assert (
        plan.bytes_to_fetch
        == plan.listing.bytes
        == sum(
            len(d) for p, d in server.repos[NAME].commits[0].items() if p not in ("digests.json", "README.md")
        )
    )
    assert plan.listing.licence == "apache-2.0"
    assert not (in_memory / "cache").exists() and not (in_memory / "data").exists()


def test_a_stopped_pull_goes_on_where_it_ended(server: Hub, preset: Preset) -> None:
    plan = pull.plan_pull(preset)
    with pytest.raises(Interrupted):
        pull.pull_model(plan, progress=StopAfter(2))
    assert lockfile.read_record(NAME) is None
    again = pull.plan_pull(preset)
    assert 0 < again.bytes_to_fetch < plan.bytes_to_fetch - 1_500_000
    server.log.clear()
    pull.pull_model(again)
    starts = [int(r.removeprefix("bytes=").split("-")[0]) for r in server.ranges()]
    assert starts and starts[0] > 0
    assert pinned.verified_folder(preset)[0].is_dir()


def test_a_cut_connection_is_taken_up_again(server: Hub, preset: Preset) -> None:
    server.cut[WEIGHTS] = 300_000
    pulled(preset)
    assert any(int(r.removeprefix("bytes=").split("-")[0]) > 100_000 for r in server.ranges())
    assert (pinned.verified_folder(preset)[0] / WEIGHTS).read_bytes() == (FOLDER / WEIGHTS).read_bytes()


def test_altered_bytes_are_thrown_away(server: Hub, preset: Preset, in_memory: Path) -> None:
    server.altered.add(WEIGHTS)
    with pytest.raises(GenerationFailed, match="does not match what the hub lists"):
        pulled(preset)
    assert lockfile.read_record(NAME) is None
    assert not list((in_memory / "cache").rglob("*.safegen-part"))
    server.altered.clear()
    pulled(preset)


def test_altered_small_files_are_thrown_away_too(server: Hub, preset: Preset) -> None:
    server.altered.add("vae/config.json")
    with pytest.raises(GenerationFailed, match=r"vae/config\.json"):
        pulled(preset)


def alter(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "said"), [(alter, "altered"), (truncate, "bytes, not"), (Path.unlink, "missing")]
)
def test_damaged_weights_are_never_loaded_and_pull_mends_them(
    server: Hub, preset: Preset, damage: object, said: str
) -> None:
    pulled(preset)
    folder, _ = pinned.verified_folder(preset)
    damage((folder / WEIGHTS).resolve())  # type: ignore[operator]
    with pytest.raises(GenerationFailed, match=said) as error:
        pinned.verified_folder(preset)
    assert "pull" in error.value.hint
    pulled(preset)
    assert (pinned.verified_folder(preset)[0] / WEIGHTS).read_bytes() == (FOLDER / WEIGHTS).read_bytes()


def test_an_alteration_with_the_old_times_is_found(server: Hub, preset: Preset) -> None:
    pulled(preset)
    file = (pinned.verified_folder(preset)[0] / WEIGHTS).resolve()
    before = file.stat()
    alter(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(GenerationFailed, match="altered"):
        pinned.verified_folder(preset)


def test_an_added_file_is_found(server: Hub, preset: Preset) -> None:
    pulled(preset)
    folder, _ = pinned.verified_folder(preset)
    (folder / "transformer" / "diffusion_pytorch_model.safetensors.index.json").write_text("{}")
    with pytest.raises(GenerationFailed, match="was added"):
        pinned.verified_folder(preset)


def test_unchanged_files_are_not_hashed_again_unless_asked(server: Hub, preset: Preset) -> None:
    record = pulled(preset)
    assert pinned.verify_model(record) == 0
    assert pinned.verify_model(record, fully=True) == len(record.files)
    (pinned.verified_folder(preset)[0] / WEIGHTS).resolve().touch()
    assert pinned.verify_model(record) == 1
    assert pinned.verify_model(lockfile.read_record(NAME)) == 0  # type: ignore[arg-type]


def test_update_moves_the_pin_and_a_plain_pull_does_not(server: Hub, preset: Preset) -> None:
    first = pulled(preset)
    newer = {**server.repos[NAME].commits[0], "vae/config.json": b'{"changed": 1}'}
    server.repos[NAME].commits.append(newer)
    assert pulled(preset).commit == first.commit
    moved = pulled(preset, update=True)
    assert moved.commit == server.repos[NAME].shas[1] != first.commit
    back = pulled(preset, revision=first.commit)
    assert back.commit == first.commit == pinned.verified_folder(preset)[1]


def test_another_revision_than_the_pinned_one_is_said(server: Hub, preset: Preset) -> None:
    record = pulled(preset)
    assert pinned.verified_folder(replace(preset, revision=record.commit))[1] == record.commit
    with pytest.raises(GenerationFailed, match="pinned to") as error:
        pinned.verified_folder(replace(preset, revision="v9"))
    assert "--revision v9" in error.value.hint


def test_terms_must_be_accepted(server: Hub) -> None:
    hunyuan = PRESETS["hunyuanvideo"]
    server.repos[hunyuan.source] = Repo([files_of(FOLDER)], licence="other")
    plan = pull.plan_pull(hunyuan)
    with pytest.raises(GenerationFailed, match=r"European Union.*South Korea") as error:
        pull.pull_model(plan)
    assert "--accept-licence" in error.value.hint
    assert pull.pull_model(plan, accepted=True).accepted


def test_terms_of_a_copy_under_another_name(server: Hub, preset: Preset) -> None:
    server.repos[NAME].card = {"license_name": "tencent-hunyuan-community"}
    with pytest.raises(GenerationFailed, match="United Kingdom"):
        pulled(preset)


def test_full_disk(server: Hub, preset: Preset, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    plan = pull.plan_pull(preset)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(GenerationFailed, match=r"disk .* is full") as error:
        pull.pull_model(plan)
    assert "HF_HUB_CACHE" in error.value.hint


def test_two_pulls_at_once(server: Hub, preset: Preset) -> None:
    plan = pull.plan_pull(preset)
    with lockfile.exclusive_pull(NAME), pytest.raises(GenerationFailed, match="another process"):
        pull.pull_model(plan)


def test_a_damaged_record_is_no_pin(server: Hub, preset: Preset) -> None:
    pulled(preset)
    file = lockfile.record_path(NAME)
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "files": 3}))
    with pytest.raises(GenerationFailed, match="cannot be read"):
        pinned.verified_folder(preset)


def test_partial_sizes(server: Hub, preset: Preset, in_memory: Path) -> None:
    plan = pull.plan_pull(preset)
    item = next(i for i in plan.listing.files if i.path == WEIGHTS)
    part = in_memory / "cache" / f"models--{NAME.replace('/', '--')}" / "blobs" / f"{item.etag}.safegen-part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (item.size + 5))  # longer than the file: thrown away, not trusted
    pulled(preset)
    assert download.bytes_missing(NAME, plan.listing.files) == 0


def test_unpin(server: Hub, preset: Preset) -> None:
    pulled(preset)
    assert lockfile.list_sources() == [NAME]
    pinned.unpin_model(NAME)
    assert lockfile.list_sources() == []
    with pytest.raises(UsageError):
        pinned.unpin_model(NAME)
    assert issubclass(UsageError, SafegenError)
