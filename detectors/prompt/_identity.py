"""Words that say who somebody is.

The classifier must not think worse of a prompt because of *who* is in it. Every term below is therefore
replaced by one neutral word of its kind before features are made, in training and at run time alike, so
that "a gay man cooking" and "a Norwegian man cooking" are the same text to it. Insults and slurs are not
listed: they say something about the writer.
"""

from __future__ import annotations

import re

_GROUP = """
african african-american afro-american black white brown asian east-asian south-asian southeast-asian
caucasian european latino latina latinx latin hispanic chicano arab arabic arabian middle-eastern persian
kurdish berber indigenous native aboriginal inuit maori polynesian polynesians romani roma gypsy sinti
mixed-race biracial multiracial jewish jew jews muslim muslims islamic christian christians catholic
catholics protestant evangelical orthodox mormon hindu hindus buddhist buddhists sikh sikhs atheist atheists
pagan jain zoroastrian bahai american americans british english scottish welsh irish french german germans
italian italians spanish portuguese dutch belgian swiss austrian swedish norwegian danish finnish icelandic
polish czech slovak hungarian romanian bulgarian greek greeks turkish turks russian russians ukrainian
ukrainians serbian croatian bosnian albanian chinese japanese korean koreans taiwanese mongolian vietnamese
thai cambodian laotian burmese malaysian malay indonesian filipino filipina filipinos indian indians
pakistani pakistanis bangladeshi nepali nepalese srilankan tibetan uyghur afghan afghans iranian iranians
iraqi iraqis syrian syrians lebanese palestinian palestinians israeli israelis jordanian saudi emirati yemeni
egyptian egyptians moroccan algerian tunisian libyan sudanese ethiopian eritrean somali somalis kenyan
ugandan tanzanian rwandan congolese nigerian nigerians ghanaian senegalese malian cameroonian angolan
zimbabwean zambian haitian jamaican cuban dominican mexican mexicans guatemalan honduran salvadoran colombian
venezuelan ecuadorian peruvian bolivian chilean argentine argentinian brazilian brazilians australian canadian
gay gays lesbian lesbians bisexual bisexuals homosexual homosexuals heterosexual heterosexuals straight queer
queers transgender trans transsexual transsexuals transgendered cisgender nonbinary non-binary genderqueer
genderfluid intersex asexual pansexual lgbt lgbtq lgbtqia
disabled handicapped deaf blind mute autistic paraplegic quadriplegic amputee wheelchair-bound dyslexic
epileptic schizophrenic schizophrenics one-armed one-legged masculine feminine fat obese overweight plump
chubby skinny thin slim short tall old elderly senior seniors aged
middle-aged young younger older poor rich wealthy working-class homeless immigrant immigrants
migrant migrants refugee refugees foreigner foreigners blonde brunette redhead bald pregnant single divorced
unemployed
"""
_PERSON = """
man men woman women male males female females guy guys lady ladies gentleman gentlemen person people adult
adults individual individuals human humans grandfather grandmother grandpa grandma granny husband wife
husbands wives boyfriend girlfriend dude fellow
"""
_DESCRIBED = """
family families couple couples crowd crowds doctor doctors nurse nurses soldier soldiers teacher teachers
student students worker workers actor actors actress politician officer officers neighbour neighbor
neighbours neighbors friend friends mother mothers father fathers parent parents son sons daughter daughters
brother brothers sister sisters uncle aunt bride groom lawyer judge artist dancer dancers singer musician
chef cook farmer farmers driver athlete athletes player players scientist engineer boss manager priest pilot
protester protesters customer patient tenant tenants waiter waitress tourist tourists villagers community
neighbourhood neighborhood
"""
_CHILDREN = frozenset(
    (
        "girl",
        "girls",
        "boy",
        "boys",
        "child",
        "children",
        "kid",
        "kids",
        "teenager",
        "teenagers",
        "teen",
        "baby",
    )
)
_AGES = frozenset(("young", "younger", "old", "older"))
_AMBIGUOUS = frozenset(
    [
        "black",
        "white",
        "brown",
        "straight",
        "short",
        "tall",
        "thin",
        "slim",
        "old",
        "young",
        "younger",
        "older",
        "rich",
        "poor",
        "aged",
        "single",
        "native",
        "latin",
        "orthodox",
        "mute",
        "blind",
        "english",
        "french",
        "german",
        "italian",
        "spanish",
        "polish",
        "turkish",
        "persian",
        "danish",
        "swiss",
        "dutch",
        "chinese",
        "japanese",
        "indian",
        "american",
        "british",
        "russian",
        "greek",
        "roman",
        "egyptian",
        "mexican",
        "thai",
    ]
)
"""Words that describe things as often as people: replaced only right before a person (or another such
word).
"""

_PAIRS = """
middle-eastern near-eastern far-eastern african-american asian-american native-american mexican-american
latin-american arab-american irish-american italian-american pacific-islander non-binary gender-fluid
gender-nonconforming working-class middle-class upper-class lower-class wheelchair-user wheelchair-users
visually-impaired hearing-impaired mentally-ill neuro-divergent middle-aged mixed-race
"""
_NARROWING = """
south southern southeast north northern east eastern west western central sub-saharan physically mentally
intellectually severely
"""
_BEFORE = frozenset(_NARROWING.split())
"""Words that only narrow the term after them: "South Asian", "physically disabled"."""
_PEOPLE = frozenset(_DESCRIBED.split())
"""Whom a word describes that describes things as often as people; these words stay themselves."""

GROUP_WORD = "groupterm"
PERSON_WORD = "person"
_GROUPS = frozenset(_GROUP.split())
_PERSONS = frozenset(_PERSON.split())
_PAIRED = frozenset(tuple(pair.split("-")) for pair in _PAIRS.split())
_TOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*", re.UNICODE)


def neutralise_identity(text: str) -> str:
    """*text* (a folded view) with identity terms replaced; runs of them become one."""
    found = [(m.start(), m.end(), m[0]) for m in _TOKEN.finditer(text)]
    kinds = [_kind(word) for _, _, word in found]
    for i in range(len(kinds) - 1, -1, -1):
        after = kinds[i + 1] if i + 1 < len(kinds) else ""
        if i + 1 < len(kinds) and (found[i][2], found[i + 1][2]) in _PAIRED:
            kinds[i] = kinds[i + 1] = "group"
        elif kinds[i] == "maybe":
            following = found[i + 1][2] if i + 1 < len(kinds) else ""
            people = following in _PEOPLE or (following in _CHILDREN and found[i][2] not in _AGES)
            kinds[i] = "group" if people or after in ("group", "person") else ""
        elif after == "group" and found[i][2] in _BEFORE:
            kinds[i] = "group"
    out: list[str] = []
    last, previous = 0, ""
    for (start, end, _), kind in zip(found, kinds, strict=True):
        between = text[last:start]
        if kind == "group" and previous == "group" and between.strip() in ("", ",", "and"):
            last = end
            continue
        out.append(between)
        out.append({"group": GROUP_WORD, "person": PERSON_WORD}.get(kind, text[start:end]))
        last, previous = end, kind
    out.append(text[last:])
    return "".join(out)


def _kind(word: str) -> str:
    if word in _PERSONS:
        return "person"
    if word in _AMBIGUOUS:
        return "maybe"
    if word in _GROUPS or (word.startswith("non-") and word[4:] in _GROUPS):
        return "group"
    return ""
