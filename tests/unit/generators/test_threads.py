"""Threads that generate at once: each gets what it would have got alone, and the process stays as it was."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safegen.errors import Interrupted
from safegen.generators.diffusers.libraries import (
    in_turn,
    require_module,
    silenced_libraries,
    single_threaded,
)
from safegen.generators.registry import find_generator
from safegen.protocols import Generator, NoProgress
from tests.support.pipelines.requests import digest, smallest_request
from tests.unit.detectors.frames.test_models import clip, vit

THREADS = 4
ROOT = Path(__file__).resolve().parents[3]


def at_once(work: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """The answers of *work* for 0, 1, ..., each in a thread, all let go together."""
    together = threading.Barrier(count, timeout=300)

    def one(number: int) -> Any:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def made(generator: Generator, seed: int) -> str:
    """The SHA-256 of the smallest clip of "tiny" or of a small Wan pipeline."""
    request = smallest_request("wan", seed=seed)
    if generator.name == "tiny":
        request = replace(request, width=64, height=64, seconds=0.5)
    return digest(generator.generate(request, progress=NoProgress()))


def require_the_same(folder: str) -> None:
    """Raise AssertionError unless threads with generators of their own make what each makes alone."""
    models = ["tiny", folder] * (THREADS // 2)
    alone = [made(find_generator(m), seed) for seed, m in enumerate(models)]
    assert at_once(lambda i: made(find_generator(models[i]), i)) == alone


def test_generators_of_their_own(pipeline_folder: Callable[[str], Path]) -> None:
    """Two models, loaded at the same moment by several threads: nothing is left without numbers.

    In a process of its own: the last bits depend on settings of torch that other tests may have touched.
    """
    code = f"from {__name__} import {require_the_same.__name__} as check; import sys; check(sys.argv[1])"
    command = [sys.executable, "-c", code, str(pipeline_folder("wan"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("model", ["tiny", "wan"])
def test_one_generator_for_all(model: str, pipeline_folder: Callable[[str], Path]) -> None:
    shared = find_generator(model if model == "tiny" else str(pipeline_folder(model)))
    together = at_once(lambda i: made(shared, i))
    assert together == [made(shared, i) for i in range(THREADS)]
    assert len(set(together)) == THREADS


def test_models_of_checks_beside_generators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frames model that loads while a generator does, as where one thread moderates and one generates."""
    from safegen.detectors.frames import falconsai

    monkeypatch.setenv("SAFEGEN_FALCONSAI", str(vit(tmp_path, bias=9.0)))

    def work(number: int) -> str:
        if number % 2:
            return made(find_generator("tiny"), 1)
        return str(falconsai.create().run(clip())[1].version)

    answers = at_once(work)
    assert answers[0::2] == answers[:1] * 2 and answers[0].startswith("Falconsai")
    assert answers[1::2] == answers[1:2] * 2


def test_every_place_that_loads_a_model_waits_its_turn() -> None:
    loading = [".from_pretrained(", ".load_lora_weights(", ".from_single_file("]
    places = [p for folder in ("safegen", "detectors") for p in (ROOT / folder).rglob("*.py")]
    found = {p: p.read_text(encoding="utf-8") for p in places}
    loads = {p: text for p, text in found.items() if any(call in text for call in loading)}
    assert len(loads) >= 7
    for place, text in loads.items():
        assert "loading_alone" in text or "MODEL_LOADING" in text, place


def test_silence_ends_with_the_last_of_several() -> None:
    logs = require_module("transformers.utils.logging")
    before = logs.get_verbosity(), logs.is_progress_bar_enabled(), list(warnings.filters)
    first, second = silenced_libraries(), silenced_libraries()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with warnings.catch_warnings(record=True) as heard:
        warnings.warn("said by a library", UserWarning, stacklevel=1)
    assert heard == [] and not logs.is_progress_bar_enabled()
    second.__exit__(None, None, None)
    assert (logs.get_verbosity(), logs.is_progress_bar_enabled(), list(warnings.filters)) == before


def test_the_number_of_threads_is_restored_whoever_leaves_first() -> None:
    torch = require_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    inside: list[int] = []

    def work(_: int) -> None:
        with single_threaded(lambda: False):
            inside.append(torch.get_num_threads())

    try:
        at_once(work)
        assert inside == [1] * THREADS
        with single_threaded(lambda: False):
            pass
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_who_waits_can_be_stopped() -> None:
    held = threading.Lock()
    stopped = threading.Event()
    timer = threading.Timer(0.0, stopped.set)
    with held:
        timer.start()
        started = time.monotonic()
        with pytest.raises(Interrupted, match="waiting"), in_turn(held, stopped.is_set):
            pytest.fail("it was let in")
    assert time.monotonic() - started < 300
    assert not held.locked()
