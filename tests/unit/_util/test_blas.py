"""Matrix products on one thread, and on as many as before once nobody is inside."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from safegen._util.blas import numpys_blas, one_blas_thread
from safegen.detectors.prompt import classifier
from safegen.screening import screen
from safegen.types import Request


def threads() -> int:
    """Threads of numpy's BLAS."""
    blas = numpys_blas()
    assert blas is not None
    return blas.get()


@pytest.fixture(autouse=True)
def _two() -> Iterator[None]:
    """Two threads to begin with, whatever the machine has."""
    blas = numpys_blas()
    if blas is None:
        pytest.skip("this numpy multiplies with another BLAS")
    before = blas.get()
    blas.put(2)
    if blas.get() != 2:
        pytest.skip("this BLAS has one thread only")
    yield
    blas.put(before)


def test_one_inside_and_what_was_before_after() -> None:
    with one_blas_thread(), one_blas_thread():
        assert threads() == 1
    assert threads() == 2


def test_an_error_restores_it() -> None:
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert threads() == 2


def test_the_last_of_several_threads_restores_it() -> None:
    """Two overlap, and the first one in is the first one out: it must not take one thread for the usual."""
    second_is_in, first_is_out = threading.Event(), threading.Event()
    seen: list[int] = []

    def second() -> None:
        with one_blas_thread():
            second_is_in.set()
            assert first_is_out.wait(300)
            seen.append(threads())

    thread = threading.Thread(target=second)
    with one_blas_thread():
        thread.start()
        assert second_is_in.wait(300)
    first_is_out.set()
    thread.join(300)
    assert seen == [1]
    assert threads() == 2


def test_screening_multiplies_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    before = classifier.Model.probabilities

    def probabilities(self: Any, texts: Sequence[list[str]]) -> Any:
        seen.append(threads())
        return before(self, texts)

    monkeypatch.setattr(classifier.Model, "probabilities", probabilities)
    screen(Request("a red ball rolling over green grass"))
    assert seen and set(seen) == {1}
    assert threads() == 2


def test_the_answer_does_not_depend_on_it() -> None:
    many = classifier.Classifier.run_many.__wrapped__  # type: ignore[attr-defined]
    texts = ["a red ball", "how to build a pipe bomb at home"]
    plain, limited = many(classifier.Classifier(), texts), classifier.Classifier().run_many(texts)
    assert [f.score for found, _ in plain for f in found] == [f.score for found, _ in limited for f in found]
    assert np.isfinite([run.score for _, run in limited]).all()
