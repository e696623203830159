"""What a wrong person token made one person is taken back account by account."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.safety.fingerprints import ID, PERSON
from recsys.safety.keys import Keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import BAN, TABLES, LedgerTag, Who
from recsys.safety.unlinking import unlink

KEYS = Keys((b"the key of the tests, of no service",))
PEOPLE = "abcdef"
BANNED = LedgerTag(BAN, TABLES)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=12),
    st.sets(st.sampled_from(PEOPLE), max_size=3),
    st.permutations(PEOPLE),
)
def test_accounts_that_wrong_tokens_linked_are_each_alone_again(
    tmp_path_factory: pytest.TempPathFactory, wrong: list[tuple[str, str]], banned: set[str], order: list[str]
) -> None:
    """Whoever is banned stays so, under their account and their own token; nobody else is any more.

    wrong: who had whose token in one published night, at which bans were read as well.
    """
    ledger = SafetyLedger(tmp_path_factory.mktemp("ledger"), KEYS)
    name = ledger.begin().namings[-1]
    token_of = {one: name.of(PERSON, f"token of {one}") for one in PEOPLE}
    for one, whose in wrong:
        had = f"token of {whose}"
        ledger.link([(token_of[one], name.of(ID, one)), (name.of(ID, one), name.of(PERSON, had))])
        if one in banned:
            ledger.stop([Who(one, had)], BANNED)
    ledger.stop([Who(one, f"token of {one}") for one in sorted(banned)], BANNED)
    for one in order:
        linked = len(ledger.now().linked([name.of(ID, one)]) - {name.of(ID, one), token_of[one]}) > 1
        try:
            assert unlink(ledger, one, [token_of[one]], owner="aki", reason="wrong-column") > 0
        except InputError:
            assert not linked
    for again in (ledger, SafetyLedger(ledger._file.path.parent, KEYS)):  # as it is read anew
        state = again.now()
        for one in PEOPLE:
            mine = state.linked(state.fingerprints(Who(one, f"token of {one}")))
            assert not mine & {name.of(ID, other) for other in PEOPLE if other != one}
            for known in (Who(one), Who("again", f"token of {one}")):
                assert state.is_stopped(state.fingerprints(known)) == (one in banned)


@pytest.mark.parametrize(("owner", "reason"), [("", "why"), ("aki", "a long story of a person")])
def test_who_decides_it_and_why_are_words(tmp_path: Path, owner: str, reason: str) -> None:
    ledger = SafetyLedger(tmp_path, KEYS)
    name = ledger.begin().namings[-1]
    ledger.link([(name.of(ID, "a"), name.of(PERSON, "x"))])
    with pytest.raises(InputError):
        unlink(ledger, "a", [], owner=owner, reason=reason)
    assert unlink(ledger, "a", [], owner="aki", reason="wrong-column") == 1
    with pytest.raises(InputError, match="no link"):
        unlink(ledger, "a", [], owner="aki", reason="wrong-column")
