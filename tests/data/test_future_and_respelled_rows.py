"""What restricts counts at once: rows dated after the night, rows beside a fault, ids in another spelling.

Planted and seen caught: a future profile that replaces the present one instead of tightening it, a set joined
instead of intersected, a repeated event id that drops a block, and a match of spellings that takes the first
of two people.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.future_rows import _STRICTEST
from recsys.data.population import Population
from recsys.data.safety_rows import Spellings
from recsys.storage.load import load_population, load_tables
from recsys.types import BoolArray

Tables = dict[str, pd.DataFrame]
POLICY = Policy.default()
SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "blanks": lambda one: f"  {one}\t",
    "padded": lambda one: one.ljust(20),
    "capitals": str.upper,
    "full width": lambda one: "".join(chr(ord(c) + 0xFEE0) for c in one),
    "zero width": lambda one: f"{one[:1]}\u200b{one[1:]}\ufeff",
    "null": lambda one: f"{one}\0",
    "byte order": lambda one: f"\ufeff{one}",
    "accent": lambda one: f"{one}\u0301",
    "comment": lambda one: f"#{one}",
    "mark": lambda one: f"{one};",
    "fraction": lambda one: f"{one}.0",
}


@pytest.fixture(scope="module")
def town() -> tuple[Tables, pd.Timestamp]:
    made = recsys.make_town(60, np.random.default_rng(7))
    as_of = load_tables(made.tables).as_of
    assert as_of is not None
    return dict(made.tables), as_of


def shown(people: Population, everybody: Population | None = None) -> BoolArray:
    """Say who may be shown to whom, `(n, n)` over the people of `everybody`; nobody who is not there."""
    ids = (everybody or people).ids
    rows = people.ids.find(ids.values)
    viewer, candidate = (a.ravel() for a in np.indices((len(ids), len(ids))))
    there = (rows[viewer] >= 0) & (rows[candidate] >= 0) & (viewer != candidate)
    may = np.zeros(len(there), bool)
    may[there] = may_show_each(POLICY, people, rows[viewer[there]], rows[candidate[there]])
    return may.reshape(len(ids), -1)


@pytest.mark.parametrize("table", ["profiles", "boundaries"])
@pytest.mark.parametrize("seed", range(3))
def test_a_later_row_opens_nothing_and_closes_what_it_would_close(
    town: tuple[Tables, pd.Timestamp], table: str, seed: int
) -> None:
    tables, as_of = town
    rng, rows = np.random.default_rng(seed), tables[table]
    users = rng.choice(rows.user_id.unique(), 12, replace=False)
    later = rows[rows.user_id.isin(users)].drop_duplicates("user_id", keep="last").copy()
    changed = [name for name in _STRICTEST if name in later]
    for name in rng.choice(changed, max(1, len(changed) // 3), replace=False):
        later[name] = rng.permutation(rows[name].to_numpy(object))[: len(later)]
    later["valid_from"] = as_of + pd.Timedelta(days=1)
    with_later = tables | {table: pd.concat([rows, later], ignore_index=True)}
    people = load_population(tables, as_of)
    before = shown(people)
    tonight = shown(load_population(with_later, as_of), people)
    tomorrow = shown(load_population(with_later, as_of + pd.Timedelta(days=2)), people)
    assert not (tonight & ~before).any()
    assert not (tonight & ~tomorrow).any()
    assert not (
        shown(load_population(with_later, as_of, past=True), people) ^ before
    ).any()  # a past is as it was


def _event(as_of: pd.Timestamp, **given: object) -> pd.DataFrame:
    return pd.DataFrame([{"event_id": "x1", "ts": as_of, "detail": None, **given}])


def _joined(tables: Tables, name: str, *rows: pd.DataFrame) -> Tables:
    return tables | {name: pd.concat([tables[name], *rows], ignore_index=True)}


@pytest.fixture
def pair(town: tuple[Tables, pd.Timestamp]) -> tuple[str, str]:
    people = load_population(*town)
    a, b = (int(one) for one in np.argwhere(shown(people))[0])
    return str(people.ids.ids([a])[0]), str(people.ids.ids([b])[0])


def _are_apart(tables: Tables, as_of: pd.Timestamp, pair: tuple[str, str]) -> bool:
    people = load_population(tables, as_of)
    a, b = people.ids.find(list(pair))
    may = may_show_each(POLICY, people, np.array([a, b], np.int32), np.array([b, a], np.int32))
    return not may.any()


@pytest.mark.parametrize("kind", ["block", "report", "hide"])
def test_a_repeated_event_id_drops_no_separation(
    town: tuple[Tables, pd.Timestamp], pair: tuple[str, str], kind: str
) -> None:
    tables, as_of = town
    a, b = pair
    other = next(one for one in tables["profiles"].user_id.unique() if one not in pair)
    like = _event(as_of, actor=other, target=b, type="impression")
    detail = "money" if kind == "report" else None
    block = _event(as_of, actor=a, target=b, type=kind, detail=detail)
    assert not _are_apart(_joined(tables, "events", like), as_of, pair)
    assert _are_apart(_joined(tables, "events", like, block), as_of, pair)


@pytest.mark.parametrize("kind", ["block", "hide", "end", "money_request"])
def test_a_separation_of_a_later_time_counts_at_once(
    town: tuple[Tables, pd.Timestamp], pair: tuple[str, str], kind: str
) -> None:
    tables, as_of = town
    late = _event(as_of + pd.Timedelta(days=300), actor=pair[0], target=pair[1], type=kind)
    assert _are_apart(_joined(tables, "events", late), as_of, pair)


@pytest.mark.parametrize(
    "kind",
    [
        *("blocked", "Block_User", "ブロック", "reported", "reprot", "harassment", "通報", "mute", "ban"),
        *("no_contact", "利用停止", "", None, "7", 7, b"block", ["block"]),
    ],
    ids=repr,
)
def test_an_unknown_word_that_may_mean_a_separation_separates(
    town: tuple[Tables, pd.Timestamp], pair: tuple[str, str], kind: object
) -> None:
    tables, as_of = town
    event = _event(as_of, actor=pair[0], target=pair[1], type=kind)
    assert _are_apart(_joined(tables, "events", event), as_of, pair)
    seen = _event(as_of, actor=pair[0], target=pair[1], type="urban_view")
    assert not _are_apart(_joined(tables, "events", seen), as_of, pair)


@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_a_safety_row_in_another_spelling_means_the_one_person_it_can_mean(
    town: tuple[Tables, pd.Timestamp], pair: tuple[str, str], name: str
) -> None:
    tables, as_of = town
    a, b = pair[0], SPELLINGS[name](pair[1])
    blocks = pd.DataFrame({"actor": [a], "target": [b], "ts": [as_of]})
    holds = pd.DataFrame({"user_id": [b], "ts": [as_of], "state": ["active"]})
    event = _event(as_of, actor=b, target=a, type="block")
    for table, rows in (("blocks", blocks), ("holds", holds), ("events", event)):
        assert _are_apart(_joined(tables, table, rows), as_of, pair), table
    nobody = pd.DataFrame({"actor": [a], "target": ["nobody-at-all"], "ts": [as_of]})
    assert load_tables(_joined(tables, "blocks", blocks, nobody), as_of).nobody["blocks"].rows == 1


@pytest.mark.parametrize(
    "wrap", [str.encode, lambda one: [one], lambda one: (one.encode(),), lambda one: f"{one}\ud800"]
)
def test_an_id_that_is_no_text_means_the_one_person_it_can_mean(
    town: tuple[Tables, pd.Timestamp], pair: tuple[str, str], wrap: Callable[[str], object]
) -> None:
    tables, as_of = town
    a, b = pair[0], wrap(pair[1])
    blocks = pd.DataFrame({"actor": [a], "target": pd.Series([b], dtype=object), "ts": [as_of]})
    holds = pd.DataFrame({"user_id": pd.Series([b], dtype=object), "ts": [as_of], "state": ["active"]})
    event = pd.DataFrame(
        [{"event_id": "x1", "ts": as_of, "actor": b, "target": a, "type": "block"}], dtype=object
    )
    for table, rows in (("blocks", blocks), ("holds", holds), ("events", event)):
        assert _are_apart(_joined(tables, table, rows), as_of, pair), table


@pytest.mark.parametrize("given", ["someone;", b"someone;", ["u1", "u2"], "u0000999\u0301"])
@pytest.mark.parametrize("table", ["blocks", "holds", "events"])
def test_a_safety_row_that_names_nobody_by_odd_characters_is_told(
    town: tuple[Tables, pd.Timestamp], table: str, given: object
) -> None:
    tables, as_of = town
    other = str(tables["profiles"].user_id.iloc[0])
    rows = {
        "blocks": pd.DataFrame([{"actor": other, "target": given, "ts": as_of}]),
        "holds": pd.DataFrame([{"user_id": given, "ts": as_of, "state": "active"}]),
        "events": _event(as_of, actor=other, target=given, type="report", detail="money"),
    }
    with pytest.warns(UserWarning, match=f"1 in {table}"):
        load_population(_joined(tables, table, rows[table]), as_of)
    found = load_tables(_joined(tables, table, rows[table]), as_of)
    assert found.nobody[table] == (1, 1)


def test_an_id_that_may_mean_two_people_means_neither() -> None:
    spellings = Spellings(["ab", "AB", "cd", "1", "0002", "2"])
    given = ("ab", "Ab", "Cd ", "", None, "0001", "1.00", "2.0", "02")
    found = [spellings.whom(one) for one in given]
    assert found == ["ab", None, "cd", None, None, "1", "1", "2", None]


def test_an_undated_ban_is_no_older_word_than_a_dated_row(town: tuple[Tables, pd.Timestamp]) -> None:
    tables, as_of = town
    rows = tables["profiles"]
    ban = rows.drop_duplicates("user_id", keep="last").head(1).assign(valid_from=None, account_state="banned")
    people = load_population(_joined(tables, "profiles", ban), as_of)
    assert people.is_word("account_state", "banned")[people.ids.find(ban.user_id)[0]]


def test_two_holds_and_one_lift_is_a_hold(town: tuple[Tables, pd.Timestamp]) -> None:
    tables, as_of = town
    user = tables["profiles"].user_id.iloc[0]
    rows = [(user, 1, "active", "a"), (user, 1, "active", "b"), (user, 2, "lifted", "a")]
    holds = pd.DataFrame(rows, columns=["user_id", "ts", "state", "owner"])
    holds["ts"] = as_of - pd.Timedelta(days=5) + pd.to_timedelta(holds.ts, unit="D")
    for name, lifted in (("a", False), ("b", True)):
        end = pd.DataFrame({"user_id": [user], "ts": [as_of], "state": ["lifted"], "owner": [name]})
        people = load_population(tables | {"holds": pd.concat([holds, end], ignore_index=True)}, as_of)
        assert people.held[people.ids.find([user])[0]] == (not lifted)


@pytest.mark.parametrize("state", ["banned", "hold", "paused"])
def test_an_undated_stop_is_no_older_word_than_a_dated_row(
    town: tuple[Tables, pd.Timestamp], state: str
) -> None:
    tables, as_of = town
    rows = tables["profiles"]
    last = rows.drop_duplicates("user_id", keep="last").head(1)
    stop = last.assign(valid_from=None, account_state=state)
    people = load_population(_joined(tables, "profiles", stop), as_of)
    assert people.is_word("account_state", state)[people.ids.find(stop.user_id)[0]]


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_stopped_profile_in_another_spelling_holds_the_person_it_can_mean(
    town: tuple[Tables, pd.Timestamp], name: str
) -> None:
    tables, as_of = town
    user = str(tables["profiles"].user_id.iloc[0])
    row = tables["profiles"].drop_duplicates("user_id", keep="last").head(1)
    row = row.assign(user_id=SPELLINGS[name](user), account_state="banned", valid_from=as_of)
    people = load_population(_joined(tables, "profiles", row), as_of)
    assert people.held[people.ids.find([user])[0]]
    assert people.held.sum() <= load_population(tables, as_of).held.sum() + 1


@pytest.mark.parametrize("detail", ["none", "NONE ", "revoked", None, "age"])
def test_a_proof_that_ends_in_the_future_holds_at_once(
    town: tuple[Tables, pd.Timestamp], detail: str | None
) -> None:
    tables, as_of = town
    user = str(tables["profiles"].user_id.iloc[0])
    later = as_of + pd.Timedelta(days=9)
    event = {"event_id": "later", "ts": later, "actor": user, "type": "verified", "detail": detail}
    people = load_population(_joined(tables, "events", pd.DataFrame([event])), as_of)
    assert people.held[people.ids.find([user])[0]] == (detail != "age")


@pytest.mark.parametrize("name", ["", "capitals", "zero width"])
def test_a_proof_taken_back_in_another_spelling_counts_until_a_later_proof(
    town: tuple[Tables, pd.Timestamp], name: str
) -> None:
    tables, as_of = town
    user = str(tables["profiles"].user_id.iloc[0])
    day, spelled = pd.Timedelta(days=1), SPELLINGS[name](user) if name else user
    event = {"event_id": "n", "ts": as_of - day, "actor": spelled, "type": "verified", "detail": "none"}
    proof = {"event_id": "p", "ts": as_of, "actor": user, "type": "verified", "detail": "age"}

    def out(*events: dict[str, object]) -> bool:
        people = load_population(_joined(tables, "events", pd.DataFrame(list(events))), as_of)
        return bool(people.held[people.ids.find([user])[0]])

    assert out(event) == bool(name)  # under the right id it is a fact of the events, and no hold
    assert not out(event, proof)


@pytest.mark.parametrize("word", ["erased", "Delete "])
def test_a_word_that_means_an_erasure_erases(town: tuple[Tables, pd.Timestamp], word: str) -> None:
    tables, as_of = town
    user = str(tables["profiles"].user_id.iloc[0])
    event = {"event_id": "gone", "ts": as_of, "actor": user, "type": word}
    people = load_population(_joined(tables, "events", pd.DataFrame([event])), as_of)
    assert people.ids.find([user])[0] < 0


def test_a_token_that_changes_names_the_same_person(town: tuple[Tables, pd.Timestamp]) -> None:
    tables, as_of = town
    last = tables["profiles"].drop_duplicates("user_id", keep="last")
    one, other = last.iloc[[0]], last.iloc[[1]]
    shared, own = f"hmac1:{7:064x}", f"hmac1:{8:064x}"
    rows = pd.concat(
        [
            one.assign(person_token=shared, valid_from=as_of - pd.Timedelta(days=9)),
            other.assign(person_token=shared, valid_from=as_of - pd.Timedelta(days=8)),
            other.assign(person_token=own, valid_from=as_of - pd.Timedelta(days=1)),
        ]
    )
    people = load_population(_joined(tables, "profiles", rows), as_of)
    first, second = people.person_tokens[people.ids.find([one.user_id.iloc[0], other.user_id.iloc[0]])]
    assert first == second is not None


@pytest.mark.parametrize("detail", ["None", "NONE ", "revoked", None, "none", "age"])
@pytest.mark.parametrize("dated", [True, False])
def test_a_word_on_a_proof_that_is_none_takes_it_back_until_a_later_proof(
    town: tuple[Tables, pd.Timestamp], detail: str | None, dated: bool
) -> None:
    tables, as_of = town
    people = load_population(tables, as_of)
    row = int(np.flatnonzero(shown(people).any(axis=1))[0])
    user = str(people.ids.ids([row])[0])

    def event(name: str, at: pd.Timestamp | None, word: str | None) -> pd.DataFrame:
        given = {"event_id": name, "ts": at, "actor": user, "type": "verified", "detail": word}
        return pd.DataFrame([given]).astype({"ts": "datetime64[us, UTC]"})

    def out(*events: pd.DataFrame) -> bool:
        people = load_population(_joined(tables, "events", *events), as_of)
        return not shown(people)[people.ids.find([user])[0]].any()

    day = pd.Timedelta(days=1)
    word = event("word", as_of - day if dated else None, detail)
    assert out(word) == (detail != "age")
    assert out(word, event("proof", as_of, "age")) == (detail != "age" and not dated)
    assert out(word, event("proof", as_of - 2 * day, "age")) == (detail != "age")


@pytest.mark.parametrize("table", ["profiles", "boundaries"])
@pytest.mark.parametrize("name", ["undated", *SPELLINGS])
def test_a_tighter_row_undated_or_in_another_spelling_counts(
    town: tuple[Tables, pd.Timestamp], table: str, name: str
) -> None:
    tables, as_of = town
    people, rows = load_population(tables, as_of), tables[table]
    before = shown(people)
    user = str(people.ids.ids([int(np.flatnonzero(before.any(axis=1))[0])])[0])
    row = rows[rows.user_id.eq(user)].drop_duplicates("user_id", keep="last")
    dated = rows.assign(valid_from=rows.valid_from.fillna(as_of - pd.Timedelta(days=90)))
    closing = {"profiles": "languages", "boundaries": "channels"}[table]
    tighter = row.assign(
        user_id=user if name == "undated" else SPELLINGS[name](user),
        valid_from=pd.NaT if name == "undated" else as_of,
        **{closing: ""},
    )
    given = tables | {table: pd.concat([dated, tighter], ignore_index=True).astype(rows.dtypes.to_dict())}
    tonight = load_population(given, as_of)
    at, after = int(people.ids.find([user])[0]), shown(tonight, people)
    assert before[at].any()
    assert not (after[at] | after[:, at]).any()
    others = np.delete(np.arange(len(people)), at)
    assert (after[np.ix_(others, others)] == before[np.ix_(others, others)]).all()


def test_capitals_of_two_persons_say_nothing_of_each_other(town: tuple[Tables, pd.Timestamp]) -> None:
    tables, as_of = town
    last = tables["profiles"].drop_duplicates("user_id", keep="last").head(1)
    user, tokens = str(last.user_id.iloc[0]), [f"hmac1:{one:064x}" for one in (7, 8)]
    own = last.assign(person_token=tokens[0], valid_from=as_of)
    for token, km in ((tokens[1], 50), (tokens[0], 3), (None, 3)):
        twin = own.assign(user_id=user.upper(), person_token=token, max_distance_km=3)
        both = _joined(tables, "profiles", own.assign(max_distance_km=50), twin)
        people = load_population(both, as_of)
        assert people.counted["max_distance_km"][people.ids.find([user])[0]] == km
