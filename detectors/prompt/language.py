"""Which script and language a prompt is in: small, own, and cautious.

Scripts come from code-point ranges; Latin-script languages from hand-written lists of very common function
words. Short prompts without function words ("red ball, bokeh") count as English: names of artists and
places must not turn a prompt into a foreign one, so another language needs several of its own words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

_RANGES: list[tuple[int, int, str]] = [
    (0x0041, 0x024F, "Latin"), (0x0370, 0x03FF, "Greek"), (0x0400, 0x052F, "Cyrillic"),
    (0x0531, 0x058F, "Armenian"), (0x0590, 0x05FF, "Hebrew"), (0x0600, 0x06FF, "Arabic"),
    (0x0700, 0x074F, "Syriac"), (0x0750, 0x077F, "Arabic"), (0x0780, 0x07BF, "Thaana"),
    (0x0900, 0x097F, "Devanagari"), (0x0980, 0x09FF, "Bengali"), (0x0A00, 0x0A7F, "Gurmukhi"),
    (0x0A80, 0x0AFF, "Gujarati"), (0x0B00, 0x0B7F, "Odia"), (0x0B80, 0x0BFF, "Tamil"),
    (0x0C00, 0x0C7F, "Telugu"), (0x0C80, 0x0CFF, "Kannada"), (0x0D00, 0x0D7F, "Malayalam"),
    (0x0D80, 0x0DFF, "Sinhala"), (0x0E00, 0x0E7F, "Thai"), (0x0E80, 0x0EFF, "Lao"),
    (0x0F00, 0x0FFF, "Tibetan"), (0x1000, 0x109F, "Myanmar"), (0x10A0, 0x10FF, "Georgian"),
    (0x1100, 0x11FF, "Hangul"), (0x1200, 0x139F, "Ethiopic"), (0x13A0, 0x13FF, "Cherokee"),
    (0x1780, 0x17FF, "Khmer"), (0x1800, 0x18AF, "Mongolian"), (0x1E00, 0x1EFF, "Latin"),
    (0x1F00, 0x1FFF, "Greek"), (0x3040, 0x30FF, "Kana"), (0x3130, 0x318F, "Hangul"),
    (0x3400, 0x4DBF, "Han"), (0x4E00, 0x9FFF, "Han"), (0xAC00, 0xD7AF, "Hangul"),
    (0xF900, 0xFAFF, "Han"), (0xFB50, 0xFDFF, "Arabic"), (0xFE70, 0xFEFF, "Arabic"),
    (0x20000, 0x323AF, "Han"),
]  # fmt: skip
_STARTS = [r[0] for r in _RANGES]

_BY_SCRIPT = {
    "Greek": "el", "Cyrillic": "ru", "Armenian": "hy", "Hebrew": "he", "Arabic": "ar",
    "Devanagari": "hi", "Bengali": "bn", "Gurmukhi": "pa", "Gujarati": "gu", "Tamil": "ta",
    "Telugu": "te", "Kannada": "kn", "Malayalam": "ml", "Sinhala": "si", "Thai": "th",
    "Lao": "lo", "Myanmar": "my", "Georgian": "ka", "Hangul": "ko", "Ethiopic": "am",
    "Khmer": "km", "Kana": "ja", "Han": "zh",
}  # fmt: skip

_WORDS: dict[str, str] = {
    "en": "the a an and or of in on at to with for from by is are was were be been it its this that these"
    " those his her their there he she they you your we i as into over under through while who which"
    " what how when where not no one two has have had do does can will up down out very more some all"
    " near behind beside between across around like make create show write people man woman video photo",
    "es": "el la los las un una unos unas de del en con por para que y es son su sus como mas pero sobre"
    " entre desde hasta cuando donde este esta estos estas muy hay al se le lo mi tu yo quiero haz"
    " hombre mujer nino nina mientras bajo junto",
    "fr": "le la les un une des du de et en dans avec pour sur qui que est sont son sa ses au aux par ne pas"
    " plus ce cette ces il elle ils elles nous vous je mon comment sous entre pendant homme femme dont",
    "de": "der die das den dem des ein eine einen einem einer und oder in im mit auf von zu zum zur ist sind"
    " war nicht fur sich auch wie uber unter durch bei aus nach ich du er sie wir ihr mein seine"
    " mann frau wahrend wird werden",
    "it": "il lo la gli le un uno una di del della dei delle e in con per su che sono non si come piu nel"
    " nella al alla da dal dalla tra mentre questo questa uomo donna molto io tu",
    "pt": "o a os as um uma de do da dos das em no na nos nas com por para que e sao seu sua como mais ao"
    " pelo pela entre quando onde este esta muito nao se voce eu homem mulher enquanto sobre",
    "nl": "de het een en van in op met voor naar uit bij aan is zijn was niet ook als maar door over onder"
    " ik je hij zij wij hun deze dit die dat hoe man vrouw terwijl wordt",
    "pl": "i w na z do od po za przez pod nad jest sa nie sie jak co kto ktory ktora to ten ta te jego jej"
    " oraz gdy dla przy mezczyzna kobieta o u",
    "tr": "ve bir bu su o ile icin gibi daha cok en da de mi ne nasil olan olarak uzerinde altinda adam"
    " kadin icinde var yok",
    "vi": "va cua la mot cac nhung trong tren duoi voi cho khong nguoi toi ban nay do khi de bang lam the"
    " nao dang co duoc tu ra vao",
    "id": "dan yang di ke dari untuk dengan ini itu adalah pada dalam tidak akan atau seorang sebuah orang"
    " saya anda bagaimana cara sedang oleh para",
    "sv": "och en ett att det som pa av for med den till ar inte om han hon var sig fran ut over under hur"
    " man kvinna medan",
    "ro": "si in la cu de pe un o este sunt nu ce care din pentru prin intre sub cum mai acest aceasta"
    " barbat femeie",
    "sw": "na ya wa kwa ni katika la za cha hii hiyo yake mtu watu jinsi gani kama lakini mwanamke",
    "tl": "ang ng mga sa na ay at si ni kay para ito iyon isang paano hindi may tao babae lalaki",
}  # fmt: skip
_SETS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
_ENGLISH = _SETS["en"]
_ASCII_WORD = re.compile(r"[a-z]+")
_LETTER_RATIO = 0.3
"""A script other than Latin counts when it holds this share of the letters."""


@dataclass(frozen=True)
class Language:
    """``code`` is ISO 639-1 (``und`` when there is nothing to tell by), ``script`` the main one."""

    code: str
    script: str
    note: str = ""


def script_of(char: str) -> str | None:
    """Script of a letter by code-point range; ``None`` for anything else."""
    if not char.isalpha():
        return None
    code = ord(char)
    i = bisect_right(_STARTS, code) - 1
    if i >= 0 and code <= _RANGES[i][1]:
        return _RANGES[i][2]
    return "Other"


def scripts(text: str) -> Counter[str]:
    """How many letters of each script *text* has."""
    if text.isascii():
        return Counter({"Latin": sum(map(str.isalpha, text))})
    return Counter(s for s in map(script_of, text) if s)


def english_score(text: str) -> float:
    """Share in [0, 1] of the words that are among English's most common ones."""
    words = _words(text)
    return sum(w in _ENGLISH for w in words) / len(words) if words else 0.0


