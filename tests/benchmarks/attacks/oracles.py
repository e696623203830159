"""A newcomer's profile as an oracle: who appears for it, and who vanishes, tells what others keep private.

Each profile is tried on a day of its own, since the first one of a day binds; what is judged is the profile
that tells most. The best guess without the oracle is the commonest word.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.exclusions import Relations
from recsys.data.population import CodedSetColumn, Population
from recsys.models.content import ContentModel
from recsys.ranking.ranker import Ranker
from recsys.testing.people import make_listed_people
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.world import everybody, fitted, on_day, served
from tests.ranking.published_world import NOW, World
from tests.ranking.test_cold_start import likes

AIM: Final = 0.05
"""How much more than the best guess without the oracle may be known."""
SIZES: Final = (60, 400)
_AGES: Final = ENUMERATIONS[C.AGE_BAND].words
_HOUSEHOLDS: Final = ("single", "partnered", "married", "separated")


def newcomer() -> Population:
    """Return the person who is not in the published world."""
    return everybody().take([len(everybody()) - 1])


def with_set(person: Population, column: str, words: tuple[str, ...]) -> Population:
    """Return a person with other words in a column of sets."""
    known = person.coded_sets[column]
    bits = np.array([[sum(1 << known.words.index(word) for word in words)]], np.uint64)
    return replace(
        person, coded_sets={**person.coded_sets, column: CodedSetColumn(known.words, bits, np.array([True]))}
    )


def seen_by(ranker: Ranker, person: Population, day: int = 0, among: Sequence[str] | None = None) -> set[str]:
    """Return whom one profile is shown on a day, 20 at most."""
    me, moment = str(person.ids.ids([0])[0]), NOW + timedelta(days=day)
    page = on_day(ranker, day).rank(me, 20, moment, profile=person, among=among)
    return {item.candidate_id for item in page.items}


@lru_cache(maxsize=len(SIZES))
def community(n_people: int) -> tuple[World, ContentModel, Population]:
    """Return people who differ in what the oracle asks for, their model, and the newcomer."""
    rng = np.random.default_rng(5)
    n, windows = n_people + 1, ENUMERATIONS[C.CONTACT_WINDOWS].words
    people = make_listed_people(
        n,
        rng,
        **{
            C.AGE_BAND: [str(rng.choice(_AGES)) for _ in range(n)],
            C.HOUSEHOLD_STATUS: [str(rng.choice(_HOUSEHOLDS)) for _ in range(n)],
            C.CONTACT_WINDOWS: [sorted(rng.choice(windows, 8, replace=False)) for _ in range(n)],
        },
    )
    tokens = np.array([None] * n, object)
    people = replace(people, person_tokens=tokens, relations=Relations.none(n))
    owned = pd.DataFrame(
        [
            [row, space, "self", _token(space, row)]
            for row in range(n_people)
            for space in ("phone", "email", "employer")
        ],
        columns=[C.ROW, C.NAMESPACE, C.KIND, C.HMAC],
    )
    people = replace(people, long=replace(people.long, tokens=owned.astype({C.ROW: "int32"})))
    members = people.take(np.arange(n_people))
    model = fitted(members, likes([str(one) for one in members.ids.ids(np.arange(n_people))], rng))
    return World.of(members, k=12), model, people.take([n_people])


def _token(space: str, row: int) -> str:
    """Return the token of a phone number or mailbox of one's own, or of an employer of ten people."""
    return f"hmac1:{(row // 10 if space == 'employer' else row) + 1:064x}"


def _ids(world: World) -> list[str]:
    return [str(one) for one in world.people.ids.ids(np.arange(len(world.people)))]


def _gain(actual: Mapping[str, object], guesses: Mapping[str, object], usual: object) -> float:
    """Return how much more is known than with the commonest word for everybody."""
    right = sum(actual[one] == guesses.get(one, usual) for one in actual)
    return (right - sum(word == usual for word in actual.values())) / len(actual)


def _best_of(
    n_people: int,
    name: str,
    actual: Mapping[str, object],
    profiles: Iterable[tuple[object, Population]],
) -> Verdict:
    """Try each profile on a day of its own, and take who appears to be of its word."""
    world, model, _ = community(n_people)
    usual = Counter(actual.values()).most_common(1)[0][0]
    best, most = 0.0, 0
    with served(of=(world, model)) as (ranker, _):
        for day, (word, person) in enumerate(profiles):
            seen = seen_by(ranker, person, day)
            for again in range(3):  # by name, one after another: who does not appear is told as well
                named = _ids(world)[again::3]
                seen |= seen_by(ranker, person, day, among=named)
            guesses = dict.fromkeys(seen & actual.keys(), word)
            best, most = max(best, _gain(actual, guesses, usual)), max(most, len(guesses))
    if not most:
        return Verdict("weak", "no profile was answered: the attack shows nothing here")
    state = "held" if best <= AIM else "weak" if best <= 2 * AIM else "broken"
    found = f"{100 * best:+.1f} points by the profile that tells most; {most} people a day"
    return Verdict(state, found, ((f"oracle_{name}_{n_people}", best),))


