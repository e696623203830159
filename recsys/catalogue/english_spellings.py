"""Shorter forms of an interest in English: without beginnings, plurals and -ing, then its parts."""

import re
from collections.abc import Iterator
from typing import Final

from recsys.catalogue.english_phrases import LEARNED, NO_HOBBY, meant_at_last, meant_at_once, object_of

_BEGINNINGS: Final = re.compile(
    "^(?:(?:i|we|they|he|she)(?: (?:will|would|also|still|just|regularly|often|mostly|sometimes))*"
    "|still|starting(?: up)?|having"
    "|getting|looking (?:at|for)|buying|using|working on|messing around with|annual|several|many"
    "|different|various"
    "|numerous|[0-9]+|(?:a )?lots? of|go (?:to|on|for)(?: the)?|listen to|watch|write|play|do|visit"
    "|recogni[sz]ing|(?:different )?flavou?rs? (?:in|of)|(?:a |the )?games? of|some|small|tiny|big"
    "|little|lessons in|outings? to|counted"
    "|(?:fell )?in love with"
    "|(?:varieties|kinds|types|variety|range) of|watching|playing|taking up|getting into|keen on|into"
    "|pottering in|tinkering with"
    "|being in|listening to|reading|going (?:to|on|for)(?: the)?|doing|visiting|studying|taking"
    "|enjoying|learning(?: about| to(?: play| speak)?)?|trying(?: out| to(?: learn(?: to)?)?)?|discovering"
    "|brushing up(?: on)?|getting back into|restoring|browsing|attending|chasing|wandering (?:round|around)"
    "|pottering (?:about|around)(?: in)?|messing about (?:in|with|on)|a good|trashy|co[sz]y|retro|home"
    "|season tickets? (?:holder )?(?:at|for|to)|(?:eight|nine|seven|six)ties|[5-9]0s"
    "|exploring|practi[cs]ing|making|collecting|supporting|following|rediscovering|attempting|improving"
    "|any(?:thing|where)(?: to do with| related to| about| with)?"
    "|everything(?: to do with| about)?|a (?:bit|spot) of"
    "|(?:a )?(?:big |huge |massive )?(?:fan|lover) of|(?:i )?(?:really )?(?:love|like|enjoy|adore)s?(?: to"
    "| a)?"
    "|i (?:play|watch|read|do|keep|make|collect)|i'?m (?:into|a)|(?:mad|crazy|passionate|nuts) about"
    "|obsessed with|addicted to|having a go at|dabbling in|volunteering (?:at|for|with)|competitive|amateur"
    "|recreational|casual|occasional|gentle|leisurely|beginner|serious|local|traditional|vintage"
    "|classic|indoor"
    "|outdoor|weekend|sunday|morning|evening|love of|all kinds of|all sorts of|all things|lots of|loads of"
    "|plenty of|the|an?|my|our|good|old|new|some|any|great|nice|proper|long|quiet) +"
)
_ENGLISH_ENDINGS: Final = re.compile(
    " (?:lessons?|class(?:es)?|courses?|clubs?|groups?|practice|making|training|enthusiast|lovers?|fans?"
    "|members?(?:hip)?|holder|graduate|finisher|season|research|apps?|adopter|adoption|pilgrimages?|society"
    "|association|chasing|chaser|nerdery|geekery|addiction|obsession|committee|meet ?ups?|circle|retreats?"
    "|challenge|streak|collection|appreciation|albums?|memorabilia|matinees?|fortnight|tragic|devotee|junkie"
    "|aficionado|nut|novice|again|slowly|obviously|of course|lately|these days|(?:before|after) work"
    "|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|mornings?|afternoons?|strumming|fundraising"
    "|fanatic|geek|nerd|addict|buff|nights?|trips?|in general|of all kinds|etc|too|at home|races?|shows?"
    "|events?"
    "|tours?|work|evenings?|exchange|tasting|badly|equipment|gear|sessions?|trails?|routes?|workouts?"
    "|m[uo]ms?|dads?|parents?|owners?|people|person|hopping|hunting|spotting|crawls?|days?|time|hobby"
    "|around me|reruns?|a year|in my (?:spare|free) time|favou?rites?|now and then|once in a while|as well"
    "|recipes?|contests?|competitions?|tournaments?|players?|coach(?:es)?|chefs?|by trade|certified"
    "|activities|projects?|stuff"
    "|weekends?|mad|obsessed|newbie|beginner|and more|mainly|mostly|every \\w+"
    "|(?:as (?:much|often) as|whenever|whatever|wherever) i .*)$"
)
_ENGLISH_CUT: Final = re.compile(
    "(?<!art) of |[,:;(?] ?"
    "| (?:in|on|at|with|for|to|from|by|around|near|and|or|&|the|my|our|when|while|especially|since) "
)
_AND: Final = re.compile(r" ?[&/+] ?| '?n'? ")
_PAST: Final = {"ran": "running", "swam": "swimming", "rode": "riding", "read": "reading", "wrote": "writing"}
_SHORTEST: Final = 3
"""Letters that must be left of an English word without its ending."""
_OTHER_WORDS: Final = frozenset(("training", "king", "ring", "string", "spring", "news"))
"""English words that end like another word's plural or -ing and are not it."""
_ONLY_WHOLE: Final = frozenset(
    (
        *("flying", "fans", "food", "foods", "nature", "plants", "rock", "sleep", "stars"),
        *(
            "dune",
            "oasis",
            "nirvana",
            "plays",
            "masters",
            "turtles",
            "snakes",
            "ducks",
            "horses",
            "romans",
            "mets",
            "rangers",
            "celtic",
            "spurs",
            "stout",
            "bats",
            "tap",
            "polish",
            "danish",
            "dutch",
            "greek",
            "runes",
            "digs",
            "swifts",
            "sup",
            "arsenal",
            "cards",
            "beagles",
            "moon",
            "seventeen",
            "buffy",
            "clouds",
            "bugs",
            "style",
            "trance",
            "mini",
            "minis",
            "pool",
            "hats",
            "shoes",
            "watches",
            "markets",
            "silence",
            "waders",
            "spa",
            "beaches",
            "scouts",
            "beavers",
            "cubs",
            "eclipses",
            "cuttings",
            "clocks",
        ),
        *("japan", "italy", "france", "spain", "germany", "india", "africa", "america", "europe", "wales"),
    )
)
"""Words that say what a text is only when they are all of it: dog food is no cooking."""
_OTHER_MEANINGS: Final = frozenset(
    f"{first} {head}"
    for head, firsts in (
        ("reading", ("mind", "lip", "palm", "tarot", "card", "meter")),
        ("surfing", ("couch", "channel", "web", "net", "internet", "crowd")),
        ("games", ("mind", "power", "war")),
        ("music", ("sheet",)),
        ("retreats", ("group", "writers", "yoga", "craft")),
        ("flowers", ("crochet", "knitted", "paper", "felt")),
        ("postcards", ("watercolour", "watercolor")),
        ("cooking", ("korean", "thai", "indian", "italian", "mexican", "chinese", "vietnamese", "french")),
        ("touring", ("bicycle", "bike", "cycle", "city")),
        ("walks", ("space",)),
        ("writing", ("sign", "code")),
        ("language", ("body", "bad", "love", "machine")),
        ("languages", ("love", "programming", "machine")),
        ("dogs", ("hot", "corn")),
        ("arts", ("dark",)),
        ("art", ("the",)),
        ("festivals", ("film", "beer", "food", "book", "wine")),
        ("festival", ("film", "beer", "food", "book", "wine")),
    )
    for first in firsts
)
MOST_FORMS: Final = 24
"""Forms of one text that are made, at most."""


