"""Errors survive the way between processes: a pool hands them on with everything they carry."""

from __future__ import annotations

import copy
import importlib
import inspect
import multiprocessing
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

import safegen
from safegen import errors
from safegen.errors import RefusedByPolicy, SafegenError
from safegen.types import Held, Refused
from tests.support import results

WORKER_PARTS = {"safegen.__main__", "safegen.media._worker", "safegen.ledger.migrations.env"}
"""Modules that act when they are imported."""
CARRIED: dict[str, Any] = {
    "decision: Refused": results.decision(Refused),
    "decision: Held": results.decision(Held),
    "str": "/studio/workspace",
}
"""What a class keeps beside its message, by the name and type of the argument; else a text."""


def everything() -> list[type[SafegenError]]:
    """The root and every class below it, whichever module defines it."""
    for module in pkgutil.walk_packages(safegen.__path__, "safegen."):
        if module.name not in WORKER_PARTS and not module.name.startswith("safegen.ledger.migrations"):
            importlib.import_module(module.name)
    found = [SafegenError]
    for kind in found:
        found += [k for k in kind.__subclasses__() if k not in found and k.__module__.startswith("safegen")]
    return found


def one_of(kind: type[SafegenError]) -> SafegenError:
    """An error of *kind* with a hint and all that its class asks for."""
    given = {"message": f"this is {kind.__name__}", "hint": "do that"}
    asked = inspect.signature(kind.__init__).parameters
    values = {
        name: given.get(name) or CARRIED.get(f"{name}: {asked[name].annotation}") or CARRIED["str"]
        for name in asked
        if name != "self"
    }
    first = values.pop(next(iter(values)))
    return kind(first, **values)


def same(a: BaseException, b: BaseException) -> bool:
    return type(a) is type(b) and a.args == b.args and vars(a) == vars(b)


def test_every_error_survives_pickling_and_copying() -> None:
    kinds = everything()
    assert {k for k in vars(errors).values() if inspect.isclass(k) and issubclass(k, SafegenError)} <= set(
        kinds
    )
    for kind in kinds:
        error = one_of(kind)
        error.add_note("while making clip 3")
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert same(pickle.loads(pickle.dumps(error, protocol)), error), kind
        assert same(copy.copy(error), error), kind
        assert str(pickle.loads(pickle.dumps(error))) == str(error) != ""


def fail(error: SafegenError) -> None:
    raise error


def test_a_process_pool_hands_every_error_on_and_lives() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for error in map(one_of, everything()):
            with pytest.raises(SafegenError) as caught:
                pool.submit(fail, error).result(300)
            assert same(caught.value, error), error


def test_a_refusal_keeps_its_decision() -> None:
    decision = results.decision(Refused)
    assert isinstance(decision, Refused)
    again = pickle.loads(pickle.dumps(RefusedByPolicy("no", decision=decision)))
    assert again.decision == decision
    assert again.exit_code == 3


@pytest.mark.parametrize("name", results.SAMPLES)
def test_every_result_survives_pickling(name: str) -> None:
    result = results.SAMPLES[name]()
    assert pickle.loads(pickle.dumps(result)).to_json() == result.to_json()


def test_the_rules_of_a_compliance_report_survive_pickling() -> None:
    from safegen.compliance.rules import RULES

    assert pickle.loads(pickle.dumps(RULES)) == RULES
