"""The embedded model as shipped: loads, follows the seed to the byte, stops when asked, refuses altered
weights."""

from __future__ import annotations

import builtins
import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen.errors import GenerationFailed, Interrupted, MissingExtra, UsageError
from safegen.generators.presets import PRESETS
from safegen.generators.registry import find_generator, named_models
from safegen.generators.tiny.generator import FOLDER, TinyGenerator
from safegen.protocols import NoProgress
from safegen.types import Request, Shot

PROMPT = "a red ball rolling left to right over green grass"


@pytest.fixture(scope="module")
def generator() -> TinyGenerator:
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    return TinyGenerator()


def digest(generator: TinyGenerator, **changes: Any) -> str:
    request = Request(PROMPT, steps=3, width=64, height=64, **changes)
    clip = generator.generate(request, progress=NoProgress()).clip
    return hashlib.sha256(b"".join(f.tobytes() for f in clip)).hexdigest()


def test_the_seed_decides_every_byte(generator: TinyGenerator) -> None:
    first = digest(generator, seed=5)
    assert digest(generator, seed=5) == first
    assert digest(TinyGenerator(), seed=5) == first
    assert digest(generator, seed=6) != first


def test_what_is_reported(generator: TinyGenerator, counting: Any) -> None:
    progress = counting()
    made = generator.generate(Request(PROMPT, seed=1, steps=4), progress=progress)
    assert (made.clip.width, made.clip.height, made.clip.fps, made.clip.seconds) == (512, 512, 24, 3.0)
    assert ("denoising", 4) in progress.stages and progress.units == 4
    assert made.model.name == "tiny" and made.model.digest == generator.describe()["digest"]
    assert made.settings["num_inference_steps"] == 4
    assert made.settings["max_sequence_length"] == 40
    assert PROMPT not in repr(made.settings) and str(FOLDER) not in repr(made)
    assert made.warnings == ()


def test_stopping_raises_and_the_next_call_works(generator: TinyGenerator, counting: Any) -> None:
    before = digest(generator, seed=2)
    progress = counting(stop_after=2)
    with pytest.raises(Interrupted):
        generator.generate(Request(PROMPT, seed=2), progress=progress)
    assert progress.units == 2
    with pytest.raises(Interrupted):
        generator.generate(Request(PROMPT, seed=2), progress=counting(stop_after=0))
    assert digest(generator, seed=2) == before


def test_unknown_words_are_named() -> None:
    made = TinyGenerator().outlook(Request("A zebra, and a RED ball near a zebra")).notes
    assert "zebra" in made[0] and "red" not in made[0] and made[0].count("zebra") == 1
    assert "safegen models show tiny" in made[0] and "--model wan2.1-1.3b" in made[0]
    assert "wan2.1-1.3b" in PRESETS
    assert TinyGenerator().outlook(Request(PROMPT)).notes == ()


def test_words_beyond_what_is_read_are_told_as_the_tokenizer_cuts_them() -> None:
    transformers = pytest.importorskip("transformers")
    words = ["a red ball from left to right", *["over green grass"] * 10, "a small Tree, at dusk!"]
    prompt = " ".join(words)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(str(FOLDER / "tokenizer"))
    all_words, read = (tokenizer(prompt, truncation=cut)["input_ids"] for cut in (False, True))
    unread = TinyGenerator().truncated_words(prompt)
    assert 0 < len(unread) == len(all_words) - len(read)
    assert tokenizer.convert_ids_to_tokens(all_words[-1 - len(unread) : -1]) == unread
    (note,) = (n for n in TinyGenerator().outlook(Request(prompt)).notes if "too long" in n)
    assert repr(unread[0]) in note and f"{len(unread)} words" in note


