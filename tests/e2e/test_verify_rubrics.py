"""The C2PA conformance programme's asset rubrics over our own output: nothing false.

The rubrics' expressions are JSON Formula; Adobe's implementation evaluates them (``tests/tools/rubrics``,
Node, for tests only). Without Node, or where its one package cannot be fetched, these tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from safegen.credentials import library
from safegen.credentials.manifest import ProtectionInputs, build_protection
from safegen.credentials.sign import Ingredient, sign_file
from safegen.credentials.source_types import source_type_address
from tests.e2e.makers import TILE, Maker, inputs, paint

SPEC = "2.4"
GENERATED = {"inception:signal_fullyGenAIMedia", "transformation:signal_nonEditorial"}
PROTECTED = {"inception:signal_mediaUnknownProvenance", "transformation:signal_nonEditorial"}
EDITED = {"transformation:signal_nonEditorial", "transformation:signal_perceptibleGenAI"}


@dataclass(frozen=True)
class Rubric:
    """A rubric file: its variables, named expressions and checks."""

    variables: dict[str, Any]
    functions: dict[str, str]
    checks: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Rubric:
        head, checks = yaml.safe_load_all(path.read_text(encoding="utf-8"))
        variables = {**head.get("variables", {}), "$expected_spec_version": SPEC}
        return cls(variables, head.get("expressions", {}), checks)


@pytest.fixture(scope="module")
def evaluate(
    root: Path, tmp_path_factory: pytest.TempPathFactory, users_home: str
) -> Callable[[Rubric, Any], Any]:
    """Runs a rubric's expressions over a document with Node."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs Node and npm to evaluate JSON Formula")
    folder = root / "tests/tools/rubrics"
    if not (folder / "node_modules/@adobe/json-formula").is_dir():
        copy = tmp_path_factory.mktemp("rubrics")
        for name in ("package.json", "evaluate.mjs"):
            shutil.copy(folder / name, copy)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        env = {**os.environ, "HOME": users_home}  # which registry npm asks is set up there
        done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=600)
        if done.returncode:
            pytest.skip("the JSON Formula package cannot be fetched here")
        folder = copy

    def run(rubric: Rubric, document: Any) -> Any:
        job = {
            "document": document,
            "variables": rubric.variables,
            "functions": rubric.functions,
            "checks": [{"id": c["id"], "expression": c["expression"]} for c in rubric.checks],
        }
        command = ["node", "evaluate.mjs"]
        done = subprocess.run(
            command, cwd=folder, input=json.dumps(job), capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("rubric") / "workspace")


def crjson(path: Path, maker: Maker) -> Any:
    """c2pa's own crJSON of the file, with our root trusted."""
    import c2pa

    context = library.context(anchors_pem=maker.identity.root_pem.decode())
    with path.open("rb") as file, c2pa.Reader("video/mp4", file, context=context) as reader:
        found = reader.crjson()
    return json.loads(found) if isinstance(found, str) else found


def failed(rubric: Rubric, answers: Any) -> dict[str, Any]:
    """Checks that say no; an expression that cannot be evaluated fails."""
    found = {}
    for check in rubric.checks:
        answer = answers[check["id"]]
        value = answer.get("value")
        lists = check.get("failIfMatched") or check.get("warnIfMatched")
        passed = value in ([], None, False) if lists else value is True
        if "error" in answer or not passed:
            found[check["id"]] = answer
    return found


def outputs(maker: Maker, folder: Path) -> dict[str, Path]:
    """One file of every kind that safegen writes."""
    made = {"generated": maker.release(folder / "generated.mp4", content_id=1)}
    for i, relationship in enumerate(("parentOf", "inputTo", "componentOf")):
        source = Ingredient(made["generated"], "source", relationship, "source")
        made[relationship] = maker.release(
            folder / f"{relationship}.mp4", content_id=2 + i, seed=2 + i, ingredients=[source]
        )
    label = {"action": "c2pa.addedText", "digitalSourceType": "http://c2pa.org/digitalsourcetype/empty"}
    made["labelled"] = maker.release(folder / "labelled.mp4", content_id=9, extra_actions=[label])
    plain, protected = paint(folder / "plain.mp4", seed=5), folder / "protected.mp4"
    source = Ingredient(plain, "plain.mp4", "parentOf", "source")
    stated = ProtectionInputs(
        title="protected.mp4", content_id=6, watermark_alg=TILE, source=source, when=inputs(6).when
    )
    sign_file(
        plain, protected, build_protection(stated), signer=maker.identity.signer(), ingredients=[source]
    )
    made["protected"] = protected
    address = source_type_address("trainedAlgorithmicMedia")
    for name, file in (("stated", plain), ("stated again", protected)):
        source, path = Ingredient(file, file.name, "parentOf", "source", address), folder / f"{name}.mp4"
        known = replace(stated, source=source, stated_source_type="trainedAlgorithmicMedia")
        sign_file(file, path, build_protection(known), signer=maker.identity.signer(), ingredients=[source])
        made[name] = path
    return made


@pytest.fixture(scope="module")
def made(maker: Maker) -> dict[str, Path]:
    return outputs(maker, maker.root.parent)


@pytest.mark.parametrize("name", ["asset-rubric-conformance0.2-spec2.4.yml", "asset-rubric-integrity.yml"])
def test_nothing_false(
    name: str, shared: Path, maker: Maker, made: dict[str, Path], evaluate: Callable[[Rubric, Any], Any]
) -> None:
    rubric = Rubric.read(shared / "data/c2pa/rubrics" / name)
    assert len(rubric.checks) >= 6
    for kind, path in made.items():
        answers = evaluate(rubric, crjson(path, maker))
        assert not failed(rubric, answers), kind


@pytest.mark.parametrize(
    ("kind", "expected"), [("generated", GENERATED), ("protected", PROTECTED), ("parentOf", EDITED)]
)
def test_signals_say_what_was_done(
    kind: str,
    expected: set[str],
    shared: Path,
    maker: Maker,
    made: dict[str, Path],
    evaluate: Callable[[Rubric, Any], Any],
) -> None:
    rubric = Rubric.read(shared / "data/c2pa/rubrics/asset-rubric-signals-local.yml")
    answers = evaluate(rubric, crjson(made[kind], maker)["manifests"][0])
    assert {name for name, answer in answers.items() if answer.get("value") is True} == expected
    assert not [name for name, answer in answers.items() if "error" in answer]


def test_the_tool_sees_faults(
    shared: Path, maker: Maker, made: dict[str, Path], evaluate: Callable[[Rubric, Any], Any]
) -> None:
    """The evaluation is not blind: broken documents fail the checks that are about them."""
    rubric = Rubric.read(shared / "data/c2pa/rubrics/asset-rubric-conformance0.2-spec2.4.yml")
    document = crjson(made["generated"], maker)
    manifest = document["manifests"][0]
    manifest["label"] = "urn:uuid:1"
    manifest["claim.v2"]["claim_generator_info"].pop("specVersion")
    manifest["assertions"]["c2pa.actions.v2"]["actions"][0].pop("digitalSourceType")
    manifest["assertions"]["nodot"] = {}
    manifest["validationResults"]["failure"].append({"code": "assertion.bmffHash.mismatch"})
    assert {name.partition(":")[2] for name in failed(rubric, evaluate(rubric, document))} == {
        "active_manifest_urn",
        "mandatory_spec_version",
        "mandatory_dst_for_created_action",
        "no_unrecognized_custom_assertions",
        "valid_success",
    }
