"""Files, certificates and ledgers that somebody else made, with hostile names in them, end to end."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from safegen._util.time import utc_now
from tests.e2e.makers import Maker, hand_over, paint
from tests.support.hostile import HOSTILE, check_output, controls
from tests.support.shell import run

NAMES = {k: v[:60].replace("/", "|") for k, v in HOSTILE.items() if k not in {"null", "half a pair", "long"}}
"""As names of files."""
EVERY_NAME = pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker.open(tmp_path_factory.mktemp("found") / "workspace")


@pytest.fixture(scope="module")
def folder(maker: Maker) -> Path:
    """The same release under every name, a damaged one beside each."""
    found = maker.root.parent / "inbox"
    found.mkdir()
    release = maker.release(maker.root.parent / "clip.mp4", content_id=1)
    for name in NAMES.values():
        shutil.copy(release, found / f"{name}.mp4")
        (found / f"{name}-cut.mp4").write_bytes(release.read_bytes()[:900])
    return found


def page(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    assert not controls(text.replace("\n", "")) and "<script" not in text and "<img src=x" not in text
    return text


def test_a_folder_of_names(maker: Maker, folder: Path, tmp_path: Path) -> None:
    """Every file is one line that begins with its own verdict; the same on the page and in JSON."""
    own = ["--workspace", str(maker.root), "--no-watermark"]
    done = run(["verify", str(folder), "--explain", "--html", str(tmp_path / "r.html"), *own])
    heads = [line for line in done.out.decode().split("\n") if re.match(r"[A-Z_]+  ", line)]
    assert len(heads) == 2 * len(NAMES)
    check_output(done.out, real=[line.split()[0] for line in heads])
    check_output(done.err)
    assert sum(line.startswith("VERIFIED  ") for line in heads) == len(NAMES), "the whole ones, no other"
    assert page(tmp_path / "r.html").count("<section id=") == len(heads)
    done = run(["verify", str(folder), "--json", *own])
    answers = json.loads(check_output(done.out))
    assert {os.fsencode(a["path"]) for a in answers} == {os.fsencode(f) for f in folder.iterdir()}


@pytest.mark.parametrize("command", ["detect", "moderate"])
def test_other_commands_on_the_folder(folder: Path, tmp_path: Path, command: str) -> None:
    """A sample of the names: these decode each file."""
    some = tmp_path / "some"
    some.mkdir()
    for key in ("nothing but the verdict", "line feed", "colours and a cleared screen", "not utf-8", "html"):
        shutil.copy(folder / f"{NAMES[key]}.mp4", some)
    html = ["--html", str(tmp_path / "m.html")] if command == "moderate" else []
    done = run([command, str(some), *html])
    check_output(done.out, about=command)
    check_output(done.err, about=command)
    assert len([line for line in done.out.splitlines() if line[:1] not in b" "]) == 5
    if html:
        page(tmp_path / "m.html")
    answers = json.loads(check_output(run([command, str(some), "--json"]).out))
    field = "file" if "file" in answers[0] else "path"
    assert {os.fsencode(a[field]) for a in answers} == {os.fsencode(f) for f in some.iterdir()}


@EVERY_NAME
def test_a_clip_that_is_protected(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name goes into messages, and the output's name is made from it."""
    monkeypatch.chdir(tmp_path)
    source = paint(tmp_path / f"{text}.mp4")
    done = run(["protect", str(source), "--workspace", "space", "--policy", text])
    check_output(done.out)
    assert done.code in {2, 6} and check_output(done.err).startswith("error: ")
    done = run(["comply", str(source), "--rule", "eu-ai-act-50", "--workspace", "space"])
    check_output(done.out)
    check_output(done.err)
    assert b"file: " in done.out


def test_a_newline_in_the_name_of_a_signer(shared: Path, tmp_path: Path) -> None:
    """The file of the field: the certificate's name holds a line that begins with a verdict."""
    file = shared / "data/cases/signer_name_with_newline.jpg"
    html = tmp_path / "r.html"
    done = run(["verify", str(file), "--explain", "--workspace", str(tmp_path), "--html", str(html)])
    verdict = done.out.split()[0].decode()
    shown = check_output(done.out, real=[verdict])
    assert verdict not in {"VERIFIED", "VERIFIED_REPACKED"} and "\\u000a" in shown
    assert "\\u000a" in page(html)
    done = run(["verify", str(file), "--json", "--workspace", str(tmp_path)])
    assert "\n" in json.loads(check_output(done.out))["credentials"]["signer"]


def _change(text: str) -> Any:
    def change(definition: dict[str, Any]) -> dict[str, Any]:
        generator = [{**definition["claim_generator_info"][0], "name": text, "version": text}]
        return {**definition, "title": text, "claim_generator_info": generator}

    return change


@EVERY_NAME
def test_a_manifest_with_hostile_names(maker: Maker, tmp_path: Path, text: str) -> None:
    """Title and claim generator, shown to somebody who trusts the signer; and a reason for a withdrawal."""
    number = list(NAMES.values()).index(text) + 2
    words = text.encode("utf-8", "replace").decode()
    clip = maker.release(tmp_path / "clip.mp4", content_id=number, change=_change(words))
    handed, own = hand_over(clip, tmp_path / "inbox"), ["--workspace", str(maker.root)]
    done = run(["verify", str(handed), "--explain", "--no-watermark", *own])
    verdict = done.out.split()[0].decode()
    check_output(done.out, real=[verdict])
    with maker.ledger(read_only=True) as ledger:
        (release, *_) = ledger.entries("release", 1)
    done = run(["log", "withdraw", str(release.index), "--reason", text, *own])
    check_output(done.out + done.err)
    assert done.code == (2 if "\udcff" in text else 0), "a reason is text in UTF-8"
    newest = str(release.index + (done.code == 0))
    for command in (["log", "list"], ["log", "show", newest], ["log", "export"]):
        done = run([*command, *own])
        assert done.code == 0 and check_output(done.out + done.err, about=command[1])
    done = run(["verify", str(handed), "--explain", "--no-watermark", *own])
    check_output(done.out, real=[done.out.split()[0].decode()])


@EVERY_NAME
def test_a_root_with_a_hostile_name(tmp_path: Path, text: str) -> None:
    """What ``trust add`` shows for comparing, what it asks, and the list."""
    key, now = ec.generate_private_key(ec.SECP256R1()), utc_now()
    words = text.encode("utf-8", "replace").decode()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, words)])
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    root = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=30))
        .add_extension(constraints, critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "root.pem"
    file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    own = ["--workspace", str(tmp_path / "space")]
    asked = run(["trust", "add", str(file), *own], typed=b"n\n")
    assert asked.code == 130 and check_output(asked.err)
    for command in (
        ["add", str(file), "--yes"],
        ["list"],
        ["list", "--json"],
        ["add", "--json", "-y", str(file)],
    ):
        done = run(["trust", *command, *own])
        assert done.code == 0, done
        check_output(done.err, about=command[0])
        check_output(done.out, about=command[0])
    renamed = file.rename(tmp_path / f"{text}.pem")
    done = run(["trust", "add", str(renamed), "--yes", *own])
    assert done.code in {0, 2} and check_output(done.err) and check_output(done.out) is not None
    bundle = {"format": "safegen.trust/1", "name": text, "roots": [], "logs": [text]}
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    done = run(["trust", "add", str(tmp_path / "bundle.json"), "--yes", *own])
    assert done.code in {0, 2} and (check_output(done.err), check_output(done.out))
