"""The manifest says what the design names, and nothing that belongs to the workspace."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.credentials.assertions import binding_value, iso, parse_binding_value
from safegen.credentials.manifest import ManifestInputs, ProtectionInputs, build_manifest, build_protection
from safegen.credentials.open_store import manifest_bytes
from safegen.credentials.read import read_credentials
from safegen.credentials.redact import QUOTE, Redactor
from safegen.credentials.sign import Ingredient, sign_file
from safegen.errors import UsageError
from safegen.keys.identity import Identity
from safegen.types import (
    Allowed,
    Attribute,
    CheckRun,
    Finding,
    Json,
    ModelRef,
    PolicyRef,
    Request,
    SoftBinding,
)

WHEN = datetime(2026, 11, 22, 16, 30, 5, tzinfo=timezone(timedelta(hours=1)))
PROMPT = "a quiet harbour at dawn with seven zebrafinches"
JPEG = (
    b"\xff\xd8\xff\xdb\x00\x43\x00"
    + b"\x10" * 64
    + b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00\xff\xd9"
)


@pytest.fixture
def inputs() -> ManifestInputs:
    """Everything a generation has to say, with traps."""
    request = Request(PROMPT, negative_prompt="blurry grainy footage", seed=11)
    finding = Finding("violence", 0.12, "lexicon", f"the words {PROMPT}", (0, 5), PROMPT, threshold=0.5)
    decision = Allowed(
        request,
        PolicyRef("default", "ab" * 32),
        (CheckRun("lexicon", "3", "cd" * 32, 0.12), CheckRun("classifier", "1.1")),
        findings=(finding,),
        score=0.12,
        categories={"violence": 0.12},
    )
    return ManifestInputs(
        title="Harbour",
        content_id=0x0123456789ABCDEF,
        watermark_alg="org.safegen.watermark.tile.v1",
        model=ModelRef("tiny", "/home/somebody/models/tiny", "1.0", "ef" * 32, "Apache-2.0"),
        settings={
            "steps": 20,
            "guidance": float("nan"),
            "prompt": PROMPT,
            "negative_prompt": "x",
            "scheduler": "Euler",
            "cache": Path("/home/somebody/.cache/models"),
            "note": f"used for {PROMPT.upper()}!",
        },
        decision=decision,
        when=WHEN,
        prompt_commitment="hmac-sha256:" + "12" * 32,
        provider="Studio Nord",
        attributes=(Attribute("setting", {"outdoor": 0.9, "unknown": 0.1}, "clip-zs", 0.8),),
        frame_checks=(CheckRun("flash", "2", None, 0.0),),
        warnings=(
            "the words 'with seven zebrafinches' were cut off",
            "slow disk at C:\\Users\\somebody\\out",
        ),
        training_mining={"cawg.ai_generative_training": "notAllowed", "cawg.data_mining": "allowed"},
        accessibility={"captions": {"language": "en", "sha256": "00" * 32}},
    )


def by_label(definition: Json) -> dict[str, Any]:
    return {a["label"]: a["data"] for a in definition["assertions"]}


def test_every_statement_is_there(inputs: ManifestInputs) -> None:
    definition = build_manifest(inputs)
    stated = by_label(definition)
    assert list(stated) == [
        "c2pa.actions.v2",
        "c2pa.soft-binding",
        "c2pa.ai-disclosure",
        "org.safegen.policy",
        "org.safegen.generation",
        "org.safegen.attributes",
        "org.safegen.accessibility",
        "cawg.training-mining",
    ]
    first, last = stated["c2pa.actions.v2"]["actions"]
    assert first["action"] == "c2pa.created" and first["digitalSourceType"].endswith(
        "/trainedAlgorithmicMedia"
    )
    assert first["softwareAgent"] == {"name": "tiny", "version": "1.0"}
    assert first["when"] == "2026-11-22T15:30:05Z"
    assert last["action"] == "c2pa.watermarked.bound"
    assert stated["c2pa.actions.v2"]["allActionsIncluded"] is True
    assert stated["c2pa.soft-binding"] == {
        "alg": "org.safegen.watermark.tile.v1",
        "blocks": [{"scope": {}, "value": "ASNFZ4mrze8="}],
    }
    policy = stated["org.safegen.policy"]
    assert policy["outcome"] == "allow" and policy["policy"] == {"name": "default", "sha256": "ab" * 32}
    assert [c["name"] for c in policy["checks"]] == ["lexicon", "classifier"]
    assert policy["frameChecks"] == [{"name": "flash", "version": "2", "score": 0.0}]
    assert policy["findings"] == [
        {"category": "violence", "detector": "lexicon", "score": 0.12, "threshold": 0.5}
    ]
    assert policy["promptCommitment"] == inputs.prompt_commitment
    generation = stated["org.safegen.generation"]
    assert generation["contentId"] == "0123456789abcdef" and generation["seed"] == 11
    assert generation["model"]["identifier"] == "tiny" and generation["model"]["sha256"] == "ef" * 32
    assert generation["provider"] == "Studio Nord" and generation["settings"]["scheduler"] == "Euler"
    assert generation["settings"]["guidance"] is None
    assert stated["c2pa.ai-disclosure"]["contentProfile"] == {"humanOversightLevel": "prompt_guided"}
    assert stated["cawg.training-mining"]["entries"]["cawg.data_mining"] == {"use": "allowed"}
    assert stated["org.safegen.attributes"]["attributes"][0]["value"] == "outdoor"


def test_no_prompt_and_no_paths(inputs: ManifestInputs) -> None:
    text = json.dumps(build_manifest(inputs), allow_nan=False).casefold()
    for leak in ("harbour at", "zebrafinch", "blurry", "grainy", "somebody", "/home", "users", "violence:"):
        assert leak not in text, leak
    assert "harbour" in text, "one word of a longer prompt, in the title"
    assert text.count(QUOTE) == 2


def test_a_prompt_of_one_word_hides_no_facts(inputs: ManifestInputs) -> None:
    for word in ("tiny", "violence", "lexicon", "outdoor"):
        decision = replace(inputs.decision, request=Request(word))
        stated = by_label(build_manifest(replace(inputs, decision=decision, title=f"{word}.mp4")))
        assert QUOTE not in json.dumps(stated["org.safegen.policy"])
        assert QUOTE not in json.dumps(stated["org.safegen.attributes"])
        assert stated["c2pa.ai-disclosure"]["modelName"] == "tiny"


@pytest.mark.parametrize("title", ["A quiet harbour.mp4", "a_quiet_harbour.mp4", "x-a-quiet-harbour-at.mp4"])
def test_a_title_made_of_the_prompt_is_left_out(title: str, inputs: ManifestInputs) -> None:
    assert build_manifest(replace(inputs, title=title))["title"] == "safegen video 0123456789abcdef"


def test_the_prompt_only_when_asked_for(inputs: ManifestInputs) -> None:
    generation = by_label(build_manifest(replace(inputs, publish_prompt=True)))["org.safegen.generation"]
    assert generation["prompt"] == PROMPT and generation["negativePrompt"] == "blurry grainy footage"
    assert "somebody" not in json.dumps(generation)


def test_signed_all_of_it_is_attributed_to_the_signer(
    inputs: ManifestInputs, video: Path, identity: Identity, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    sign_file(video, out, build_manifest(inputs), signer=identity.signer(), thumbnail=JPEG)
    evidence = read_credentials(out, anchors_pem=[identity.root_pem])
    assert evidence.trusted and not evidence.failures and evidence.manifest is not None
    labels = {a["label"]: a.get("created") for a in evidence.manifest["assertions"]}
    assert all(labels.values()), labels
    assert set(by_label(build_manifest(inputs))) | {"c2pa.hash.bmff.v3"} == set(labels)
    assert evidence.manifest["thumbnail"]["format"] == "image/jpeg"
    assert evidence.soft_bindings == (SoftBinding("org.safegen.watermark.tile.v1", "ASNFZ4mrze8="),)
    raw = manifest_bytes(out)
    assert raw is not None and JPEG in raw
    for leak in (b"zebrafinch", b"somebody", str(video.parent).encode(), str(tmp_path).encode()):
        assert leak not in raw


def test_a_remix_keeps_its_source(
    inputs: ManifestInputs, signed: Path, video: Path, identity: Identity, tmp_path: Path
) -> None:
    parent = Ingredient(signed, "first take", "parentOf", "parent")
    reference = Ingredient(video, "style", "inputTo", "style")
    logo = Ingredient(video, "logo", "componentOf", "logo")
    remix = replace(inputs, ingredients=(parent, reference, logo))
    definition = build_manifest(remix)
    names = [a["action"] for a in by_label(definition)["c2pa.actions.v2"]["actions"]]
    assert names == ["c2pa.opened", "c2pa.edited", "c2pa.placed", "c2pa.watermarked.bound"]
    out = tmp_path / "remix.mp4"
    sign_file(video, out, definition, signer=identity.signer(), ingredients=remix.ingredients)
    evidence = read_credentials(out, anchors_pem=[identity.root_pem])
    assert evidence.trusted and not evidence.ingredient_failures and not evidence.failures
    assert evidence.ancestors == (read_credentials(signed).manifest_id,)
    assert evidence.manifest is not None
    (found,) = [a["data"] for a in evidence.manifest["assertions"] if a["label"] == "c2pa.actions.v2"]
    assert [a["action"] for a in found["actions"]] == names, "opened only once"
    assert "digitalSourceType" not in found["actions"][0], "C2PA 2.4 forbids it there"
    assert [len(a["parameters"]["ingredients"]) for a in found["actions"][:3]] == [1, 1, 1]
    relations = [i["relationship"] for i in evidence.manifest["ingredients"]]
    assert sorted(relations) == ["componentOf", "inputTo", "parentOf"]


def test_bindings_of_ancestors(
    inputs: ManifestInputs, video: Path, identity: Identity, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    sign_file(video, first, build_manifest(inputs), signer=identity.signer())
    parent = Ingredient(first, "first", "parentOf", "parent")
    later = replace(inputs, content_id=5, ingredients=(parent,))
    sign_file(video, second, build_manifest(later), signer=identity.signer(), ingredients=[parent])
    evidence = read_credentials(second)
    assert [parse_binding_value(b.value) for b in evidence.soft_bindings] == [5]
    assert [parse_binding_value(b.value) for b in evidence.ancestor_bindings] == [inputs.content_id]


def test_protection_claims_nothing_about_the_making(
    video: Path, stranger: Identity, identity: Identity, tmp_path: Path
) -> None:
    source = Ingredient(video, "somebody's video", "parentOf", "source")
    inputs = ProtectionInputs(
        "Protected",
        7,
        "org.safegen.watermark.tile.v1",
        source,
        WHEN,
    )
    definition = build_protection(inputs)
    text = json.dumps(definition)
    assert "trainedAlgorithmicMedia" not in text and '"digitalSourceType"' not in text
    assert "c2pa.created" not in text and "ai-disclosure" not in text
    out = tmp_path / "out.mp4"
    sign_file(video, out, definition, signer=identity.signer(), ingredients=[source])
    evidence = read_credentials(out, anchors_pem=[identity.root_pem])
    assert evidence.trusted and evidence.manifest is not None and not evidence.failures
    (actions,) = [a["data"] for a in evidence.manifest["assertions"] if a["label"] == "c2pa.actions.v2"]
    assert [a["action"] for a in actions["actions"]] == [
        "c2pa.opened",
        "c2pa.transcoded",
        "c2pa.watermarked.bound",
    ]
    with pytest.raises(UsageError):
        build_protection(replace(inputs, source=replace(source, relationship="inputTo")))


def test_bad_inputs(inputs: ManifestInputs, video: Path) -> None:
    parents = tuple(Ingredient(video, n, "parentOf", n) for n in "ab")
    for wrong in (
        {"when": datetime(2026, 1, 1)},
        {"oversight": "none"},
        {"training_mining": {"cawg.everything": "notAllowed"}},
        {"training_mining": {"cawg.data_mining": "no"}},
        {"ingredients": parents},
    ):
        with pytest.raises(UsageError):
            build_manifest(replace(inputs, **wrong))  # type: ignore[arg-type]


@given(st.integers(0, 2**64 - 1))
def test_binding_values(payload: int) -> None:
    assert parse_binding_value(binding_value(payload)) == payload


@pytest.mark.parametrize("value", ["", "zz!", "AAAA" * 40, "ä"])
def test_values_of_other_makers(value: str) -> None:
    assert parse_binding_value(value) is None


@settings(max_examples=40)
@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=30))
def test_redaction_never_lets_a_prompt_through(prompt: str, before: str, after: str) -> None:
    if not prompt.strip():
        return
    assert Redactor((prompt,)).text(f"{before} {prompt} {after}") == QUOTE


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("/srv/models/tiny", "tiny"),
        ("~/models/tiny/", "tiny"),
        ("C:\\models\\tiny.bin", "tiny.bin"),
        ("file:///srv/tiny", "tiny"),
        ("loaded '/srv/x/y.bin', ok", "loaded 'y.bin', ok"),
        ("owner/model", "owner/model"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("1/2 speed", "1/2 speed"),
    ],
)
def test_paths_keep_their_last_part(text: str, public: str) -> None:
    assert Redactor().text(text) == public


def test_times_are_in_utc() -> None:
    assert iso(WHEN) == "2026-11-22T15:30:05Z"
