"""The draft guard: finds what should not be in a draft; keeps, logs and quotes none of it.

Its rules are data (`draft_guard_rules.yaml`): words, however they are spaced, and patterns of them. A small
classifier (`recsys.messaging.draft_classifier`) finds what no rule names and overrules a rule where it is
sure.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import LANGUAGES, Label, Language, read_label
from recsys.catalogue.text_folding import INVISIBLE, KATAKANA_TO_HIRAGANA
from recsys.errors import InputError, did_you_mean, explained
from recsys.messaging.draft_classifier import DraftClassifier, load_classifier, windows
from recsys.messaging.hotlines import hotlines_of
from recsys.messaging.look_alikes import DisguisedNames
from recsys.messaging.phone_numbers import phone_spans
from recsys.strict_yaml import YamlFile

_MARKS = frozenset("\uff9e\uff9f\u3099\u309a")
"""Voiced sound marks, which belong to the kana before them."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Two aligned forms of one draft: `text` folded wholly, `cased` with its capitals kept.

    Width is folded (NFKC), katakana is hiragana, invisible characters are gone, spaces are one
    blank, and none stands between the characters of a word that is spaced out; in `text` letters that look
    Latin are Latin, and names of apps in disguise stand in plain letters. Character n of either came from
    `starts[n]:ends[n]` of the draft.
    """

    text: str
    cased: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, draft: str) -> "Folded":
        """Fold a draft, remembering places.

        >>> folded = Folded.of("ｶﾞ ＬＩＮＥ")
        >>> folded.text, folded.cased, folded.span(2, 6)
        ('が line', 'が LINE', (3, 7))
        >>> Folded.of("L1NEか、te1egrаm").text
        'lineか、telegram'
        """
        folded = [
            (small, kept, start, end)
            for start, end in _clusters(draft)
            for small, kept in _folded(draft[start:end])
        ]
        blanks = _needless_blanks("".join(small for small, *_ in folded))
        letters = [one for place, one in enumerate(folded) if place not in blanks]
        text, cased, starts, ends = zip(*letters, strict=True) if letters else ((), (), (), ())
        plain = load_rules().apps.plain("".join(text))
        return cls(plain, "".join(cased), starts, ends)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in the draft."""
        return self.starts[start], self.ends[end - 1]


_SPACED_OUT: Final = re.compile("(?<![^ ])[^ ](?: [^ ])+(?![^ ])")
_MORE_BLANKS: Final = re.compile("(?<= ) ")


def _needless_blanks(text: str) -> set[int]:
    """Return the places of blanks between characters that stand alone, and of all but the first in a row.

    >>> sorted(_needless_blanks("l i n e   is s i"))
    [1, 3, 5, 8, 9, 14]
    """
    spaced = (range(found.start() + 1, found.end(), 2) for found in _SPACED_OUT.finditer(text))
    more = {found.start() for found in _MORE_BLANKS.finditer(text)}
    return more | {place for places in spaced for place in places}


_LONGEST_SIGN: Final = 6
_ENCLOSING: Final = re.compile("[\u20dd-\u20e0\u20e2-\u20e4]")
"""Circles, squares and key caps around a sign."""


@lru_cache(maxsize=4096)
def _folded(cluster: str) -> tuple[tuple[str, str], ...]:
    """Return the folded characters of one character with its marks: without and with capitals.

    Digits of every script are those of ASCII.

    A sign that stands for a sentence, as U+FDFA does for 18 letters, is cut: the longest that stand for a
    word have 6, and a text of such signs would be many times as long as it may be.
    """
    raw = unicodedata.normalize("NFKC", INVISIBLE.sub("", cluster)).translate(KATAKANA_TO_HIRAGANA)
    raw = _ENCLOSING.sub("", raw)[: _LONGEST_SIGN * len(cluster)]
    kept = [" " if one.isspace() else str(unicodedata.decimal(one, one)) for one in raw]
    return tuple((small if len(small := one.lower()) == 1 else one, one) for one in kept)


def _clusters(draft: str) -> list[tuple[int, int]]:
    """Return each character with the marks that belong to it."""
    found: list[tuple[int, int]] = []
    for place, character in enumerate(draft):
        if found and (character in _MARKS or unicodedata.combining(character) or _ENCLOSING.match(character)):
            found[-1] = (found[-1][0], place + 1)
        else:
            found.append((place, place + 1))
    return found


GUARD_KINDS: Final = (
    *("contact", "address", "employer", "money", "off_platform", "intimacy"),
    *("distress", "violence", "threat"),
)
"""What is looked for. Distress and violence are answered with people who help, the rest advised against."""
_HELPED: Final = {"distress": ("suicide",), "violence": ("violence", "sexual_violence", "police")}
"""Kinds that a member suffers rather than does, and the kinds of hotlines that are shown."""


