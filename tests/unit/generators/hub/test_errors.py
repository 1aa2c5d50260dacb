"""Every way in which a hub cannot be had is one clear error with something to do."""

from __future__ import annotations

import json

import pytest

from safegen.errors import GenerationFailed, MissingExtra, SafegenError, UsageError
from safegen.generators import pull
from safegen.generators.diffusers import repository
from safegen.generators.hub import cache
from safegen.generators.presets import preset_for_source
from tests.unit.generators.hub.hub_server import NAME, Hub, Repo

pytest.importorskip("huggingface_hub")
pytest.importorskip("diffusers")

PRESET = preset_for_source(NAME)


def refused(kind: type[SafegenError] = GenerationFailed, **how: object) -> SafegenError:
    with pytest.raises(kind) as error:
        pull.pull_model(pull.plan_pull(PRESET, **how))  # type: ignore[arg-type]
    assert error.value.hint, "an error says what to do"
    assert "\n" not in str(error.value)
    return error.value


def index_of(server: Hub) -> dict[str, object]:
    found = json.loads(server.repos[NAME].commits[0]["model_index.json"])
    assert isinstance(found, dict)
    return found


def with_index(server: Hub, **changed: object) -> None:
    server.repos[NAME].commits[0]["model_index.json"] = json.dumps({**index_of(server), **changed}).encode()


def test_no_network(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "http://127.0.0.1:9 cannot be reached" in str(refused())


def test_offline_mode(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    error = refused()
    assert "offline mode" in str(error) and "HF_HUB_OFFLINE" in error.hint
    assert server.log == []


def test_unknown_id(server: Hub) -> None:
    server.repos.clear()
    error = refused(UsageError)
    assert f"no model {NAME}" in str(error) and "hf auth login" in error.hint


def test_unknown_revision(server: Hub) -> None:
    assert "no revision 'v9'" in str(refused(UsageError, revision="v9"))


def test_gated_without_and_with_the_wrong_login(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    server.repos[NAME].gated = True
    error = refused()
    assert "gated" in str(error) and "hf auth login" in error.hint and f"/{NAME}" in error.hint
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "gated" in str(refused())


def test_gated_with_the_right_login(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    server.repos[NAME].gated = True
    server.tokens.add("hf_right")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert pull.pull_model(pull.plan_pull(PRESET)).files
    assert not server.told_the_cdn, "the login goes to the hub only"


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_the_hub_is_ill(server: Hub, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = pull.plan_pull(PRESET)
    server.status = status
    said = str(refused())
    assert f"HTTP {status}" in said or "login" in said
    server.status = None
    assert pull.pull_model(plan).files


def test_not_a_pipeline(server: Hub) -> None:
    del server.repos[NAME].commits[0]["model_index.json"]
    assert "no model_index.json" in str(refused())


def test_a_pipeline_of_pictures(server: Hub) -> None:
    with_index(server, _class_name="StableDiffusionXLPipeline")
    assert "does not make video" in str(refused())


def test_a_pipeline_that_no_way_of_working_can_call(server: Hub) -> None:
    with_index(server, _class_name="WanAnimatePipeline")
    assert "needs more than words" in str(refused())


def test_a_pipeline_this_diffusers_does_not_have(server: Hub) -> None:
    with_index(server, _class_name="FutureVideoPipeline")
    assert "has no FutureVideoPipeline" in str(refused())


@pytest.mark.parametrize(
    "changed",
    [
        {"_class_name": ["my_pipeline", "MyPipeline"]},
        {"transformer": ["my_module", "MyTransformer"]},
        {"transformer": ["../diffusers", "MyTransformer"]},
    ],
)
def test_code_from_the_repository_is_never_needed(server: Hub, changed: dict[str, object]) -> None:
    with_index(server, **changed)
    assert "code from its repository" in str(refused())


def test_pickles_only(server: Hub) -> None:
    files = server.repos[NAME].commits[0]
    files["vae/diffusion_pytorch_model.bin"] = files.pop("vae/diffusion_pytorch_model.safetensors")
    error = refused()
    assert "no safetensors in vae/" in str(error) and "pickles" in error.hint


def test_an_index_that_is_none(server: Hub) -> None:
    server.repos[NAME].commits[0]["model_index.json"] = b"<html>login</html>"
    assert "returned an invalid answer" in str(refused())


def test_something_else_than_a_hub(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url + "/elsewhere")
    with pytest.raises(SafegenError):
        pull.plan_pull(PRESET)


def test_a_path_that_leaves_the_model(server: Hub) -> None:
    server.repos[NAME].commits[0]["../../evil.json"] = b"{}"
    with pytest.raises(UsageError, match="outside"):
        pull.plan_pull(PRESET)


def test_a_file_listed_one_way_and_served_another(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = pull.plan_pull(PRESET)
    sha, files = server.repos[NAME].at("main") or ("", {})
    other = Repo([{**files, "vae/config.json": b"{}"}])
    monkeypatch.setattr(Repo, "shas", property(lambda _: [sha]))
    server.repos[NAME] = other
    with pytest.raises(GenerationFailed, match="serves a different"):
        pull.pull_model(plan)


def test_a_folder_is_not_pulled(server: Hub, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(UsageError, match="nothing to pull"):
        pull.plan_pull(preset_for_source(str(tmp_path_factory.mktemp("folder"))))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra):
        cache.hub_library()


def test_what_loading_reads() -> None:
    """Tokenizers and shards are chosen; variants, pickles and single-file checkpoints are not."""
    paths = {
        "model_index.json": 1,
        "all_in_one.safetensors": 1,
        "README.md": 1,
        "transformer/config.json": 1,
        "transformer/diffusion_pytorch_model-00001-of-00002.safetensors": 1,
        "transformer/diffusion_pytorch_model-00002-of-00002.safetensors": 1,
        "transformer/diffusion_pytorch_model.safetensors.index.json": 1,
        "transformer/diffusion_pytorch_model.bf16-00001-of-00002.safetensors": 1,
        "transformer/diffusion_pytorch_model.safetensors.index.bf16.json": 1,
        "transformer/diffusion_pytorch_model.bin": 1,
        "transformer/nested/other.safetensors": 1,
        "tokenizer/spiece.model": 1,
        "tokenizer/tokenizer_config.json": 1,
        "tokenizer/merges.txt": 1,
        "safety_checker/model.safetensors": 1,
    }
    index = {
        "_class_name": "X",
        "transformer": ["diffusers", "A"],
        "tokenizer": ["transformers", "B"],
        "safety_checker": [None, None],
        "expand_timesteps": True,
    }
    assert repository.select_files("x/y", paths, index) == [
        "model_index.json",
        "tokenizer/merges.txt",
        "tokenizer/spiece.model",
        "tokenizer/tokenizer_config.json",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
        "transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
        "transformer/diffusion_pytorch_model.safetensors.index.json",
    ]
