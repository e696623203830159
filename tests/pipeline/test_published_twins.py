"""Two published ids that differ in spelling alone are one person's, whatever their tokens, while few do."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.account import Verified
from recsys.constraints.exclusions_and_tokens import persons
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.population import Population
from recsys.pipeline.night_safety import HoldStates, note_night
from recsys.pipeline.parted_accounts import note_hidden_before
from recsys.pipeline.token_changes import TokenChanges, note_changed_tokens
from recsys.safety.fingerprints import ID, PERSON
from recsys.safety.keys import Keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import HOLD, STORE, LedgerTag, Who
from recsys.safety.unlinking import unlink
from recsys.storage.load import load_population

pytestmark = pytest.mark.usefixtures("tables_checked_once")
TOWN = recsys.make_town(120, np.random.default_rng(7)).tables
AS_OF = load_population(TOWN).as_of
USERS = TOWN[T.PROFILES][C.USER].drop_duplicates().astype(str).tolist()
OTHER = USERS[5]
TWINS = {"capitals": ("taro-28", "Taro-28"), "zeros": ("28", "0028")}
TWINS |= {"hyphens": ("0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5bd9cb469fa16570867728950e")}


def _tables(twins: tuple[str, str], tokens: int, n_others: int = 0) -> dict[str, pd.DataFrame]:
    """Two members have twin ids; tokens: how many of the two have one. n_others: pairs of others who do."""
    renamed = dict(zip(USERS[:2], twins, strict=True))
    for at in range(n_others):
        renamed |= {USERS[10 + at]: f"mm-{at}x", USERS[60 + at]: f"MM-{at}x"}
    tables = {name: table.replace(renamed) for name, table in TOWN.items()}
    profiles = tables[T.PROFILES].astype({C.PERSON_TOKEN: object})
    for at, one in enumerate(twins):
        token = f"hmac1:{at + 1:064x}" if at < tokens else None
        profiles.loc[profiles[C.USER].eq(one), C.PERSON_TOKEN] = token
    return tables | {T.PROFILES: profiles}


def _night(ledger: SafetyLedger, tables: dict[str, pd.DataFrame], hours: int = 0) -> Population:
    people = load_population(tables, AS_OF + pd.Timedelta(hours=hours))
    note_changed_tokens(ledger, people, TokenChanges.of(ledger, people, None))
    note_night(ledger, people, HoldStates.of_source(tables, people.as_of))
    return people


def _who(people: Population, user: str) -> Who:
    return Who(user, people.person_tokens[people.ids.find([user])[0]])


def _restricted(ledger: SafetyLedger, people: Population, user: str, kind: str) -> bool:
    state = ledger.now()
    mine = state.fingerprints(_who(people, user))
    if kind == "hold":
        return state.is_stopped(mine)
    return not state.separated_from(state.fingerprints(_who(people, OTHER))).isdisjoint(state.linked(mine))


def _restrict(ledger: SafetyLedger, who: Who, kind: str) -> None:
    if kind == "hold":
        ledger.stop([who], LedgerTag(HOLD, STORE))
    else:
        ledger.separate([(Who(OTHER), who)], LedgerTag("block", STORE), directed=True)


@pytest.mark.parametrize("tokens", [0, 1, 2])
@pytest.mark.parametrize("twins", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("kind", ["hold", "block"])
@pytest.mark.parametrize("is_first", [True, False])
def test_what_restricts_one_published_twin_restricts_the_other(
    tmp_path: Path, kind: str, twins: tuple[str, str], tokens: int, *, is_first: bool
) -> None:
    """Seen to fail: without person tokens nothing joined the two; 14 of 54 were shown beside a held twin."""
    ledger = SafetyLedger(tmp_path, Keys())
    people = _night(ledger, _tables(twins, tokens))
    named, other = twins if is_first else twins[::-1]
    _restrict(ledger, _who(people, named), kind)
    for _ in range(2):
        assert _restricted(ledger, people, other, kind)
        people = _night(ledger, _tables(twins, tokens), 5)


@pytest.mark.parametrize("tokens", [0, 1, 2])
@pytest.mark.parametrize("twins", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("kind", ["hide", "pass", "block", "end"])
def test_whom_somebody_hides_under_one_id_is_hidden_under_the_other(
    kind: str, twins: tuple[str, str], tokens: int
) -> None:
    tables = _tables(twins, tokens)
    detail = "amicable" if kind == "end" else None
    row = {C.EVENT: "x", C.TS: AS_OF, C.ACTOR: OTHER, C.TARGET: twins[0], C.TYPE: kind, C.DETAIL: detail}
    events = pd.concat([tables[T.EVENTS], pd.DataFrame([row])], ignore_index=True)
    people = load_population(tables | {T.EVENTS: events}, AS_OF)
    rows = people.ids.find([*twins, OTHER])
    assert len({*persons(people)[rows[:2]].tolist()}) == 1
    shown = may_show_each(Policy.default(), people, np.array([rows[2]] * 2), rows[:2])
    assert not shown.any()


@pytest.mark.parametrize("tokens", [0, 1, 2])
@pytest.mark.parametrize("kind", ["hide", "pass"])
@pytest.mark.parametrize("is_first", [True, False])
def test_whom_somebody_hid_stays_hidden_when_many_have_a_twin(
    tmp_path: Path, kind: str, tokens: int, *, is_first: bool
) -> None:
    """Seen to fail: 23 newcomers under members' ids in capitals brought the other back to whoever hid one."""
    twins = TWINS["capitals"]
    named, other = twins if is_first else twins[::-1]
    row = {C.EVENT: "x", C.TS: AS_OF, C.ACTOR: OTHER, C.TARGET: named, C.TYPE: kind, C.DETAIL: None}
    few, many = (
        tables | {T.EVENTS: pd.concat([tables[T.EVENTS], pd.DataFrame([row])], ignore_index=True)}
        for tables in (_tables(twins, tokens), _tables(twins, tokens, n_others=20))
    )
    ledger = SafetyLedger(tmp_path, Keys())
    served, people = load_population(few, AS_OF), load_population(many, AS_OF + pd.Timedelta(hours=5))
    naming = ledger.begin().namings[-1]
    tokens_served = served.person_tokens[served.ids.find(twins)]
    before = {one: naming.of(PERSON, token) for one, token in zip(twins, tokens_served, strict=True)}
    tonight = people.person_tokens[people.ids.find(twins)]
    assert tonight[0] is None or tonight[0] != tonight[1]
    changed = {
        one: before[one] for one, old, new in zip(twins, tokens_served, tonight, strict=True) if old != new
    }
    note_hidden_before(ledger, people, changed)
    ledger.note_spellings(told_apart=True)
    for state in (ledger.now(), SafetyLedger(tmp_path, Keys()).now()):
        apart = state.separated_from(state.fingerprints(_who(people, OTHER)))
        assert not apart.isdisjoint(state.fingerprints(_who(people, other)))
        everybody = {one for user in USERS[40:60] for one in state.fingerprints(_who(people, user))}
        assert apart.isdisjoint(everybody)
    ledger.link([(naming.of(ID, other), before[other])])  # as `note_changed_tokens` does
    own = [naming.of(PERSON, token) for token in tonight[[twins.index(other)]] if token]
    unlink(ledger, other, own, owner="desk", reason="a-stranger")
    state = ledger.now()
    apart = state.separated_from(state.fingerprints(_who(people, OTHER)))
    assert apart.isdisjoint(state.fingerprints(_who(people, other)))


