"""Checks around models and programs: the real loading path, on tiny checkpoints of the same architectures."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen.detectors.frames import _hub, faces, falconsai, known, shieldgemma, text
from safegen.detectors.frames._classifier import ClassifierCheck
from safegen.errors import CheckAbsent, CheckUnavailable
from safegen.moderation.hide_faces import hide_faces
from safegen.types import Clip


def clip(n: int = 12, fps: int = 4) -> Clip:
    coarse = np.random.default_rng(1).integers(40, 210, (8, 24, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    return Clip.from_array(np.stack([coarse[:, i : i + 96] for i in range(n)]), fps)


def vit(folder: Path, labels: tuple[str, ...] = ("normal", "nsfw"), bias: float = 0.0) -> Path:
    """A random ViT with Falconsai's labels and preprocessing; *bias* makes it favour the last label."""
    torch = pytest.importorskip("torch")
    import transformers

    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32,
        patch_size=16, id2label=dict(enumerate(labels)), label2id={v: k for k, v in enumerate(labels)},
    )  # fmt: skip
    model = transformers.ViTForImageClassification(config)
    with torch.no_grad():
        model.classifier.bias[-1] += bias
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "image_processor_type": "ViTImageProcessor",
                "size": {"height": 32, "width": 32},
                "image_mean": [0.5] * 3,
                "image_std": [0.5] * 3,
            }
        )
    )
    return folder


def test_falconsai_loads_and_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEGEN_FALCONSAI", str(vit(tmp_path / "a", bias=9.0)))
    found, ran = falconsai.create().run(clip())
    assert ran.name == "falconsai"
    assert ran.version.startswith("Falconsai/nsfw_image_detection@")
    assert ran.digest is not None
    assert len(ran.digest) == 64
    assert ran.score is not None
    assert ran.score > 0.9
    assert [int(f.time or 0) for f in found] == [0, 1, 2]
    assert {f.category for f in found} == {"nudity"}
    monkeypatch.setenv("SAFEGEN_FALCONSAI", str(vit(tmp_path / "b", bias=-9.0)))
    calm, other = falconsai.create().run(clip())
    assert not calm
    assert other.digest != ran.digest


def test_other_labels_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEGEN_FALCONSAI", str(vit(tmp_path, labels=("cat", "dog"))))
    with pytest.raises(CheckUnavailable, match="labels"):
        falconsai.create().run(clip())


