"""Disguises, one by one, and the time they may take."""

from __future__ import annotations

import time

import pytest

from safegen.detectors.prompt._tokens import stem, tokens
from safegen.detectors.prompt.language import identify
from safegen.detectors.prompt.normalise import plain_view
from safegen.detectors.prompt.views import views
from tests.support.speed import allowed


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Kill  THEM\tall", "kill them all"),
        ("k i l l them", "kill them"),
        ("k  i  l  l", "kill"),
        ("k.i.l.l them", "kill them"),
        ("k-i-l-l", "kill"),
        ("ki.ll them", "kill them"),
        ("k\u200bi\u200dl\u2060l", "kill"),
        ("ki\u00adll", "kill"),
        ("k1ll", "kill"),
        ("n4k3d", "naked"),
        ("$ex", "sex"),
        ("p0rn!", "porn!"),
        ("kiiiiill", "kill"),
        ("кill", "kill"),
        ("рussу сat", "pussy cat"),
        ("𝓀𝒾𝓁𝓁", "kill"),
        ("ｋｉｌｌ", "kill"),
        ("🅺🅸🅻🅻", "kill"),
        ("ⓚⓘⓛⓛ", "kill"),
        ("kíłł", "kill"),
        ("k\u0336i\u0336l\u0336l\u0336", "kill"),
        ("a2lsbCB0aGVtIGFsbA==", "kill them all"),
        ("6b 69 6c 6c 20 74 68 65 6d", "kill them"),
        ("6b696c6c207468656d", "kill them"),
        ("%6b%69%6c%6c them", "kill them"),
        ("&#107;ill them", "kill them"),
        ("\\u006bill them", "kill them"),
        ("the boy was lliked".replace("lliked", "killed")[::-1], "the boy was killed"),
        ("eht namow si deirrub ni eht yard".replace("yard", "dray"), "the woman is burried in the yard"),
        ("red ball" + "".join(chr(0xE0000 + ord(c)) for c in "kill them"), "kill them"),
        ("花木兰", "花木兰"),
        ("привет", "привет"),
    ],
)
def test_some_view_reads(text: str, wanted: str) -> None:
    assert wanted in [v.text for v in views(text)]


@pytest.mark.parametrize(
    "text", ["4k 8k 1080p 35mm 1980s 2nd 3d mp3 gta5", "a red ball", "mother-in-law", "i am a dog"]
)
def test_ordinary_text_keeps_its_reading(text: str) -> None:
    assert views(text)[0].text == text
    assert {v.text.replace("-", "") for v in views(text)} <= {text.replace("-", ""), text}


NESTED = "%25" * 10_000 + "41"
SLOW = {
    "one letter": "x" * 1_000_000,
    "spaced": "k " * 500_000,
    "nested percent": NESTED,
    "nested entities": "&" + "amp;" * 10_000,
    "nested escapes": "\\u005c" * 10_000,
    "marks": "a" + "\u0301" * 1_000_000,
    "alternating marks": "a\u0301\u0327" * 300_000,
    "base64-like": "QUFB" * 250_000,
    "hex-like": "41" * 500_000,
    "hex pairs": "41 " * 300_000,
    "joiners": "a.-" * 300_000,
    "unicode": "é" * 1_000_000,
    "confusable": "а" * 1_000_000,
    "ligatures": "ﷺ" * 10_000,
    "surrogates": "\ud800" * 1_000_000,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_long_hostile_text_takes_little_time(text: str) -> None:
    start = time.process_time()
    views(text[:100_000])
    assert time.process_time() - start < allowed(4.0)


@pytest.mark.slow
@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_a_megabyte_takes_linear_time(text: str) -> None:
    start = time.process_time()
    views(text)
    assert time.process_time() - start < allowed(40.0)


def test_spans_of_tokens() -> None:
    text = "The dog's bones, dogs' barking"
    assert [text[t.start : t.end] for t in tokens(text.lower())] == ["The", "dog", "bones", "dogs", "barking"]


def test_stemmer_agrees_with_nltk_on_inflections() -> None:
    """Where NLTK's Porter stemmer brings an inflected form to its base, ours does so too, nearly always."""
    nltk_stem = pytest.importorskip("nltk.stem.porter").PorterStemmer().stem
    bases = [
        "bomb",
        "weapon",
        "child",
        "kill",
        "murder",
        "behead",
        "torture",
        "strip",
        "undress",
        "kiss",
        "vote",
        "election",
        "grenade",
        "rifle",
        "explode",
        "hang",
        "slit",
        "stab",
        "beat",
        "burn",
        "attack",
        "hack",
        "steal",
        "rob",
        "kidnap",
        "smuggle",
        "forge",
        "leak",
        "fake",
        "rig",
        "stuff",
    ]
    pairs = [
        (b, f)
        for b in bases
        for f in (b + "s", b + "ing", b.rstrip("e") + "ing", b + "ed", b.rstrip("e") + "ed")
    ]
    agreed = [stem(b) == stem(f) for b, f in pairs if nltk_stem(b) == nltk_stem(f)]
    assert sum(agreed) >= 0.95 * len(agreed)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a red ball rolling over green grass", "en"),
        ("bokeh, 8k, artstation, greg rutkowski", "en"),
        ("portrait of la llorona by frida kahlo", "en"),
        ("el perro corre por la playa con una pelota", "es"),
        ("un chien court sur la plage avec une balle", "fr"),
        ("ein hund rennt mit einem ball uber den strand", "de"),
        ("花木兰在海边跑步", "zh"),
        ("犬がビーチを走っている", "ja"),
        ("собака бежит по пляжу", "ru"),
        ("كلب يجري على الشاطئ", "ar"),
        ("कुत्ता दौड़ रहा है", "hi"),
        ("개가 해변을 달린다", "ko"),
        ("!!! 123", "und"),
    ],
)
def test_language(text: str, code: str) -> None:
    assert identify(plain_view(text).text).code == code