@pytest.mark.parametrize("tokens", [0, 1, 2])
def test_a_likeness_of_spelling_proves_nobody(tokens: int) -> None:
    """A tier that asks for a person token asks for one that was given."""
    twins = TWINS["capitals"]
    tables = _tables(twins, tokens)
    tables[T.PROFILES] = tables[T.PROFILES].assign(**{C.VERIFICATION: "id"})
    people = load_population(tables, AS_OF)
    rows = people.ids.find(twins)
    rule = Verified("id")
    assert rule.allows(people, rows, rows).tolist() == [tokens > 0] * 2
    (gate,) = rule.clauses(people)
    assert gate.listed[rows].tolist() == [tokens > 0] * 2


@pytest.mark.parametrize("kind", ["hold", "block"])
def test_where_many_have_a_twin_a_published_one_is_somebody_else(tmp_path: Path, kind: str) -> None:
    ledger, twins = SafetyLedger(tmp_path, Keys()), TWINS["capitals"]
    ledger.note_spellings(told_apart=True)
    tables = _tables(twins, 0, n_others=20)
    people = _night(ledger, tables)
    assert people.person_tokens[people.ids.find(twins)].tolist() == [None, None]
    _restrict(ledger, _who(people, twins[0]), kind)
    people = _night(ledger, tables, 5)
    assert _restricted(ledger, people, twins[0], kind)
    assert not _restricted(ledger, people, twins[1], kind)