@pytest.mark.parametrize("harm", ["weights missing", "weights cut", "no config", "not json"])
def test_broken_checkpoints_are_refused(harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = vit(tmp_path)
    weights = place / "model.safetensors"
    if harm == "weights missing":
        weights.unlink()
    elif harm == "weights cut":
        weights.write_bytes(weights.read_bytes()[:200])
    elif harm == "no config":
        (place / "config.json").unlink()
    else:
        (place / "config.json").write_text("{")
    monkeypatch.setenv("SAFEGEN_FALCONSAI", str(place))
    with pytest.raises(CheckUnavailable):
        falconsai.create().run(clip())


def test_pickled_weights_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    place = vit(tmp_path)
    (place / "model.safetensors").unlink()
    torch.save({}, place / "pytorch_model.bin")
    monkeypatch.setenv("SAFEGEN_FALCONSAI", str(place))
    with pytest.raises(CheckUnavailable):
        falconsai.create().run(clip())


def test_a_model_of_timms_without_timm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Freepik's model is one; its config has timm's fields and no model_type."""
    (tmp_path / "config.json").write_text('{"architecture": "eva02_base_patch14_448", "num_classes": 4}')
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n, *a: None if n == "timm" else real(n, *a))
    with pytest.raises(CheckAbsent, match="timm") as stopped:
        _hub.libraries(tmp_path)
    assert "safegen[moderation]" in stopped.value.hint


def test_without_yunets_weights_it_is_said_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAFEGEN_FACES", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckAbsent, match="opencv/face_detection_yunet is not on this machine") as stopped:
        faces.create().run(clip(2))
    assert stopped.value.hint == (
        "run hf download opencv/face_detection_yunet, or set SAFEGEN_FACES to its folder"
    )
    monkeypatch.setenv("SAFEGEN_FACES", str(tmp_path))
    with pytest.raises(CheckAbsent, match=r"does not contain face_detection_yunet_2023mar\.onnx"):
        faces.create().run(clip(2))
    (tmp_path / "face_detection_yunet_2023mar.onnx").write_bytes(b"no network")
    with pytest.raises(CheckUnavailable) as broken:
        faces.create().run(clip(2))
    assert not isinstance(broken.value, CheckAbsent)


def test_models_in_the_cache_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAFEGEN_FALCONSAI", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    vit(tmp_path / "models--Falconsai--nsfw_image_detection" / "snapshots" / "0123456789abcdef")
    _, ran = falconsai.create().run(clip(2))
    assert ran.version.endswith("@0123456789ab")


def test_a_cache_that_cannot_be_read_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An optional check must not count as absent because its folder cannot be opened."""
    monkeypatch.delenv("SAFEGEN_FALCONSAI", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckAbsent):
        falconsai.create().run(clip(2))
    place = tmp_path / "models--Falconsai--nsfw_image_detection"
    place.mkdir()
    (place / "snapshots").symlink_to("snapshots")
    with pytest.raises(CheckUnavailable, match="cannot be read") as stopped:
        falconsai.create().run(clip(2))
    assert not isinstance(stopped.value, CheckAbsent)


class Says:
    """A classifier that answers what it is told."""

    version, digest, batch = "v", "0" * 64, 4

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def scores(self, pictures: Any) -> Any:
        return self.answer(len(pictures))


@pytest.mark.parametrize(
    "answer",
    [
        lambda n: [],
        lambda n: [{"nudity": 0.1}] * (n - 1),
        lambda n: [{}] * n,
        lambda n: [{"nudity": float("nan")}] * n,
        lambda n: [{"nudity": 7.0}] * n,
    ],
)
def test_classifiers_that_answer_nonsense(answer: Any) -> None:
    with pytest.raises(CheckUnavailable):
        ClassifierCheck("x", lambda: Says(answer), {}).run(clip())


def gemma(folder: Path) -> Path:
    """A random ShieldGemma 2 with a tokenizer of a few words and the real processor and chat template."""
    torch = pytest.importorskip("torch")
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_image>", "<end_of_image>", "<image_soft_token>"]
    words = {w: i for i, w in enumerate([*special, "Yes", "No", "image", "policy"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>",
        unk_token="<unk>",
        extra_special_tokens={"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>",
                              "image_token": "<image_soft_token>"},
    )  # fmt: skip
    template = (
        "{{ bos_token }}{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}"
        "<start_of_image>{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endfor %}"
    )
    images = transformers.Gemma3ImageProcessor(size={"height": 28, "width": 28}, do_pan_and_scan=False)
    processor = transformers.ShieldGemma2Processor(images, fast, chat_template=template, image_seq_length=4)
    processor.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.ShieldGemma2Config(
        text_config={"vocab_size": 16, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
                     "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "pad_token_id": 0},
        vision_config={"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
                       "num_attention_heads": 2, "image_size": 28, "patch_size": 7},
        mm_tokens_per_image=4, boi_token_index=4, eoi_token_index=5, image_token_index=6,
    )  # fmt: skip
    config.yes_token_index, config.no_token_index = 7, 8
    transformers.ShieldGemma2ForImageClassification(config).save_pretrained(folder)
    return folder


def test_shieldgemma_loads_and_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEGEN_SHIELDGEMMA", str(gemma(tmp_path)))
    model = shieldgemma.load()
    scores = model.scores(list(clip(2)))
    assert len(scores) == 2
    assert set(scores[0]) == {"nudity", "violence", "dangerous"}
    _, ran = shieldgemma.create().run(clip(2))
    assert ran.score is not None
    assert 0 < ran.score < 1


# --- known content ----------------------------------------------------------------------------


def test_known_content_is_recognised_anywhere_in_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    listed = rng.integers(0, 255, (8, 8, 3)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
    file = tmp_path / "known.jsonl"
    known.add(file, "case 7", Clip.from_array(listed[None], 1))
    monkeypatch.setenv("SAFEGEN_KNOWN", str(file))
    frames = np.stack([rng.integers(0, 255, (8, 8, 3)).repeat(16, 0).repeat(16, 1) for _ in range(1)] * 12)
    calm, _ = known.create().run(Clip.from_array(frames.astype(np.uint8), 12))
    assert not calm
    frames[6] = np.clip(listed.astype(int) * 0.9 + 8, 0, 255)
    found, ran = known.create().run(Clip.from_array(frames.astype(np.uint8), 12))
    assert [f.reason for f in found] == ["it is on the list as 'case 7'"]
    assert ran.digest is not None


@pytest.mark.parametrize("content", ["", "{", '{"name": "x"}', '{"name": "x", "descriptors": "AAAA"}', "[1]"])
def test_broken_lists_stop(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safegen.moderation.checks import run_check

    (tmp_path / "known.jsonl").write_text(content)
    monkeypatch.setenv("SAFEGEN_KNOWN", str(tmp_path / "known.jsonl"))
    with pytest.raises(CheckUnavailable):
        run_check("known", clip())


# --- text -------------------------------------------------------------------------------------

HEAD = "\t".join(f"c{i}" for i in range(12)).replace("c0", "level", 1)


def tesseract(folder: Path, answer: str, code: int = 0) -> None:
    """A program of that name which prints *answer*: the real one is not on every machine."""
    (folder / "answer").write_text(answer)
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\ncat '{folder}/answer'\nexit {code}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def row(word: str, sure: str = "90") -> str:
    return "\t".join(["5", *["0"] * 9, sure, word])


def test_what_is_written_in_the_pictures_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    words = ["how", "to", "build", "a", "pipe", "bomb", "at", "home"]
    tesseract(tmp_path, "\n".join([HEAD, *(row(w) for w in words)]))
    found, ran = text.create().run(clip(4))
    assert "weapons" in {f.category for f in found}
    assert all(f.time is not None for f in found)
    assert ran.digest is not None
    tesseract(tmp_path, "\n".join([HEAD, *(row(w, "12") for w in words), row("hello")]))
    assert not text.create().run(clip(4))[0]


@pytest.mark.parametrize(
    ("answer", "code"), [("", 0), ("hello", 0), (f"{HEAD}\n{row('x', 'y')}", 0), (HEAD, 3)]
)
def test_a_text_reader_that_fails_stops(
    answer: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    tesseract(tmp_path, answer, code)
    with pytest.raises(CheckUnavailable):
        text.create().run(clip(2))


# --- hiding faces -----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["pixelate", "blur"])
def test_faces_are_hidden_before_and_after_they_are_seen(how: Any) -> None:
    frames = np.random.default_rng(1).integers(0, 255, (20, 64, 64, 3), np.uint8)
    number = iter(range(1000))

    def find(frame: Any) -> list[tuple[int, int, int, int]]:
        return [(20, 20, 16, 16)] if next(number) == 10 else []

    out = list(hide_faces(Clip.from_array(frames, 24), how, detect=find))
    assert len(out) == 20
    changed = [i for i in range(20) if not np.array_equal(out[i], frames[i])]
    assert changed == list(range(4, 17))
    assert out[10][20:36, 20:36].std() < frames[10][20:36, 20:36].std() / 2
    assert np.array_equal(out[10][:10], frames[10][:10])
    assert np.array_equal(
        frames[10], np.random.default_rng(1).integers(0, 255, (20, 64, 64, 3), np.uint8)[10]
    )


def test_a_detector_that_fails_hides_nothing_and_says_so() -> None:
    def find(frame: Any) -> Any:
        raise RuntimeError("boom")

    with pytest.raises(CheckUnavailable):
        list(hide_faces(clip(), "blur", detect=find))