@dataclass(frozen=True, slots=True, order=True)
class DraftFinding:
    """One stretch of a draft, `text[start:end]`, and what it is; it holds no text, so it may be logged.

    >>> found = DraftFinding(6, 10, "contact")
    >>> "Write: LINE"[found.start : found.end]
    ' LIN'
    """

    start: int
    end: int
    kind: str


_MAIL_ALONE: Final = re.compile(r"[^\s@]+@[^\s@]+")
_BACKTRACKS: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|(?<=\d,)\}|(?<!\})[+*]")
"""An escaped character, a set of characters, or a quantifier without an end."""
_MOST_REPEATS: Final = 60


def _bounded(part: re.Match[str]) -> str:
    r"""Return a part of a pattern with an end to each quantifier, so that matching takes linear time.

    >>> print(_BACKTRACKS.sub(_bounded, r"a+[+*]\*b*c{0,9}+d{2,}"))
    a{1,60}[+*]\*b{0,60}c{0,9}+d{2,60}
    """
    ends = {"+": f"{{1,{_MOST_REPEATS}}}", "*": f"{{0,{_MOST_REPEATS}}}", "}": f"{_MOST_REPEATS}}}"}
    return ends.get(part[0], part[0])


GAP: Final = r"[\s・.\-_*/|,、'’]{0,2}"
_NAME: Final = re.compile(r"<([a-z_]+)>")
_LATIN: Final = re.compile("[a-z]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern of a kind; `cased` ones read capitals. `unless` takes a match away where it overlaps.

    certain: whether the classifier may not overrule it.
    needed: sets of characters of each of which every match holds one; a text without is not searched.
    """

    kind: str
    pattern: re.Pattern[str]
    cased: bool
    certain: bool
    needed: tuple[frozenset[str], ...]


@dataclass(frozen=True, eq=False)
class Rules:
    """Every rule, what excuses each kind, an example, and what to answer; `version` names the content.

    apps: the names of the words `app`, found in disguise too.
    """

    version: str
    rules: tuple[Rule, ...]
    unless: Mapping[str, tuple[re.Pattern[str], ...]]
    apps: DisguisedNames
    labels: Mapping[str, Label]
    examples: Mapping[str, Label]
    advice: Mapping[str, Label]


def loose(word: str) -> str:
    """Return a pattern for a word that may be spaced out or dotted; Latin words stand alone.

    >>> [bool(re.search(loose("line"), text)) for text in ("l i n e", "l.i.n.e", "online", "lines")]
    [True, True, False, False]
    """
    letters = [re.escape(letter) for letter in word.lower().translate(KATAKANA_TO_HIRAGANA) if letter != " "]
    pattern = GAP.join(letters)
    if _LATIN.match(word.lower()):
        return rf"(?<![a-z0-9]){pattern}(?![a-z])"
    return pattern


def read_rules(file: YamlFile, version: str) -> Rules:
    """Read the rules; raises InputError naming file and key for an unknown kind, word or a broken pattern."""
    listed = _mapping(file, "words")
    words = {name: _alternatives(file, name, raw) for name, raw in listed.items()}
    kinds = file.section(
        file.content, "kinds", (*LANGUAGES, "example", "advice", "rules", "certain", "cased", "unless")
    )
    for name in {*kinds} ^ {*GUARD_KINDS}:
        raise file.error("every kind has rules, and no other", "kinds", got=name)
    rules: list[Rule] = []
    unless: dict[str, tuple[re.Pattern[str], ...]] = {}
    for kind, raw in kinds.items():
        for source in ("rules", "certain", "cased"):
            rules += [
                Rule(
                    *(kind, pattern, source == "cased", source == "certain"),
                    needed_characters(pattern.pattern),
                )
                for pattern in _patterns(file, f"{kind}.{source}", raw.get(source), words)
            ]
        unless[kind] = _patterns(file, f"{kind}.unless", raw.get("unless"), words)
    return Rules(
        version=version,
        rules=tuple(rules),
        unless=unless,
        apps=DisguisedNames(listed.get("app", ())),
        labels={kind: read_label(file, kind, raw) for kind, raw in kinds.items()},
        examples=_labels_of(file, kinds, "example"),
        advice=_labels_of(file, kinds, "advice"),
    )


def _labels_of(file: YamlFile, kinds: Mapping[str, Any], name: str) -> dict[str, Label]:
    return {
        kind: read_label(file, kind, file.mapping(f"{kind}.{name}", raw.get(name), LANGUAGES))
        for kind, raw in kinds.items()
    }


def _mapping(file: YamlFile, name: str) -> dict[str, Any]:
    raw = file.content.get(name)
    return file.mapping(name, raw, raw if isinstance(raw, dict) else ())


def _alternatives(file: YamlFile, name: str, raw: object) -> str:
    if not isinstance(raw, list) or not all(isinstance(word, str) and word for word in raw):
        raise file.error("not a list of words", name, got=raw)
    first = "".join(sorted({re.escape(word.lower().translate(KATAKANA_TO_HIRAGANA)[0]) for word in raw}))
    return f"(?:(?=[{first}])(?:" + "|".join(loose(word) for word in raw) + "))"


def _patterns(file: YamlFile, key: str, raw: object, words: Mapping[str, str]) -> tuple[re.Pattern[str], ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(source, str) for source in raw):
        raise file.error("not a list of patterns", key, got=raw)
    found = []
    for source in raw:
        for name in _NAME.findall(source):
            if name not in words:
                raise file.error("unknown word", key, got=name)
        whole = _NAME.sub(lambda match: words[match[1]], source.translate(KATAKANA_TO_HIRAGANA))
        try:
            found.append(re.compile(_BACKTRACKS.sub(_bounded, whole)))
        except re.error as broken:
            raise file.error("a broken pattern", key, got=source, remedy=str(broken)) from broken
    return tuple(found)


@lru_cache(maxsize=1)
def load_rules() -> Rules:
    """Return the rules that come with the package, read once."""
    content = (files("recsys.catalogue") / "draft_guard_rules.yaml").read_bytes().replace(b"\r\n", b"\n")
    return read_rules(YamlFile("draft_guard_rules", content), hashlib.sha256(content).hexdigest()[:12])


LONGEST: Final = 10_000
"""Characters; a longer text is no message and no profile."""


@checked_arguments
def check_draft(draft: str) -> tuple[DraftFinding, ...]:
    """Return what should not be in a draft, in order, as spans of the draft itself.

    Width, kana and blanks between single characters do not matter. A finding is a hint for the writer,
    never a verdict: the backend shows it and lets the writer decide. Findings of one kind that touch are one.
    Raises InputError when the draft is no text or is longer than 10,000 characters.

    >>> draft = "よろしければ、ＬＩＮＥ交換しませんか"
    >>> [(found.kind, draft[found.start : found.end]) for found in check_draft(draft)]
    [('off_platform', 'ＬＩＮＥ交換しませんか')]
    >>> check_draft("There is a line of poetry I return to.")
    ()
    """
    if not isinstance(draft, str):
        raise InputError(explained("a draft is a text", got=type(draft).__name__))
    if len(draft) > LONGEST:
        remedy = f"check at most {LONGEST} characters at once"
        raise InputError(explained("a draft is too long", got=len(draft), remedy=remedy))
    folded = Folded.of(draft)
    numbers = {("contact", start, end) for start, end in phone_spans(folded.text)}
    found = numbers | _judged(folded, sorted(_ruled(folded) | numbers), load_classifier())
    return tuple(
        sorted(_joined({DraftFinding(*folded.span(start, end), kind) for kind, start, end in found}))
    )


_Match = tuple[str, int, int]


def rule_kinds(draft: str) -> frozenset[str]:
    """Return the kinds that rules find in a draft, whatever the classifier says.

    >>> sorted(rule_kinds("L I N E 交換しませんか"))
    ['off_platform']
    """
    return frozenset(kind for kind, _, _ in rule_matches(Folded.of(draft)))


def rule_matches(folded: Folded) -> set[_Match]:
    """Return what rules find in a folded draft and telephone numbers: kind, start and end of each."""
    return _ruled(folded) | {("contact", start, end) for start, end in phone_spans(folded.text)}


def _ruled(folded: Folded, *, certain: bool = False) -> set[_Match]:
    """Return what the rules, or those that are certain, find and nothing excuses: kind, start and end."""
    rules = load_rules()
    matches = set(_matches(folded, [rule for rule in rules.rules if rule.certain or not certain]))
    excused = {kind: _excuses(folded, rules, kind) for kind in {kind for kind, _, _ in matches}}
    return {
        (kind, start, end)
        for kind, start, end in matches
        if not any(begin < end and start < stop for begin, stop in excused[kind])
    }


def _judged(folded: Folded, ruled: list[_Match], classifier: DraftClassifier) -> set[_Match]:
    """Return the rules' findings the classifier does not overrule, and the stretches it flags itself.

    What excuses a kind excuses what the classifier finds as well, in the stretch where it stands.
    """
    found = _ruled(folded, certain=True)
    excuses: dict[str, list[tuple[int, int]]] = {}
    for start, end in windows(folded.text):
        inside = [match for match in ruled if match[1] < end and start < match[2]]
        kinds = classifier.flagged(folded.text[start:end], frozenset(kind for kind, _, _ in inside))
        found |= {match for match in inside if match[0] in kinds}
        stretch = folded.text[start:end]
        left, right = len(stretch) - len(stretch.lstrip()), len(stretch.rstrip())
        for kind in kinds - {kind for kind, _, _ in inside}:
            excused = excuses.setdefault(kind, _excuses(folded, load_rules(), kind))
            if not any(begin < end and start < stop for begin, stop in excused):
                found.add((kind, start + left, start + right))
    return found


def _matches(folded: Folded, rules: Sequence[Rule]) -> Iterator[tuple[str, int, int]]:
    small, capital = frozenset(folded.text), frozenset(folded.cased)
    for rule in rules:
        there = capital if rule.cased else small
        if any(there.isdisjoint(one) for one in rule.needed):
            continue
        for match in rule.pattern.finditer(folded.cased if rule.cased else folded.text):
            if match.end() > match.start():
                yield rule.kind, match.start(), match.end()


def _excuses(folded: Folded, rules: Rules, kind: str) -> list[tuple[int, int]]:
    """Return where something stands that excuses findings of a kind."""
    return [match.span() for pattern in rules.unless[kind] for match in pattern.finditer(folded.text)]


def _joined(found: set[DraftFinding]) -> list[DraftFinding]:
    joined: dict[str, list[DraftFinding]] = {}
    for finding in sorted(found):
        same = joined.setdefault(finding.kind, [])
        if same and finding.start <= same[-1].end:
            same[-1] = DraftFinding(same[-1].start, max(same[-1].end, finding.end), finding.kind)
        else:
            same.append(finding)
    return [finding for same in joined.values() for finding in same]


def is_mail_alone(support: str) -> bool:
    """Say whether a support is nothing but a mail address, which is no answer to somebody in danger.

    >>> is_mail_alone("help@example.org"), is_mail_alone("0120-000-000, help@example.org")
    (True, False)
    """
    return _MAIL_ALONE.fullmatch(support.strip()) is not None


@checked_arguments
def advice(kind: str, lang: Language = "ja", *, support: str, country: str = "JP") -> str:
    """Return what to say to the writer; distress and violence are answered with people who help.

    support: how to reach the people of the service, in words. country: whose hotlines are shown.
    Raises InputError for an unknown kind, and, for distress and violence, for a country without hotlines and
    for a support that is a mail address alone: nobody in danger should wait for a reply.

    >>> advice("money", "en", support="support@example.org")
    'Please keep money, loans and investments out of it, for the peace of both.'
    """
    if kind not in GUARD_KINDS:
        raise InputError(explained("unknown kind", got=kind, remedy=did_you_mean(kind, GUARD_KINDS)))
    if kind in _HELPED:
        if is_mail_alone(support):
            remedy = "give a telephone number or a page where people answer, beside the address"
            raise InputError(explained(f"a mail address alone is no answer to {kind}", remedy=remedy))
        lines = hotlines_of(country)
        text = load_catalogue().steps.checks[kind].text(lang)
        shown = lines.text(_HELPED[kind], lang)
        return text.format(contact=support, hotlines=shown, emergency=lines.emergency.text(lang))
    return load_rules().advice[kind].text(lang).format(contact=support)


_MOST_IN_A_RANGE: Final = 200
_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def needed_characters(pattern: str) -> tuple[frozenset[str], ...]:
    r"""Return sets of characters; every match of the pattern holds at least one character of each.

    >>> [sorted(one) for one in needed_characters("(?:ab|c)+d?[xy]")]
    [['a', 'c'], ['x', 'y']]
    >>> needed_characters(r"\d*a?")
    ()
    """
    from re import _parser  # type: ignore[attr-defined]

    return tuple(dict.fromkeys(_of_sequence(_parser.parse(pattern))))


def _of_sequence(parsed: Any) -> list[frozenset[str]]:
    return [one for operation, argument in parsed for one in _of_part(str(operation), argument)]


def _of_part(operation: str, argument: Any) -> list[frozenset[str]]:
    """Return what one part of a parsed pattern needs; nothing for parts that are not known."""
    if operation == "LITERAL":
        return [frozenset(chr(argument))]
    if operation == "IN":
        found = _of_set(argument)
        return [found] if found else []
    if operation == "BRANCH":
        branches = [_of_sequence(one) for one in argument[1]]
        return [frozenset().union(*(min(one, key=len) for one in branches))] if all(branches) else []
    if operation in _REPEATS and not argument[0]:
        return []
    return _of_sequence(argument[-1]) if operation in (*_REPEATS, "SUBPATTERN") else []


def _of_set(items: Any) -> frozenset[str]:
    """Return the characters of a set in brackets; empty when it is large, negated or names a class."""
    found: set[str] = set()
    for operation, argument in items:
        if str(operation) == "LITERAL":
            found.add(chr(argument))
        elif str(operation) == "RANGE" and argument[1] - argument[0] < _MOST_IN_A_RANGE:
            found |= {chr(code) for code in range(argument[0], argument[1] + 1)}
        else:
            return frozenset()
    return frozenset(found)
