"""A newcomer's profile is no oracle: one profile a day, few people, no token that nobody proved."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.models.content import ContentModel
from recsys.ranking.newcomer_limits import NewcomerLimits, limit_keys, profile_digest
from recsys.ranking.ranker import Ranker
from recsys.safety.fingerprints import ID, PERSON
from recsys.safety.keys import Keys
from recsys.safety.ledger_state import LedgerState
from recsys.safety.person_index import ALONE, NO_INDEX, Accounts, NewcomerTokens
from recsys.safety.shown_log import MemoryShown
from recsys.safety.store import MemorySafety
from tests.ranking.published_world import NOW
from tests.ranking.test_cold_start import Case

DAY = NOW.date()
TOMORROW = timedelta(days=1)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(ContentModel, tmp_path_factory.mktemp("published"))


@pytest.fixture
def ranker(case: Case) -> Ranker:
    return opened(case.folder)


def opened(folder: Path, **limits: float) -> Ranker:
    given = NewcomerLimits(**{"share": 1.0} | limits)  # type: ignore[arg-type]
    return Ranker.open(folder, safety=MemorySafety(), poll_s=0, newcomers=given)


def page(ranker: Ranker, case: Case, k: int = 50, days: int = 0, **more: object) -> list[str]:
    arguments = {"profile": case.one} | more
    found = ranker.rank(case.viewer, k, NOW + pd.Timedelta(days=days), **arguments)  # type: ignore[arg-type]
    return [item.candidate_id for item in found.items]


def with_answers(case: Case) -> object:
    answers = case.one.long.answers
    return replace(case.one, long=replace(case.one.long, answers=answers[:0]))


def test_the_first_profile_of_a_day_binds_and_a_later_one_waits(case: Case, ranker: Ranker) -> None:
    first = page(ranker, case)
    other = with_answers(case)
    assert first
    assert page(ranker, case, profile=other) == []
    assert page(ranker, case) == first
    assert page(ranker, case, profile=other, days=1) == []  # the day is that of the clock
    assert page(ranker, case, profile=other, days=-1) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recsys.ranking.viewer_pages.ViewerPages._today", lambda _: date.today() + TOMORROW)
        assert page(ranker, case, profile=other)
        assert page(ranker, case) == []


def test_a_page_of_a_newcomer_is_short_whatever_is_asked_for(case: Case, ranker: Ranker) -> None:
    assert len(page(opened(case.folder, page=100), case, 1000)) > 20
    assert len(page(ranker, case, 1000)) == 20


def test_a_day_shows_a_newcomer_few_people_also_when_each_page_is_recorded(case: Case) -> None:
    ranker = opened(case.folder, page=5, day=12)
    seen: set[str] = set()
    for _ in range(6):
        found = ranker.rank(case.viewer, 5, NOW, profile=case.one)
        named = [item.candidate_id for item in found.items]
        seen.update(named)
        ranker.record(found.receipt, named, viewer_id=case.viewer, as_of=NOW)
    assert len(seen) == 12


def test_a_small_community_shows_a_newcomer_a_small_share_of_itself(case: Case) -> None:
    ranker = Ranker.open(case.folder, safety=MemorySafety(), poll_s=0)
    listed = len(ranker._reloader.now.snapshot.live.layout.order)
    seen: set[str] = set()
    for names in (None, case.people.ids.ids(np.arange(20)).tolist(), None):
        seen |= set(page(ranker, case, 1000, among=names))
    assert len(seen) <= 3 < 0.1 * listed


def test_who_is_asked_for_by_name_counts_as_shown(case: Case) -> None:
    """Whether one person suits a profile is as much of an answer as being on its page."""
    everybody = page(opened(case.folder, page=100, day=100), case)
    wanted, others = (
        everybody[:1],
        [one for one in case.people.ids.ids(np.arange(39)) if one not in everybody],
    )
    ranker = opened(case.folder, day=4)
    assert others
    for one in others[:4]:
        assert page(ranker, case, among=[one]) == []
    assert page(ranker, case, among=wanted) == []
    assert page(opened(case.folder, day=4), case, among=wanted) == wanted


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("ST")), min_size=1, max_size=8),
)
def test_a_person_has_one_day_whatever_account_and_token_they_come_with(
    came: list[tuple[str, str]],
) -> None:
    """Accounts that had a token in common are one person's: who comes under either finds the day used up."""
    log, limits, accounts = (
        MemoryShown(),
        NewcomerLimits(),
        Accounts(ALONE._ids, NO_INDEX, NewcomerTokens(), Keys()),
    )
    persons: list[set[str]] = []
    for number, (account, token) in enumerate(came):
        accounts.add(account, f"hmac1:{token}")
        linked = [one for one in persons if one & {account, token}]
        persons = [one for one in persons if one not in linked] + [{account, token}.union(*linked)]
        used = any(account in one and "used" in one for one in persons)
        admitted = limits.admit(
            log, limit_keys("n", accounts, account, LedgerState()), DAY, f"profile {number}"
        )
        assert admitted == (not used)
        next(one for one in persons if account in one).add("used")


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcdeST")), max_size=8),
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=8),
)
def test_a_person_has_one_day_by_every_token_of_earlier_nights(
    links: list[tuple[str, str]], came: list[str]
) -> None:
    """Seen to fail: two accounts that had a token in common once, and no more, had a day each."""
    log, limits, keys, state = MemoryShown(), NewcomerLimits(), Keys(), LedgerState()
    accounts = Accounts(ALONE._ids, NO_INDEX, NewcomerTokens(), keys)
    state.take({"kind": "begin", "ledger": "x", "key": keys.newest_id}, keys)
    name = state.namings[0]

    def print_of(one: str) -> int:
        return name.of(ID, one) if one.islower() else name.of(PERSON, one)

    persons = [{one} for one in "abcdeST"]
    for a, b in links:
        state.take({"kind": "link", "pairs": f"{print_of(a):016x}{print_of(b):016x}"}, keys)
        both = [one for one in persons if one & {a, b}]
        persons = [one for one in persons if one not in both] + [set().union(*both)]
    used: list[set[str]] = []
    for number, account in enumerate(came):
        person = next(one for one in persons if account in one)
        admitted = limits.admit(log, limit_keys("n", accounts, account, state), DAY, f"profile {number}")
        assert admitted == (person not in used)
        used.append(person)