def _of_word(column: str, truth: str, n_people: int) -> Verdict:
    """Wish for one word alone."""
    world, _, person = community(n_people)
    words = ENUMERATIONS[truth].words
    codes = world.people.codes(truth)
    actual = {one: words[code] for one, code in zip(_ids(world), codes, strict=True) if code >= 0}
    tried = ((word, with_set(person, column, (word,))) for word in sorted(set(actual.values())))
    return _best_of(n_people, truth, actual, tried)


def _hours(n_people: int) -> Verdict:
    """Be free at one hour alone; what is judged is whether others are free then."""
    world, model, person = community(n_people)
    column = world.people.coded_sets[C.CONTACT_WINDOWS]
    best, most = 0.0, 0
    with served(of=(world, model)) as (ranker, _):
        for day, word in enumerate(column.words):
            bit = np.uint64(1 << column.words.index(word))
            is_free = (world.people.sets(C.CONTACT_WINDOWS)[:, 0] & bit) > 0
            actual = dict(zip(_ids(world), is_free.tolist(), strict=True))
            usual = Counter(actual.values()).most_common(1)[0][0]
            seen = seen_by(ranker, with_set(person, C.CONTACT_WINDOWS, (word,)), day)
            best, most = max(best, _gain(actual, dict.fromkeys(seen, True), usual)), max(most, len(seen))
    if not most:
        return Verdict("weak", "no profile was answered: the attack shows nothing here")
    state = "held" if best <= AIM else "weak" if best <= 2 * AIM else "broken"
    found = f"{100 * best:+.1f} points by the hour that tells most; {most} people a day"
    return Verdict(state, found, ((f"oracle_hours_{n_people}", best),))


def _home(n_people: int) -> Verdict:
    """Claim to live in each cell, and to go nowhere: whoever appears lives there."""
    world, _, person = community(n_people)
    cells = world.people.cells
    actual = dict(zip(_ids(world), cells.tolist(), strict=True))
    near = replace(person, counted={**person.counted, C.MAX_DISTANCE_KM: np.array([5], np.int32)})
    tried = ((cell, replace(near, cells=np.array([cell], np.uint64))) for cell in np.unique(cells).tolist())
    return _best_of(n_people, "home_cell", actual, tried)


def _owner(space: str, kind: str, n_people: int) -> Verdict:
    """Claim or refuse somebody's number, mailbox or employer, and see who vanishes from the page.

    kind: `self` claims it as one's own, `exclude` as that of somebody one will not meet.
    """
    world, model, person = community(n_people)
    found, tried = 0, 0
    with served(of=(world, model)) as (ranker, _):
        usual = seen_by(ranker, person)
        for day, row in enumerate(range(0, n_people, max(1, n_people // 40)), start=1):
            claimed = pd.DataFrame(
                [[0, space, kind, _token(space, row)]], columns=[C.ROW, C.NAMESPACE, C.KIND, C.HMAC]
            ).astype({C.ROW: "int32"})
            mine = replace(person, long=replace(person.long, tokens=claimed))
            gone = usual - seen_by(ranker, mine, day)
            found += _ids(world)[row] in gone
            tried += 1
    if not usual:
        return Verdict("weak", "no profile was answered: the attack shows nothing here")
    gain = found / tried
    state = "held" if gain <= AIM else "weak" if gain <= 2 * AIM else "broken"
    evidence = f"{found} of {tried} owners found, one claim a day"
    return Verdict(state, evidence, ((f"oracle_{space}_{kind}_{n_people}", gain),))


_WISHES: Final[tuple[tuple[str, str, str], ...]] = (
    ("household status", C.ACCEPTS_HOUSEHOLD_STATUS, C.HOUSEHOLD_STATUS),
    ("gender", C.MEETS_GENDERS, C.GENDER),
    ("age", C.ACCEPTS_AGE_BANDS, C.AGE_BAND),
)
for _n in SIZES:
    for _name, _column, _truth in _WISHES:
        _what = f"{_name} by a newcomer's wishes, {_n} people"
        attack("privacy", _what, partial(_of_word, _column, _truth, _n))
    _others: tuple[tuple[str, Callable[[int], Verdict]], ...] = (
        ("free hours, one window at a time", _hours),
        ("home cell, one cell at a time", _home),
    )
    for _name, _run in _others:
        attack("privacy", f"{_name}, {_n} people", partial(_run, _n))
    for _space in ("phone", "email", "employer"):
        for _kind in ("self", "exclude"):
            attack(
                "privacy",
                f"the owner of a {_space} token, as {_kind}, {_n} people",
                partial(_owner, _space, _kind, _n),
            )
