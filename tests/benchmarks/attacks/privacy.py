"""What can be read from outside: a newcomer's profile as an oracle, time and size of what is absent."""

import statistics
from collections import Counter
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.population import CodedSetColumn, Population
from recsys.ranking.ranker import Ranker
from recsys.safety.store import MemorySafety
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.world import everybody, ids, served, shown, world
from tests.ranking.published_world import NOW

AIM = 0.05
"""How much more than the best guess without the oracle may be known."""


def _newcomer() -> Population:
    return everybody().take([len(everybody()) - 1])


def _with_set(person: Population, column: str, words: tuple[str, ...]) -> Population:
    known = person.coded_sets[column]
    bits = np.array([[sum(1 << known.words.index(word) for word in words)]], np.uint64)
    return replace(
        person, coded_sets={**person.coded_sets, column: CodedSetColumn(known.words, bits, np.array([True]))}
    )


def _seen(ranker: Ranker, person: Population) -> set[str]:
    me = str(person.ids.ids([0])[0])
    return {item.candidate_id for item in ranker.rank(me, 20, NOW, profile=person).items}


def _oracle(column: str, truth: str) -> Verdict:
    """Ask with one profile for each word, and take who appears for a word alone to be of it."""
    words = ENUMERATIONS[truth].words
    people, person = world().people, _newcomer()
    guesses: dict[str, str] = {}
    with served() as (ranker, _):
        for word in words:
            for one in _seen(ranker, _with_set(person, column, (word,))):
                guesses.setdefault(one, word)
    codes = people.codes(truth)
    actual = {user: words[code] for user, code in zip(ids(), codes, strict=True) if code >= 0}
    usual = Counter(actual.values()).most_common(1)[0]
    right = sum(actual[user] == guesses.get(user, usual[0]) for user in actual) / len(actual)
    gain = right - usual[1] / len(actual)
    if not guesses:
        return Verdict("weak", "no profile was answered: the attack shows nothing here")
    state = "held" if gain <= AIM else "weak" if len(guesses) <= 20 else "broken"
    found = f"{right:.2f} right, {usual[1] / len(actual):.2f} without; {len(guesses)} people seen a day"
    return Verdict(state, found, ((f"oracle_{truth}", gain),))


attack(
    "privacy",
    "household status by the newcomer's wishes",
    partial(_oracle, C.ACCEPTS_HOUSEHOLD_STATUS, C.HOUSEHOLD_STATUS),
)
attack("privacy", "gender by the newcomer's wishes", partial(_oracle, C.MEETS_GENDERS, C.GENDER))
attack("privacy", "age by the newcomer's wishes", partial(_oracle, C.ACCEPTS_AGE_BANDS, C.AGE_BAND))


def _hours() -> Verdict:
    person, profiles = _newcomer(), 0
    windows = person.coded_sets[C.CONTACT_WINDOWS].words
    with served() as (ranker, _):
        for window in windows:
            profiles += bool(_seen(ranker, _with_set(person, C.CONTACT_WINDOWS, (window,))))
    if not profiles:
        return Verdict("weak", "no profile was answered: the attack shows nothing here")
    return Verdict.of(profiles <= 1, f"{profiles} of {len(windows)} profiles were answered in a day")


def _token_owner(space: str) -> Verdict:
    """Claim a number or an employer, and see who vanishes."""
    person, target = _newcomer(), 7
    claimed = f"hmac1:{9:064x}"
    people = world().people
    row = pd.DataFrame([[target, space, "self", claimed]], columns=[C.ROW, C.NAMESPACE, C.KIND, C.HMAC])
    mine = replace(
        person, long=replace(person.long, tokens=row.assign(**{C.ROW: 0}).astype({C.ROW: "int32"}))
    )
    del people
    with served() as (ranker, _):
        before = _seen(ranker, mine)
    with served() as (ranker, _):
        without = _seen(ranker, person)
    if (
        before == without
    ):  # nobody here owns the token, so this shows only that an unproved one is passed over
        return Verdict("weak", f"an unproved {space} token changes nothing; its owner is not in this world")
    return Verdict.of(False, f"an unproved {space} token changes {len(before ^ without)} places")


def _page_limit() -> Verdict:
    person = _newcomer()
    me = str(person.ids.ids([0])[0])
    seen: set[str] = set()
    with served() as (ranker, _):
        for _ in range(10):
            page = ranker.rank(me, 1000, NOW, profile=person)
            seen |= {item.candidate_id for item in page.items}
            ranker.record(page.receipt, [item.candidate_id for item in page.items], viewer_id=me, as_of=NOW)
    return Verdict.of(len(seen) <= 60, f"{len(seen)} different people in ten pages of a day")