def test_own_tokens_count_only_when_they_were_proved(case: Case) -> None:
    """Whose telephone number it is cannot be asked by claiming it."""
    target = page(opened(case.folder), case)[0]
    row = case.people.ids.rows([target])[0]
    claimed = "hmac1:" + "7" * 64
    theirs = pd.DataFrame(
        [[0, "phone", "self", claimed]], columns=[C.ROW, C.NAMESPACE, C.KIND, C.HMAC]
    ).astype({C.ROW: "int32"})
    assert row >= 0
    profile = replace(case.one, long=replace(case.one.long, tokens=theirs))
    known = Ranker.open(case.folder, safety=MemorySafety(), poll_s=0)
    met = []
    import recsys.ranking.cold_start as cold_start

    asked = cold_start.ColdStartVocabulary.rows_met_by_token
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            cold_start.ColdStartVocabulary,
            "rows_met_by_token",
            lambda self, policy, person: met.append(len(person.long.tokens)) or asked(self, policy, person),
        )
        page(known, case, profile=profile)
        page(known, case, profile=profile, proved_tokens=True)
    assert met == [0, 1]


@settings(deadline=None, max_examples=60)
@given(
    pages=st.lists(st.lists(st.integers(0, 30), unique=True, max_size=9), max_size=12), day=st.integers(0, 20)
)
def test_never_more_people_a_day_and_never_fewer_again(pages: list[list[int]], day: int) -> None:
    log, limits = MemoryShown(), NewcomerLimits(day=day)
    seen: set[str] = set()
    for wanted in pages:
        ids = [str(number) for number in wanted]
        kept = limits.within_day(log, ["p"], DAY, ids)
        assert kept == [one for one in ids if one in set(kept)]
        assert {one for one in ids if one in seen} <= set(kept)
        seen |= set(kept)
        assert len(seen) <= day
        if len(seen) < day:
            assert kept == ids


def test_a_profile_that_says_the_same_has_the_same_digest(case: Case) -> None:
    assert profile_digest(case.one) == profile_digest(case.everybody.take([7]))
    assert profile_digest(case.one) != profile_digest(with_answers(case))  # type: ignore[arg-type]