def test_the_shots_of_a_storyboard_are_read_one_by_one() -> None:
    def notes(*prompts: str) -> tuple[str, ...]:
        shots = tuple(Shot(3.0 * i, prompt) for i, prompt in enumerate(prompts))
        request = Request("\n".join(prompts), mode="storyboard", shots=shots)
        return TinyGenerator().outlook(request).notes

    assert notes(*[PROMPT] * 5) == ()
    (note,) = notes(PROMPT, " and ".join([PROMPT] * 6), PROMPT)
    assert "too long" in note


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"width": 17, "height": 33}, "17x33"),
        ({"width": 8192, "height": 8192}, "8192x8192"),
        ({"fps": 120, "seconds": 300.0}, "300 s at 120 fps"),
        ({"options": {"cache": "first-block"}}, "one way of loading"),
        ({"options": {"nonsense": 1}}, "no option 'nonsense'"),
        ({"options": {"attention_kwargs": {"a": "words"}}}, "cannot be text"),
        ({"mode": "loop", "seconds": 9.0}, "the length of a loop itself"),
        ({"mode": "edit", "seconds": 1.0}, "keeps the length of a clip"),
        ({"mode": "storyboard", "shots": (Shot(0, "a"), Shot(1e9, "b"))}, "cannot be made"),
    ],
)
def test_what_it_cannot_make_is_said_before_it_is_loaded(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        TinyGenerator().outlook(Request(PROMPT, **changes))


def test_a_long_clip_is_a_slow_one() -> None:
    assert "stretched to 30 s" in TinyGenerator().outlook(Request(PROMPT, seconds=30.0)).notes[0]
    assert TinyGenerator().outlook(Request(PROMPT, seconds=6.0)).notes == ()


def test_settings_reach_the_pipeline(generator: TinyGenerator) -> None:
    assert digest(generator, seed=1, guidance=1.0) != digest(generator, seed=1, guidance=5.0)
    with pytest.raises(UsageError, match="no option 'nonsense'"):
        digest(generator, options={"nonsense": 1})
    with pytest.raises(UsageError):
        digest(generator, options={"output_type": "pil"})


def test_nothing_is_printed(generator: TinyGenerator, capfd: pytest.CaptureFixture[str]) -> None:
    TinyGenerator().generate(Request(PROMPT, steps=2), progress=NoProgress())
    out = capfd.readouterr()
    assert (out.out, out.err) == ("", "")


@pytest.mark.parametrize("part", ["vae", "transformer", "text_encoder"])
def test_altered_weights_are_refused(tmp_path: Path, part: str) -> None:
    copy = tmp_path / "tiny"
    shutil.copytree(FOLDER, copy)
    file = next((copy / part).glob("*.safetensors"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(GenerationFailed, match=part):
        TinyGenerator(copy).generate(Request(PROMPT, steps=2), progress=NoProgress())


def test_without_torch_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from safegen.generators.diffusers import libraries

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(libraries.importlib, "import_module", missing)
    with pytest.raises(MissingExtra) as error:
        TinyGenerator().generate(Request(PROMPT), progress=NoProgress())
    assert "safegen[video]" in error.value.hint
    assert error.value.exit_code == 5


def test_the_catalogue_needs_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def guarded(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] in {"torch", "diffusers", "transformers"} and not kwargs.get("level"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", guarded)
    row = next(r for r in named_models() if r["name"] == "tiny")
    assert len(row["digest"]) == 64 and "ball" in row["words"]
    assert find_generator("tiny").name == "tiny"


def test_files_are_small_and_hold_no_local_paths() -> None:
    files = [p for p in FOLDER.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 32 << 20
    assert max(p.stat().st_size for p in files) < 16 << 20
    for path in files:
        if path.suffix in {".json", ".md"}:
            text = path.read_text(encoding="utf-8")
            assert "_name_or_path" not in text and "/home/" not in text and "/work" not in text


@pytest.mark.slow
def test_the_model_follows_its_prompts(generator: TinyGenerator) -> None:
    """Colour and place of held-out combinations, on the released clip; the card has the full figures."""
    from safegen.detectors.frames.world import create
    from training.tiny.prompts import written

    right = []
    for case in written()["single"][:12]:
        clip = generator.generate(Request(case.prompt, seed=case.seed), progress=NoProgress()).clip
        said = {a.name: a.value for a in create().run(clip)[0]}
        thing = case.scene.things[0]
        right.append(said["colour"] == thing.colour and said["background"] == case.scene.background)
    assert np.mean(right) >= 0.75