def _second_account_shares() -> Verdict:
    person = _newcomer()
    with served() as (ranker, _):
        first = _seen(ranker, person)
        other = _with_set(person, C.ACCEPTS_HOUSEHOLD_STATUS, ("single",))
        second = _seen(ranker, other)
    return Verdict.of(first and not second, f"{len(first)} then {len(second)} people with another profile")


attack("privacy", "free hours, one window at a time", _hours)
for _space in ("phone", "employer", "email"):
    attack("privacy", f"the owner of a {_space} token", partial(_token_owner, _space))
attack("privacy", "a newcomer harvests a day", _page_limit)
attack("privacy", "a second profile on one day", _second_account_shares)


def _classes(store: MemorySafety, viewer: str) -> dict[str, str]:
    others = [one for one in ids() if one != viewer]
    store.block(others[20], viewer)
    store.hold(others[24])
    store.erase(others[28])
    return {"blocked": others[20], "held": others[24], "erased": others[28], "unknown": "u-nobody"}


def _equal_time(route: str) -> Verdict:
    """Medians of the time of each class of absence, asked in turn."""
    store = MemorySafety()
    with served(store) as (ranker, _):
        viewer = next(one for one in ids() if shown(ranker, one))
        classes = _classes(store, viewer)
        times: dict[str, list[float]] = {name: [] for name in classes}
        for at in range(400):
            for name, who in classes.items():
                if route == "rank" and name == "blocked":
                    continue
                began = perf_counter()
                if route == "look":
                    ranker.look(viewer, who, NOW)
                else:
                    ranker.rank(who, 10, NOW)
                if at >= 50:
                    times[name].append(perf_counter() - began)
    medians = {name: statistics.median(found) for name, found in times.items() if found}
    apart = max(medians.values()) / min(medians.values()) - 1
    state = "held" if apart <= AIM else "weak" if apart <= 0.25 else "broken"
    found = ", ".join(f"{name} {1000 * value:.2f} ms" for name, value in medians.items())
    return Verdict(state, found, ((f"{route}_apart", apart),))


def _equal_bytes() -> Verdict:
    store = MemorySafety()
    with served(store) as (ranker, _):
        viewer = next(one for one in ids() if shown(ranker, one))
        classes = _classes(store, viewer)
        looks = {ranker.look(viewer, who, NOW) for who in classes.values()}
        pages = {
            len(replace(ranker.rank(who, 10, NOW).receipt, viewer_id="x" * 8).to_json()): who
            for name, who in classes.items()
            if name != "blocked"
        }
    return Verdict.of(looks == {None} and len(pages) == 1, f"sizes of pages without anybody: {sorted(pages)}")


attack("privacy", "look: time by class of absence", partial(_equal_time, "look"))
attack("privacy", "rank: time by class of absence", partial(_equal_time, "rank"))
attack("privacy", "look and rank: bytes by class of absence", _equal_bytes)


def _page_content() -> Verdict:
    words = ("score", "distance", "km", "last", "count", "probability", "p_like")
    with served() as (ranker, _):
        viewer = next(one for one in ids() if shown(ranker, one))
        page = ranker.rank(viewer, 10, NOW)
        fields = {name for item in page.items for name in type(item).__slots__}
    found = [word for word in words if word in fields]
    return Verdict.of(not found, f"fields of an item: {', '.join(sorted(fields))}")


def _levers() -> Verdict:
    from recsys.catalogue.catalogue import load_catalogue

    named = [
        one
        for one in load_catalogue().questions
        if one in {"told_at_home", "notifications_hidden", "keeps_secret"}
    ]
    with served() as (ranker, _):
        shown_codes = {
            code for one in ids() for item in ranker.rank(one, 20, NOW).items for code in item.reasons
        }
    levers = [code for code in shown_codes if code.removeprefix("answer:") in named]
    if not named:
        return Verdict("weak", "the catalogue has none of the questions that are looked for")
    return Verdict.of(not levers, f"reasons with a lever on {len(ids())} pages: {levers or 'none'}")


def _errors_name_nobody() -> Verdict:
    told: list[str] = []
    with served() as (ranker, _):
        calls: list[Any] = [
            lambda: ranker.look(ids()[0], ids()[1] + " ", NOW),
            lambda: ranker.rank(ids()[0][:-1], 5, NOW),
            lambda: ranker.rank(ids()[3], 0, NOW),
            lambda: ranker.safety.hold(ids()[4] + " "),
            lambda: ranker.rank("new", 5, NOW, profile={"profiles": pd.DataFrame({"user_id": [ids()[5]]})}),
        ]
        for call in calls:
            try:
                call()
            except Exception as error:
                told += [one for one in ids() if one in str(error)]
    return Verdict.of(not told, f"ids in errors: {told or 'none'}")


attack("privacy", "fields of a page", _page_content)
attack("privacy", "reasons that hand a lever", _levers)
attack("privacy", "errors that name somebody", _errors_name_nobody)
