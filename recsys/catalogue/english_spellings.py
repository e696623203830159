"""Shorter forms of an interest in English: without beginnings, plurals and -ing, then its parts."""

import re
from collections.abc import Iterator
from typing import Final

_BEGINNINGS: Final = re.compile(
    "^(?:watching|playing|taking up|getting into|keen on|into|pottering in|tinkering with"
    "|being in|listening to|reading|going (?:to|on|for)(?: the)?|doing|visiting|studying|taking"
    "|enjoying|learning(?: about| to(?: play| speak)?)?|trying(?: out| to(?: learn(?: to)?)?)?|discovering"
    "|exploring|practi[cs]ing|making|collecting|supporting|following|rediscovering|attempting|improving"
    "|any(?:thing|where)(?: to do with| related to| about| with)?"
    "|everything(?: to do with| about)?|a (?:bit|spot) of"
    "|(?:a )?(?:big |huge |massive )?(?:fan|lover) of|(?:i )?(?:really )?(?:love|like|enjoy|adore)s?(?: to"
    "| a)?"
    "|i (?:play|watch|read|do|keep|make|collect)|i'?m (?:into|a)|(?:mad|crazy|passionate|nuts) about"
    "|obsessed with|addicted to|having a go at|dabbling in|volunteering (?:at|for|with)|competitive|amateur"
    "|recreational|casual|occasional|gentle|leisurely|beginner|serious|local|traditional|vintage|classic|indoor"
    "|outdoor|weekend|sunday|morning|evening|love of|all kinds of|all sorts of|all things|lots of|loads of"
    "|plenty of|the|an?|my|our|good|old|new|some|any|great|nice|proper|long|quiet) +"
)
_ENGLISH_ENDINGS: Final = re.compile(
    " (?:lessons?|class(?:es)?|courses?|clubs?|groups?|practice|making|training|enthusiast|lovers?|fans?"
    "|fanatic|geek|nerd|addict|buff|nights?|trips?|in general|of all kinds|etc|too|at home|shows?|events?"
    "|tours?|work|evenings?|exchange|tasting|badly|equipment|gear|sessions?|trails?|routes?|workouts?"
    "|m[uo]ms?|dads?|parents?|owners?|people|person|hopping|hunting|spotting|crawls?|days?|time|hobby"
    "|weekends?|mad|obsessed|newbie|beginner|and more|mainly|mostly|every \\w+)$"
)
_ENGLISH_CUT: Final = re.compile(
    "(?<!art) of | (?:in|on|at|with|for|to|from|by|around|near|and|or|&|the|my|our|when|while|especially) "
)
_AND: Final = re.compile(r" ?& ?| '?n'? ")
_NO_HOBBY: Final = re.compile(
    "running (?:a|the|my|our|late|errands|business|water|costs?|mate|shoes|out)\\b"
    "|jogging (?:my|a) memory|cooking (?:oil|gas)|walking dead|swimming pool"
    "|fishing for|reading (?:glasses|minds?)|drawing (?:the|a) line"
    "|reading the room|walking on (?:eggshells|air)|driving (?:me|him|her|them|us) |drawing a blank"
    "|dancing around"
    "|climbing the (?:career |social |property )?ladder|skating on thin|sailing close"
    "|boxing (?:day|match tickets)"
    "|surfing (?:the )?(?:web|net|internet)|dog eat|tea lea(?:f|ves)|red herring"
)
"""English phrases that begin like a hobby and are none."""
_SHORTEST: Final = 3
"""Letters that must be left of an English word without its ending."""
_OTHER_WORDS: Final = frozenset(("training", "king", "ring", "string", "spring", "news"))
"""English words that end like another word's plural or -ing and are not it."""
_ONLY_WHOLE: Final = frozenset(
    (
        *("fans", "food", "foods", "nature", "plants", "rock", "sleep", "stars"),
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
MOST_FORMS: Final = 16
"""Forms of one text that are made, at most."""


def english_forms(folded: str) -> Iterator[str]:
    """Yield forms of an English text: without beginnings and endings, then its parts."""
    forms = [folded, *([_AND.sub(" and ", folded)] if _AND.search(folded) else [])]
    for form in forms:
        shorter = (_BEGINNINGS.sub("", form, count=1), _ENGLISH_ENDINGS.sub("", form))
        forms += [one for one in shorter if one and one not in forms and len(forms) < MOST_FORMS]
    yield from forms[1:]
    for form in forms:
        yield from _without_ending(form)
        yield from _what_one_does(form)
    for form in forms:
        if _NO_HOBBY.match(form):
            continue
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
            yield from _last_words(form.rpartition(" and ")[2])
        if (words[0].endswith("ing") and words[0] not in _OTHER_WORDS) or first in _OTHER_MEANINGS:
            yield words[0]


def _what_one_does(form: str) -> Iterator[str]:
    """Yield what somebody does who calls themselves by it, or who drops a letter: hiker, hikin, hiking."""
    if form.endswith("in") and len(form) > _SHORTEST + 1:
        yield form + "g"
    if (one := form.removesuffix("s")).endswith("er") and len(one) > _SHORTEST + 2 and one != "cooker":
        yield one.removesuffix("er") + "ing"


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