def english_forms(folded: str) -> Iterator[str]:
    """Yield forms of an English text: without beginnings and endings, then its parts."""
    if NO_HOBBY.match(folded):
        return
    forms = [folded, *([_AND.sub(" and ", folded)] if _AND.search(folded) else [])]
    if learned := LEARNED.match(folded):
        yield from _gerunds(learned[1])
    yield from meant_at_once(folded)
    for form in forms:
        shorter = (_BEGINNINGS.sub("", form, count=1), _ENGLISH_ENDINGS.sub("", form), object_of(form))
        forms += [one for one in shorter if one and one not in forms and len(forms) < MOST_FORMS]
    yield from forms[1:]
    for form in forms:
        yield from _without_ending(form)
        yield from _what_one_does(form)
    for form in forms:
        first = _ENGLISH_CUT.split(form)[0]
        if first != form:
            yield first
            yield from _without_ending(first)
        words = first.split(" ")
        if len(words) == 1 and " and " not in form:
            continue
        if first not in _OTHER_MEANINGS:
            yield from _last_words(first)
        if " and " in form:
            last = form.rpartition(" and ")[2]
            yield from (last, *_without_ending(last))
            yield from _last_words(last)
        is_done = words[0].endswith("ing") and words[0] not in _OTHER_WORDS and not object_of(form)
        if is_done or first in _OTHER_MEANINGS:
            yield words[0]
    yield from meant_at_last(folded)


def _what_one_does(form: str) -> Iterator[str]:
    """Yield what somebody does who calls themselves by it, or who drops a letter: hiker, hikin, hiking."""
    if form in _PAST:
        yield _PAST[form]
    if form.endswith("ed") and len(form) > _SHORTEST + 2:
        yield form.removesuffix("ed") + "ing"
    if form.endswith("in") and len(form) > _SHORTEST + 1:
        yield form + "g"
    if (one := form.removesuffix("s")).endswith("er") and len(one) > _SHORTEST + 2 and one != "cooker":
        yield one.removesuffix("er") + "ing"


def _gerunds(verb: str) -> Iterator[str]:
    """Yield what somebody does who does it: code, coding."""
    yield verb + "ing"
    yield verb.removesuffix("e") + "ing"
    yield verb + verb[-1] + "ing"


def _last_words(phrase: str) -> Iterator[str]:
    """Yield the last words of an English compound, most of them first: a night walk is a walk."""
    words = phrase.split(" ")
    for at in range(1, len(words)):
        head = " ".join(words[at:])
        if len(head) >= _SHORTEST and head not in _ONLY_WHOLE:
            yield head
            yield from _without_ending(head)


def _without_ending(word: str) -> Iterator[str]:
    """Yield an English word without its plural or -ing, and what is done: walks, walk, walking."""
    if not word.isascii() or word.rpartition(" ")[2] in _OTHER_WORDS:
        return
    for ending, instead in (("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e")):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            stem = word.removesuffix(ending) + instead
            yield stem
            yield stem.removesuffix("e") + "ing"
            yield stem[:-1] if stem[-1:] == stem[-2:-1] else stem + stem[-1] + "ing"
