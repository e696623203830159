"""What the ledger says of a whole night at once is what it says of each account alone.

Planted and seen caught: stops of an account that is linked with another over its spelling not looked for;
people known to the ledger through a link alone left out; a token that stands for nobody taken for somebody.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.data.population import Population
from recsys.pipeline.night_accounts import NightAccounts
from recsys.ranking.publication_filter import ListFilter, stopped_people
from recsys.safety.fingerprints import ID, PERSON
from recsys.safety.keys import Keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import BAN, HOLD, STORE, TABLES, LedgerTag, Who

IDS = ("u1", "u2", "u3", "u4", "u-5", "U1", "u05")
TAGS = (LedgerTag(HOLD, STORE), LedgerTag(BAN, TABLES))
whos = st.builds(Who, st.sampled_from([*IDS, "u1", "U1"]), st.sampled_from([None, "t1", "t2", "t3"]))
tags = st.sampled_from(TAGS)
pairs = st.tuples(whos, whos)
Step = Callable[[SafetyLedger], None]


def _linked(pair: tuple[Who, Who]) -> Step:
    def link(ledger: SafetyLedger) -> None:
        own = ledger.begin().namings[-1]
        a, b = pair
        ledger.link([(own.of(ID, a.user_id), own.of(PERSON, b.token or "t1"))])

    return link


def _stopped(who: Who, tag: LedgerTag) -> Step:
    return lambda ledger: ledger.stop([who], tag, as_of="2026-01-01")


steps = st.one_of(
    st.builds(_stopped, whos, tags),
    st.builds(lambda who, tag: lambda ledger: ledger.lift(tag, people=[who]), whos, tags),
    st.builds(lambda pair, tag: lambda ledger: ledger.separate([pair], tag), pairs, tags),
    st.builds(_linked, pairs),
)
tokens = st.lists(st.sampled_from([None, "t1", "t2", "t3"]), min_size=4, max_size=4)


@settings(deadline=None)
@example([_stopped(Who("u1"), TAGS[0]), _stopped(Who("U1"), TAGS[1])], [None] * 4, False)
@given(st.lists(steps, max_size=8), tokens, st.booleans())
def test_everybody_at_once_is_everybody_one_by_one(
    done: list[Step], own: list[str | None], has_new_key: bool
) -> None:
    people = replace(
        Population.of_ids(IDS[:4], as_of="2026-01-05"), person_tokens=np.array(own, dtype=object)
    )
    everybody = [Who(one, token) for one, token in zip(IDS[:4], own, strict=True)]
    with TemporaryDirectory() as name:
        first, second = (
            b"an-old-key-that-is-long-enough-to-be-a-key",
            b"a-new-key-that-is-long-enough-to-be-one",
        )
        ledger = SafetyLedger(Path(name), Keys((first,)))
        for at, step in enumerate(done):
            if has_new_key and at == 4:
                ledger = SafetyLedger(Path(name), Keys((second, first)))
            step(ledger)
        state = ledger.now()
        named = {who.user_id: set(state.fingerprints(who)) for who in everybody}
        one_by_one = ListFilter.of_fingerprints(named, state)
        at_once = ListFilter.of_people(people, ledger)
        assert (at_once.stopped, at_once.separated) == (one_by_one.stopped, one_by_one.separated)
        assert stopped_people(people, ledger) == one_by_one.stopped
        accounts = NightAccounts(people)
        for tag in TAGS:
            since = [(who, state.stop_of_account(who.user_id, tag)) for who in everybody]
            expected = [(who, at) for who, at in since if at is not None]
            assert accounts.stopped(np.ones(4, bool), state, tag) == expected