def identify(text: str) -> Language:
    """Language of *text*, which must be a plain view (folded lower case). Never raises; linear time."""
    counts = scripts(text)
    total = sum(counts.values())
    if not total:
        return Language("und", "Common", "no letters")
    latin = counts.get("Latin", 0)
    foreign = [(n, s) for s, n in counts.items() if s != "Latin"]
    weight = sum(n * (3 if s in ("Han", "Kana", "Hangul") else 1) for n, s in foreign)
    if foreign and weight >= _LETTER_RATIO * (weight + latin):
        if counts.get("Kana"):
            return Language("ja", "Kana")
        script = max(foreign)[1]
        return Language(_BY_SCRIPT.get(script, "und"), script, f"{script} script")
    return _latin_language(_words(text))


def is_hardly_english(text: str, known: Callable[[str], bool]) -> bool:
    """Whether *text* (a plain view) in Latin letters is hardly English, by a vocabulary of English words.

    At least three in five of its words of three letters and more are not *known*, and few are among the most
    common ones. Short texts in another language have too few function words for ``identify`` to tell by.
    """
    words = [w for w in _words(text) if len(w) >= 3]
    unknown = sum(not known(w) for w in words)
    return len(words) >= 3 and unknown >= max(2, 0.6 * len(words)) and english_score(text) < 0.25


def _latin_language(words: list[str]) -> Language:
    """By function words: another language needs two different ones of its own and clearly more than
    English.
    """
    have = set(words)
    english = sum(w in _ENGLISH for w in words)
    best, best_score = "en", 0.0
    for code, own in _SETS.items():
        if code == "en" or len(have & own) < 2:
            continue
        hits = sum(w in own for w in words)
        distinct = len({w for w in have & own if w not in _ENGLISH})
        if distinct >= 2 and hits > max(best_score, 1.5 * english) and hits >= 0.2 * len(words):
            best, best_score = code, hits
    return Language(best, "Latin")


def _words(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return "".join(c if c.isalpha() else " " for c in text.lower()).split()