@pytest.mark.parametrize("kind", ["hold", "block"])
def test_a_link_over_spelling_that_was_taken_back_is_not_made_again(tmp_path: Path, kind: str) -> None:
    """Planted: a ledger that forgets what was taken back links them the next night, or by a hold."""
    ledger, twins = SafetyLedger(tmp_path, Keys()), TWINS["capitals"]
    tables = _tables(("hana-1", twins[1]), 2)
    _restrict(ledger, Who(twins[0]), kind)
    people = _night(ledger, tables)
    assert _restricted(ledger, people, twins[1], kind)
    held = ledger.now().fingerprints(_who(people, twins[1]))
    assert unlink(ledger, twins[1], held, owner="desk", reason="a-stranger") == 1
    for hours in (5, 6):
        people = _night(ledger, tables, hours)
        ledger.stop([_who(people, twins[1])], LedgerTag(HOLD, "store:case-1"))
        ledger.lift(LedgerTag(HOLD, "store:case-1"), people=[_who(people, twins[1])])
        assert not _restricted(ledger, people, twins[1], kind)
        ledger = SafetyLedger(tmp_path, Keys())  # which reads its file anew


@pytest.mark.parametrize("kind", ["hide", "pass"])
@pytest.mark.parametrize("is_by_them", [False, True])
def test_a_hide_of_a_later_night_counts_for_accounts_that_an_earlier_one_linked(
    tmp_path: Path, kind: str, *, is_by_them: bool
) -> None:
    """Seen to fail: once the tokens of two accounts differed, a hide of one showed the other."""
    ledger, (one, other) = SafetyLedger(tmp_path, Keys()), USERS[:2]
    profiles = TOWN[T.PROFILES].astype({C.PERSON_TOKEN: object})
    shared = profiles.assign(
        **{
            C.PERSON_TOKEN: profiles[C.PERSON_TOKEN].mask(
                profiles[C.USER].isin([one, other]), f"hmac1:{7:064x}"
            )
        }
    )
    people = _night(ledger, TOWN | {T.PROFILES: shared})
    newest, token = ledger.begin().namings[-1], f"hmac1:{7:064x}"
    ledger.link([(newest.of(ID, user), newest.of(PERSON, token)) for user in (one, other)])
    pair = {C.ACTOR: other, C.TARGET: OTHER} if is_by_them else {C.ACTOR: OTHER, C.TARGET: other}
    row = {C.EVENT: "x", C.TS: AS_OF, **pair, C.TYPE: kind, C.DETAIL: None}
    events = pd.concat([TOWN[T.EVENTS], pd.DataFrame([row])], ignore_index=True)
    own = profiles.assign(**{C.PERSON_TOKEN: [f"hmac1:{9 + n:064x}" for n in range(len(profiles))]})
    people = load_population(TOWN | {T.EVENTS: events, T.PROFILES: own}, AS_OF)
    assert len({*persons(people)[people.ids.find([one, other])].tolist()}) == 2
    note_hidden_before(ledger, people, {})
    state = ledger.now()
    apart = state.separated_from(state.fingerprints(_who(people, OTHER)))
    assert not apart.isdisjoint(state.fingerprints(_who(people, one)))
    everybody = {print_ for user in USERS[40:60] for print_ in state.fingerprints(_who(people, user))}
    assert apart.isdisjoint(everybody)
