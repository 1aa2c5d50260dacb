"""Addresses, keys and settings of a model on a server; the fields for each engine. Nothing is contacted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safegen.errors import UsageError
from safegen.generators.remote.address import Address, parse_address, parse_options
from safegen.generators.remote.engines import ENGINES, detect_engine
from safegen.generators.remote.fields import request_fields
from safegen.generators.remote.generator import RemoteGenerator
from safegen.types import Input, Request

LOCAL = Address("http://127.0.0.1:30010/v1", "wan")
FAR = Address("http://gpu.example:30010/v1", "wan")
FRAME = (Input("first_frame", Path("a.png")),)
CLIP = (Input("video", Path("a.mp4")),)


def test_an_address_has_its_parts() -> None:
    found = parse_address("HTTPS://GPU.example:8443/v1/#Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    assert found == Address("https://gpu.example:8443/v1", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    assert (found.origin, found.host) == ("https://gpu.example:8443", "gpu.example:8443")
    assert found.identifier == "https://gpu.example:8443/v1#Wan-AI/Wan2.1-T2V-1.3B-Diffusers"


@pytest.mark.parametrize(
    "written",
    [
        "http://host/v1",
        "http://host/v1#",
        "http://host/v1#a b",
        "http://host/v1#a\x1b[2J",
        "http:///v1#m",
        "http://host:99999/v1#m",
        "http://host:0/v1#m",
        "http://ho st/v1#m",
        "http://h\u00f6st/v1#m",
        "http://[::1/v1#m",
        "http://host/v1?key=s3cret#m",
        "https://user:s3cret@host/v1#m",
        "https://s3cret@host/v1#m",
    ],
)
def test_bad_addresses_are_usage_errors_that_repeat_no_secret(written: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_address(written)
    assert error.value.hint
    assert "s3cret" not in str(error.value) + error.value.hint
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://a.example/v1", True),
        ("http://localhost:1/v1", True),
        ("http://127.0.0.9/v1", True),
        ("http://[::1]:8/v1", True),
        ("http://10.0.0.2/v1", False),
        ("http://localhost.example/v1", False),
    ],
)
def test_who_can_read_along(url: str, private: bool) -> None:
    assert Address(url, "m").is_confidential is private


def test_settings_are_read_from_text_and_values() -> None:
    found = parse_options(
        {"engine": "sglang", "timeout": "2.5", "retries": 0, "delete": "yes", "flow_shift": "3"}
    )
    assert (found.engine, found.timeout, found.retries, found.delete) == (ENGINES["sglang"], 2.5, 0, True)
    assert found.engine_options == {"flow_shift": 3}


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "comfy"},
        {"timeout": "soon"},
        {"timeout": "nan"},
        {"deadline": -1},
        {"poll": True},
        {"delete": "perhaps"},
        {"max_bytes": 0},
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        parse_options(options)


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("openai", {"size": "832x480", "seconds": "4"}),
        ("sglang", {"size": "832x480", "seconds": 4, "fps": 16, "seed": 7, "num_inference_steps": 20}),
        ("vllm-omni", {"size": "832x480", "seconds": "4", "fps": 16, "seed": 7, "num_inference_steps": 20}),
        (
            "dynamo",
            {
                "size": "832x480",
                "seconds": 4,
                "response_format": "b64_json",
                "nvext": {"fps": 16, "seed": 7, "num_inference_steps": 20},
            },
        ),
    ],
)
def test_each_engine_gets_its_own_fields(engine: str, expected: dict[str, Any]) -> None:
    more = {} if engine == "openai" else {"fps": 16, "steps": 20}
    request = Request("a cat", width=832, height=480, seconds=4.0, seed=7, **more)
    sent, notes = request_fields(ENGINES[engine], request, {})
    assert sent == expected
    assert any("does not accept a seed" in note for note in notes) == (engine == "openai")


def test_a_fraction_of_a_second_is_said_in_frames_or_refused() -> None:
    request = Request("a cat", seconds=2.5, fps=16)
    assert request_fields(ENGINES["vllm-omni"], request, {})[0] == {"fps": 16, "seed": 0, "num_frames": 40}
    with pytest.raises(UsageError, match="whole seconds"):
        request_fields(ENGINES["openai"], Request("a cat", seconds=2.5), {})
    sent, _ = request_fields(ENGINES["sglang"], Request("a cat", seconds=2.5), {"num_frames": 81})
    assert sent == {"seed": 0, "num_frames": 81}


def test_vllm_omni_would_make_one_frame_unless_told_how_long() -> None:
    assert request_fields(ENGINES["vllm-omni"], Request("a cat"), {})[0]["seconds"] == "4"
    assert "seconds" not in request_fields(ENGINES["sglang"], Request("a cat"), {})[0]


def test_own_settings_are_numbers_and_switches_only() -> None:
    sglang, dynamo = ENGINES["sglang"], ENGINES["dynamo"]
    assert (
        request_fields(sglang, Request("x"), {"flow_shift": 3, "enable_teacache": True})[0]["flow_shift"] == 3
    )
    assert request_fields(dynamo, Request("x"), {"boundary_ratio": 0.9})[0]["nvext"]["boundary_ratio"] == 0.9
    for name, value in (
        ("prompt", "unscreened words"),
        ("negative_prompt", "unscreened words"),
        ("reference_url", "http://inside/"),
        ("extra_body", {"prompt": "x"}),
        ("flow_shift", "unscreened words"),
        ("flow_shift", True),
        ("enable_teacache", 1),
        ("num_frames", 2.5),
    ):
        with pytest.raises(UsageError):
            request_fields(sglang, Request("x"), {name: value})
    with pytest.raises(UsageError, match="flow_shift"):  # its form drops this field silently
        request_fields(sglang, Request("x", mode="image", inputs=FRAME), {"flow_shift": 3})


@pytest.mark.parametrize(
    ("engine", "request_", "why"),
    [
        ("openai", Request("x", negative_prompt="y"), "--negative-prompt"),
        ("openai", Request("x", steps=3), "--steps"),
        ("openai", Request("x", width=64), "both a width and a height"),
        ("vllm-omni", Request("x", guidance=30), "0 to 20"),
        ("sglang", Request("x", mode="edit", inputs=CLIP), "needs the id of a clip"),
        ("sglang", Request("x", mode="extend", inputs=CLIP), "no call"),
        ("openai", Request("x", mode="edit", inputs=CLIP, strength=0.5), "--strength"),
        ("openai", Request("x", mode="edit", inputs=CLIP, width=64, height=64), "keeps the size"),
        ("openai", Request("x", mode="edit", inputs=CLIP, seconds=4), "keeps the length"),
        ("openai", Request("x", mode="loop", inputs=CLIP), "no call"),
        (
            "openai",
            Request("x", mode="image", inputs=(*FRAME, Input("last_frame", Path("b")))),
            "last picture",
        ),
    ],
)
def test_what_an_engine_cannot_is_said_before_anything_leaves(
    engine: str, request_: Request, why: str
) -> None:
    with pytest.raises(UsageError) as error:
        request_fields(ENGINES[engine], request_, {}, 3.0)
    assert why in f"{error.value} {error.value.hint}"


def test_extending_asks_for_what_is_missing() -> None:
    request = Request("on", mode="extend", inputs=CLIP, seconds=7.0)
    assert request_fields(ENGINES["openai"], request, {}, 3.0)[0] == {"seconds": "4"}
    with pytest.raises(UsageError, match="whole seconds"):
        request_fields(ENGINES["openai"], request, {}, 6.9)


@pytest.mark.parametrize(
    ("models", "engine", "names"),
    [
        ({"model_path": "Wan-AI/x", "task_type": "T2V"}, "sglang", ("Wan-AI/x",)),
        ({"data": [{"id": "a", "owned_by": "vllm"}]}, "vllm-omni", ("a",)),
        ({"data": [{"id": "a", "owned_by": "nvidia"}]}, "dynamo", ("a",)),
        ({"data": [{"id": "a", "owned_by": "vllm"}, {"id": "b", "owned_by": "me"}]}, "openai", ("a", "b")),
        ({"data": "nonsense"}, "openai", ()),
        ([1, 2], "openai", ()),
        (None, "openai", ()),
    ],
)
def test_an_engine_is_recognised_or_the_plain_one_assumed(models: Any, engine: str, names: Any) -> None:
    assert detect_engine(models) == (ENGINES[engine], names)


def test_the_outlook_contacts_nobody_and_says_what_leaves() -> None:
    generator = RemoteGenerator("http://gpu.invalid:30010/v1#wan")
    outlook = generator.outlook(Request("x", width=64, height=64, seconds=2, options={"engine": "sglang"}))
    assert (outlook.width, outlook.seconds) == (64, 2)
    assert outlook.needs["server"] == "http://gpu.invalid:30010/v1" and outlook.needs["engine"] == "sglang"
    assert any("is sent to gpu.invalid:30010" in note for note in outlook.notes)
    with pytest.raises(UsageError):
        generator.outlook(Request("x", steps=3, options={"engine": "openai"}))
    with pytest.raises(UsageError):
        generator.outlook(Request("x", options={"timeout": "never"}))
