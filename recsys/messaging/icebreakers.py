"""Icebreakers: a first message to suggest, made of the reasons of the pair and nothing else.

Three kinds: `hobby`, a shared public interest with a small question; `empathy`, one is glad to listen to
what the other would like to talk about, or both gave the same public answer; `calm`, otherwise. Where both
of the first hold, the seed decides. An icebreaker reads no profile: what no reason says, it cannot tell.
Two who write to each other already get none; `next_steps` has things to talk about for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeVar

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.entries import Label, Language
from recsys.messaging.reasons import kind_of, visible_reasons

T = TypeVar("T")


class Draw:
    """Draws from sequences by what is drawn and for whom; equal seeds draw alike.

    >>> Draw(7, "a", "b").one_of("kind", "xyz") == Draw(7, "a", "b").one_of("kind", "xyz")
    True
    """

    def __init__(self, seed: int, viewer_id: str, candidate_id: str) -> None:
        self._key = f"{seed}\0{viewer_id}\0{candidate_id}\0"

    def one_of(self, what: str, choices: Sequence[T]) -> T:
        """Return one of `choices`, drawn for `what`."""
        if len(choices) == 1:
            return choices[0]
        digest = blake2b((self._key + what).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return choices[int.from_bytes(digest, "big") % len(choices)]


ICEBREAKER_KINDS: Final = ("empathy", "hobby", "calm")
_OF_REASON: Final = {"interest": "hobby", "listens": "empathy", "answer": "empathy"}
OPENING_STAGES: Final = ("listed", "matched")
"""Where a first message is still to be written."""
_BETWEEN: Final = {"ja": "", "en": " "}


@dataclass(frozen=True, slots=True)
class Icebreaker:
    """A suggested first message: its kind, its text, and the reason codes it rests on.

    >>> Icebreaker("calm", "Good evening.", ()).kind
    'calm'
    """

    kind: str
    text: str
    uses: tuple[str, ...]


@checked_arguments
def icebreaker_kind(
    viewer_id: str,
    candidate_id: str,
    codes: Iterable[str],
    stage: str,
    *,
    seed: int = 0,
    catalogue: Catalogue | None = None,
) -> str | None:
    """Return the kind of icebreaker the pair gets, None outside `OPENING_STAGES`.

    catalogue: the one the codes are from; that of the package when None.

    >>> icebreaker_kind("a", "b", ["near"], "matched"), icebreaker_kind("a", "b", ["near"], "closed")
    ('calm', None)
    """
    words = load_catalogue() if catalogue is None else catalogue
    return icebreaker_kinds(viewer_id, [candidate_id], [codes], [stage], seed=seed, catalogue=words)[0]


def icebreaker_kinds(
    viewer_id: str,
    candidates: Sequence[str],
    reasons: Sequence[Iterable[str]],
    stages: Sequence[str],
    *,
    seed: int = 0,
    catalogue: Catalogue,
) -> list[str | None]:
    """Return `icebreaker_kind` of a viewer with each of some people, for a whole page."""
    found = list[str | None]()
    for candidate_id, codes, stage in zip(candidates, reasons, stages, strict=True):
        catalogue.stages.code(stage)
        fits = _kinds_that_fit(tuple(visible_reasons(codes, stage)), catalogue)
        drawn = Draw(seed, viewer_id, candidate_id).one_of("kind", fits) if fits else "calm"
        found.append(drawn if stage in OPENING_STAGES else None)
    return found


@checked_arguments
def icebreaker(
    viewer_id: str,
    candidate_id: str,
    codes: Iterable[str],
    stage: str,
    *,
    seed: int = 0,
    lang: Language = "ja",
    catalogue: Catalogue | None = None,
) -> Icebreaker | None:
    """Return a first message the viewer may send to the candidate, None outside `OPENING_STAGES`.

    codes: the reasons of the pair as the viewer sees them, strongest first (see `Reasons`). Equal arguments
    give the same text, and both languages the same variant. catalogue: the one the codes are from; that of
    the package when None.
    Raises InputError for an unknown stage.

    >>> print(icebreaker("a", "b", ["interest:coffee"], "matched", lang="en").text)
    Hello. Your profile mentions “Coffee”, which I enjoy too, so I wanted to say hello. Which do you
    like better, the morning cup or the afternoon one? It is a pleasure to meet you.
    """
    words = load_catalogue() if catalogue is None else catalogue
    words.stages.code(stage)
    if stage not in OPENING_STAGES:
        return None
    visible, draw = tuple(visible_reasons(codes, stage)), Draw(seed, viewer_id, candidate_id)
    shown, fits = _named(visible, words), _kinds_that_fit(visible, words)
    kind = draw.one_of("kind", fits) if fits else "calm"
    parts = {"hobby": _hobby, "empathy": _empathy, "calm": _calm}[kind]
    uses, labels, about = parts(draw, shown, words)
    name = "" if about is None else about.text(lang)
    text = _BETWEEN[lang].join(label.text(lang).format(label=name) for label in labels)
    return Icebreaker(kind, text, uses)


def _named(visible: Iterable[str], words: Catalogue) -> list[str]:
    """Return what has words and is not too much for a first message, of codes that may be shown.

    A list may come from an older catalogue.
    """
    named: dict[str, Mapping[str, object]] = {
        "interest": words.interests,
        "listens": words.topics,
        "answer": words.questions,
    }
    return [
        code
        for code in visible
        if kind_of(code) not in named
        or (
            code.partition(":")[2] in named[kind_of(code)]
            and code.removeprefix("interest:") not in words.openers.unnamed_interests
        )
    ]


@lru_cache(maxsize=4096)
def _kinds_that_fit(visible: tuple[str, ...], words: Catalogue) -> tuple[str, ...]:
    """Return the kinds of which one is drawn; none stands for the calm one."""
    shown = map(kind_of, _named(visible, words))
    return tuple(sorted({_OF_REASON[kind] for kind in shown if kind in _OF_REASON}))


_Parts = tuple[tuple[str, ...], list[Label], Label | None]


def _hobby(draw: Draw, shown: list[str], words: Catalogue) -> _Parts:
    code = next(code for code in shown if kind_of(code) == "interest")
    interest, texts = words.interests[code.partition(":")[2]], words.openers
    questions = texts.questions_about(interest, words.interests)
    labels = [
        draw.one_of(part, variants)
        for part, variants in (
            ("opening", texts.openings),
            ("question", questions),
            ("closing", texts.closings),
        )
        if variants
    ]
    return (code,), labels, interest.label


def _empathy(draw: Draw, shown: list[str], words: Catalogue) -> _Parts:
    code = next(code for code in shown if kind_of(code) in ("listens", "answer"))
    kind, _, name = code.partition(":")
    texts = words.openers
    if kind == "listens":
        about, unnamed = words.topics[name].label, name in texts.unnamed_topics
    else:
        about, unnamed = words.questions[name].label, not words.may_name_answer(name)
    named = "light" if kind == "listens" and name in texts.light_topics else kind
    variants = texts.empathy[f"{kind}_unnamed" if unnamed else named]
    return (code,), [draw.one_of("empathy", variants)], about


def _calm(draw: Draw, shown: list[str], words: Catalogue) -> _Parts:
    circle = tuple(code for code in shown if kind_of(code) == "circle")[:1]
    variants = words.openers.circle if circle else words.openers.plain
    return circle, [draw.one_of("calm", variants)], None
