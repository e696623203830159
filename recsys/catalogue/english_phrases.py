"""English prose about a hobby: verbs that say little beside their object, and what both mean together.

"Experimenting with new recipes" is about recipes and "spending time with my dogs" about dogs; "writing songs"
is making music, though songs alone are listened to.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final


def _verbs(words: str) -> str:
    """Return a pattern of verbs in every form: bake, bakes, baking; hit, hitting; try, tries."""
    return "|".join(
        f"{word.removesuffix('e')}(?:{'e|es|' if word.endswith('e') else '|e?s|'}{word[-1]}?ing)"
        for word in words.split()
    )


_LIGHT_VERBS: Final = _verbs(
    "explore experiment participate spend train improve work visit discover think dive build solve try"
    " rescue help keep teach practice study join attend perfect develop master take make have own raise"
    " adopt foster relax unwind chill curl enjoy love like adore appreciate learn know watch play do go"
    " get catch follow collect hunt look find search hang tinker dabble potter mess care tend perform"
    " direct cheer support hone indulge compete research test create binge immerse geek nerd call dote"
    " pursue experience be"
)
_TIME: Final = (
    "(?: (?:my|our|a lot of|lots of|some|most of my|more|free|spare))*"
    " (?:time|hours|(?:week)?days|weekends?|evenings?)"
)
_PARTICLES: Final = (
    "(?: (?:out|up|off|back|away|around|about|down|along|over|together|outside|outdoors"
    "|fully|myself|always))*"
    "(?: (?:with|in|on|at|to|for|into|about|of|through|by|after|as|all))*"
)
_DETERMINERS: Final = (
    "(?: (?:a|an|the|my|our|his|her|their|some|any|all|various|different|new|good|great|many|more|own"
    r"|\w+'s))*"
)
_QUALITIES: Final = (
    r"\w{3,}ly|daily|regular|active|avid|keen|aspiring|semi|self[ -]taught|proud"
    r"|former college|unapologetic|massive"
    "|huge|big|weird|slow|cooperative|tasty|yummy|delicious|healthy|creative|relaxing"
    "|spontaneous|plain old|two|three"
    "|four|both"
)
LIGHT_VERB: Final = re.compile(
    rf"^(?:(?:{_LIGHT_VERBS})(?:{_TIME})?(?: (?:and|or|&) \w+ing)?{_PARTICLES}{_DETERMINERS}"
    "|(?:a |the )?(?:visits?|trips?|days? out|outings?|addict|sucker|believer) (?:to|in|for|at)(?: the)?"
    "|(?:my |a )?(?:passion|love|obsession|enthusiasm|fondness) (?:for|of|in|with)"
    rf"|(?:marathon )?(?:episodes|seasons|box ?sets) of|(?:{_QUALITIES})) (?=\w)"
)
"""Beginnings of prose after which stands what it is about."""

_GREENS: Final = "vegetables?|veg|veggies|tomato(?:es)?|herbs|potatoes|beans|peppers|chillies|food"
_GAMES: Final = (
    "hockey|rugby|cricket|basketball|volleyball|netball|lacrosse|golf|tennis|athletics"
    "|boxing|cycling|snooker|darts"
    "|gymnastics|swimming"
)
_MEANT_AT_ONCE: Final = (
    (
        rf"^(?:{_verbs('write compose produce record make flip mix arrange create')}|cook(?:s|ing)? up)\b"
        r".*\b(?:music|songs?|tunes?|beats?|tracks?|samples|melod(?:y|ies)|rock and roll)\b",
        "making music",
    ),
    (rf"^(?:{_verbs('watch follow cheer support')})\b.*\b(?:{_GAMES})\b", "watching sports"),
    (
        rf"^(?:{_verbs('cheer')}) (?:on|for)\b|^(?:{_verbs('follow support')}) (?:my |the )?local team$",
        "watching sports",
    ),
    (r"\bsing(?:s|ing)? along\b|\bsing(?:s|ing)? in the (?:shower|car)\b", "karaoke"),
    (rf"^(?:{_verbs('grow raise tend plant')})\b.*\b(?:{_GREENS})\b", "kitchen garden"),
    (
        r"\b(?:food (?:scene|places|spots|joints|trucks|stalls)|places to eat|(?:new"
        r"|local) (?:eateries|food))\b",
        "eating out",
    ),
    (
        rf"^(?:{_verbs('develop build make code design program')})\b.*\b(?:games?|apps?|websites?)$",
        "programming",
    ),
    (rf"^(?:{_verbs('fix repair mend')})\b", "diy"),
    (r"\b(?:pasta|noodles?|sushi|dumplings?|gyoza) making$", "cooking"),
)
_MEANT: Final = (
    (
        rf"^(?:{_verbs('grow raise tend plant')})\b.*\b(?:flowers?|roses?|plants?|trees?"
        rf"|garden|bulbs|seeds)\b",
        "gardening",
    ),
    (r"\b(?:sci ?fi|science fiction)\b", "science fiction"),
    (
        rf"\b(?:{_verbs('think wonder ponder muse')}|philosophi[sz]ing) (?:about|on|over) "
        "(?:the universe|life|existence|big questions|everything)",
        "philosophy",
    ),
    (
        r"^(?:cook|mak|prepar|whip|try|test|experiment)\w*\b.*"
        r"\b(?:recipes?|meals?|dish(?:es)?|dinners?|curr(?:y|ies)|pasta|culinary)\b",
        "cooking",
    ),
    (r"\bculinary (?:skills|adventures|experiments)\b", "cooking"),
    (rf"^(?:{_verbs('take shoot snap')})\b.*\b(?:pictures?|photos?|pics|photographs?)\b", "photography"),
    (r"\bgraphic novels?\b", "manga"),
    (
        rf"^(?:{_verbs('spend walk wander stroll roam escape sit camp be')}|time)\b"
        r".*\b(?:forest|woods|woodland|wilderness|campfire|nature)\b",
        "outdoors",
    ),
    (r"\b(?:jigsaws?|sudoku|crosswords?|wordle|logic puzzles?)\b", "puzzles"),
    (r"\b(?:dungeons and dragons|d and d|tabletop rpgs?)\b", "board games"),
    *(
        (rf"^(?:{_verbs(verb)})\b", hobby)
        for verb, hobby in (
            *(("cook", "cooking"), ("bake", "baking"), ("knit", "knitting"), ("sew", "sewing")),
            *(("hike", "hiking"), ("swim", "swimming"), ("volunteer", "volunteering"), ("sketch", "drawing")),
            *(("meditate", "meditation"), ("surf", "surfing"), ("crochet", "knitting")),
        )
    ),
)
_KIN: Final = (
    "sons?|daughters?|wife|husband|kids?|child(?:ren)?|mother|father|m[uo]m|dad|parents?"
    "|brothers?|sisters?|ex"
    "|boss|colleagues?|friends?|neighbours?|boyfriend|girlfriend|partner|grandson|granddaughter"
)
NO_HOBBY: Final = re.compile(
    f"^(?:(?:i (?:love|like|enjoy)|supporting|helping) )?(?:my|our) (?:(?:late|old|eldest"
    f"|little) )?(?:{_KIN})"
    r"(?:'s?)?\b"
    r"|run(?:ning)? (?:a|the|my|our|late|errands|business|water|costs?|mate|shoes|out|from|away|up)\b"
    r"(?!.*\b(?:marathons?|races?|[0-9]+ ?k|miles?)\b)"
    "|jogging (?:my|a) memory|cook(?:ing)? (?:oil|gas|the books)|walking dead"
    "|swimming (?:pool|in debt|against)"
    "|fishing for (?:compliments|likes|information|votes)|reading (?:glasses|minds?"
    "|the room|between|the riot)"
    "|drawing (?:the|a) line|drawing a blank|walking (?:on (?:eggshells|air)|out|away|the line|a tightrope)"
    "|driving (?:me|him|her|them|us) |dancing around|sewing (?:up|the seeds)|knitting (?:my|his|her) brows?"
    "|climbing (?:out|the (?:career |social |property )?ladder|the walls)"
    "|skating on thin|sailing (?:close|through)"
    "|boxing (?:day|match tickets)|hiking (?:prices|up)|bak(?:ing|e) (?:hot|heat|in the (?:sun|heat))"
    "|volunteering (?:information|my opinion)|surfing (?:the )?(?:web|net|internet)|dog (?:eat|tired)"
    "|tea lea(?:f|ves)|red herring|diving (?:in)?to (?!the (?:sea|pool|water|ocean))"
    "|cleaning up|weaving through"
    "|build(?:ing)? (?:trust|muscle|bridges|up|confidence|a (?:career|business|life|family|home together))"
    "|creating a scene|making (?:tracks|waves)|(?:catch|tak)(?:e|es|ing) the (?:train|bus|tube|metro)"
    "|hunting (?:for|down) (?:a|my|the) (?:flat|house|job|new|place)|(?:flat|house|job) hunting"
    "|collecting (?:debts?|dust|taxes|rent|the kids|my pension)|testing (?:software|times|the water)"
    "|do(?:ing)? (?:the|my|our) (?:dishes|school run|washing|laundry|ironing|taxes|housework)"
    "|writing (?:reports|emails|up|off)|record(?:ing)? meetings|(?:a )?slave to"
    "|out of the woods|lost in the woods"
    "|learning to (?:let|trust|love|live|say|be|cope|accept|forgive|relax|walk again)"
    "|(?:a )?(?:trips?|visits?) to (?:the |my |a )?(?:dentist|doctors?|hospital|vet|gp"
    "|clinic|office|bank|loo)"
    r"|(?:own|run|manag)(?:e|s|ning|ing)? (?:an?|my|our) (?:\w+ )?"
    "(?:restaurant|cafe|bar|shop|bookshop|gym|farm|hotel|studio)"
    "|teach(?:ing)? at |(?:cook|chef|waiter|porter) (?:in|at) |.* for a living$"
    "|(?:being )?a team player|working as "
    r"|.*\bforest fires?|compet(?:e|ing) with (?:my|our) "
)
"""English phrases that begin like a hobby, and are none: idioms, work, and what other people do."""
LEARNED: Final = re.compile(
    "^(?:(?:i )?(?:love|like|enjoy|learn|want|start|try)(?:s|ing)?|keen|teaching myself)(?: how)? to "
    r"(\w{3,})\b"
)
"""Somebody learns, or likes, to do what the next word says."""
_NAMES: Final = re.compile(r"(\b[a-z][\w'’-]*)(?:,? (?:named|called))?(?: (?:and |& )?[A-Z][\w'’-]*)+[.!]?$")


def without_names(text: str) -> str:
    """Return a text in small letters without the names it ends with.

    >>> without_names("my two cats Pudra and Ilusia"), without_names("Love To Cook")
    ('my two cats', 'Love To Cook')
    """
    return _NAMES.sub(r"\1", text)


def object_of(form: str) -> str:
    """Return what stands after verbs that say little, empty where the text begins with none.

    >>> [object_of(text) for text in ("experimenting with new recipes", "spending time with my dogs", "dogs")]
    ['recipes', 'dogs', '']
    """
    rest = LIGHT_VERB.sub("", form, count=1)
    return rest if rest != form else ""


def meant_at_once(form: str) -> Iterator[str]:
    """Yield what a verb and its object mean together although the object alone means another thing.

    >>> list(meant_at_once("writing songs")), list(meant_at_once("songs"))
    (['making music'], [])
    """
    yield from _first(_MEANT_AT_ONCE, form)


def meant_at_last(form: str) -> Iterator[str]:
    """Yield what a text means in which no part names anything.

    >>> list(meant_at_last("thinking about the universe"))
    ['philosophy']
    """
    yield from _first(_MEANT, form)


def _first(meanings: Iterable[tuple[str, str]], form: str) -> list[str]:
    return list(islice((meaning for pattern, meaning in meanings if re.search(pattern, form)), 1))
