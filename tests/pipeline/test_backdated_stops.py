"""A ban that is written later than it is dated counts, whatever later rows of its account a night had read.

Every case is an account with rows of its own, of some dates, each there from some night on; a plain reading
of the law says of each who is stopped after each night. Seen to fail: bans and holds under a row that an
earlier night had read restricted nobody. Planted and seen caught: rows that a refused night read taken for
read, rows that are forgotten with a new key or counted in every night, an upgrade that bans by history, a
publication that is asked of its time alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.pipeline.backdated_stops import stop_rows
from recsys.pipeline.gates.proposal import Level
from recsys.pipeline.refused_night import ACCOUNT_STOPS
from recsys.pipeline.rollback import rollback
from recsys.report.gate_messages import gate_message
from recsys.report.localization import Texts
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import STOP_ROWS, LedgerState, Who
from recsys.storage.publication import read_publication
from tests.safety.restriction_doors import AS_OF, TOWN, USERS, Published, Tables, copy_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.usefixtures("tables_checked_once"),
]
PROFILES = TOWN[T.PROFILES].set_index(C.USER, drop=False)
TOKEN = PROFILES[C.PERSON_TOKEN].to_dict()
FIRST = (PROFILES[C.VALID_FROM].max() - AS_OF) / pd.Timedelta(hours=1)
"""The hour of everybody's first row, from the night before all others on."""
WORST = ("active", "paused", "hold", "banned")
KEYS = ("the-first-key-of-these-tests-of-no-service", "the-second-key-of-these-tests-of-no-service")


@dataclass(frozen=True)
class Row:
    """A row of an account: its hour, its state, and the first night that has it."""

    hour: float
    state: str
    night: int


@dataclass
class Account:
    """What the law says of one account, night by night."""

    rows: Sequence[Row]
    stops: dict[str, float] = field(default_factory=dict)
    read: set[Row] = field(default_factory=set)

    def present(self, night: int) -> list[Row]:
        return sorted((row for row in self.rows if row.night <= night), key=lambda row: row.hour)

    def state(self, night: int, hour: float) -> str:
        here = self.present(night)
        latest = [row for row in here if row.hour <= hour][-1]
        return max([latest.state, *(row.state for row in here if row.hour > hour)], key=WORST.index)

    def tell(
        self, night: int, hour: float, before: Sequence[float], *, refused: bool = False, anew: bool = False
    ) -> int:
        """Read a night, and return how many rows are late.

        before: the hours of the publications that are kept. anew: whether the ledger has a new key, under
        which a stop that holds is noted as of this night.
        """
        come = [row for row in self.present(night) if row.hour <= hour]
        state, now = self.state(night, hour), dict(self.stops)
        if state in ACCOUNT_STOPS:
            now[state] = hour if anew else now.get(state, hour)
        now = {stop: since for stop, since in now.items() if state == stop or come[-1].hour <= since}
        new = [row for row in come if row.state in ACCOUNT_STOPS and row not in self.read]
        late = [row for row in new if row.state != state and row.hour <= max(before)]
        for row in late:
            now.setdefault(row.state, hour)
        self.stops = {**self.stops, **now} if refused else now
        self.read.update(late if refused else new)
        return len(late)


def tables_of(accounts: dict[str, Account], night: int) -> Tables:
    rows = [
        {**PROFILES.loc[user].to_dict(), C.VALID_FROM: AS_OF + pd.Timedelta(hours=row.hour)}
        | {C.ACCOUNT_STATE: row.state}
        for user, one in accounts.items()
        for row in one.present(night)
    ]
    return TOWN | {T.PROFILES: pd.DataFrame(rows)}


def drawn(rng: np.random.Generator, hours: Sequence[float]) -> Account:
    """Return an account of the first night with a few rows, most of them of times before they are there."""
    rows = {FIRST: Row(FIRST, "active", 0)}
    for _ in range(rng.integers(1, 5)):
        night = int(rng.integers(1, len(hours)))
        hour = (
            float(rng.choice([FIRST - 9, -70, -30, -2, *(end - 1 for end in hours)]))
            - int(rng.integers(9)) / 10
        )
        state = str(
            rng.choice(["banned", "hold", "active", "active", "paused"], p=[0.35, 0.15, 0.2, 0.2, 0.1])
        )
        if hour <= hours[night]:
            rows.setdefault(hour, Row(hour, state, night))
    return Account([*rows.values()])


def stopped(state: LedgerState, user: str) -> set[str]:
    return {stop for stop, tag in ACCOUNT_STOPS.items() if state.stop_of_account(user, tag) is not None}


NIGHTS = {
    "the next": (24.0,),
    "two after": (24.0, 48.0),
    "four": (24.0, 48.0, 72.0, 96.0),
    "of a past time": (24.0, 12.0, 48.0),
}
BETWEEN = ("nothing", "refused", "rolled back", "new keys")


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("nights", NIGHTS)
def test_a_ban_under_a_later_row_is_over_only_where_no_night_should_have_read_it(
    town: Published, tmp_path: Path, nights: str, between: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = (0.0, *NIGHTS[nights])
    rng = np.random.default_rng([len(nights), len(between)])
    accounts = {user: drawn(rng, hours) for user in USERS}
    folder, kept, late = copy_of(town, tmp_path), [0.0], 0
    for night, hour in enumerate(hours[1:], start=1):
        if between == "new keys":
            monkeypatch.setenv("RECSYS_KEY", " ".join(KEYS[:night][::-1]))
        told = tables_of(accounts, night)
        if between == "refused":
            other = tables_of(accounts, night + 1)  # of another export, which may have more
            assert not town.night(folder, other, refused=True, hours=hour - 1).published
            late += sum(one.tell(night + 1, hour - 1, kept, refused=True) for one in accounts.values())
        found = town.night(folder, told, hours=hour)
        assert found.published
        anew = between == "new keys" and night <= len(KEYS)
        n_late = sum(one.tell(night, hour, kept, anew=anew) for one in accounts.values())
        clock = next(one for one in found.gates if one.gate == "clock")
        assert int(clock.numbers.get("late", 0)) == n_late
        assert not n_late or clock.level is Level.WARN
        for lang in ("ja", "en") if n_late else ():
            assert str(n_late) in gate_message(clock, Texts(lang))
        kept.append(hour)
        late += n_late
        state = SafetyLedger.of(folder).now()
        assert {user: stopped(state, user) for user in USERS} == {
            user: set(one.stops) for user, one in accounts.items()
        }
        free = {
            user for user, one in accounts.items() if not one.stops and one.state(night, hour) == "active"
        }
        assert set(read_publication(folder).lists[C.VIEWER]) == free
        for user, one in accounts.items():  # another account of the person
            is_out = state.is_stopped(state.fingerprints(Who("another", TOKEN[user])))
            assert is_out if one.stops else not (is_out and user in free)
        if between == "rolled back" and night < len(hours) - 1:
            rollback(folder)
    assert late > 3


def test_a_ledger_without_that_memory_bans_nobody_by_history(
    town: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Row(FIRST, "active", 0), Row(FIRST + 1, "banned", 1), Row(FIRST + 2, "active", 1)]
    known, newcomer = USERS[0], "u-of-history"
    folder = copy_of(town, tmp_path)
    told = tables_of({user: Account(rows[:1]) for user in USERS} | {known: Account(rows)}, 1)
    with monkeypatch.context() as patch:  # as an earlier version published
        patch.setattr(LedgerState, "take", _without_memory(LedgerState.take))
        assert town.night(folder, told, hours=1).published
        assert town.night(folder, told, hours=2).published
        assert not stopped(SafetyLedger.of(folder).now(), known)
    later = Account([*rows, Row(FIRST + 3, "hold", 3), Row(FIRST + 4, "active", 3)])
    come = pd.DataFrame(
        [
            {**PROFILES.loc[known].to_dict(), C.USER: newcomer, C.PERSON_TOKEN: None}
            | {C.VALID_FROM: AS_OF + pd.Timedelta(hours=row.hour), C.ACCOUNT_STATE: row.state}
            for row in rows
        ]
    )
    told |= {T.PROFILES: pd.concat([told[T.PROFILES], come], ignore_index=True)}
    assert town.night(folder, told, hours=3).published
    assert not stopped(SafetyLedger.of(folder).now(), newcomer), "history that came whole"
    more = tables_of({known: later}, 3)[T.PROFILES]
    others = told[T.PROFILES][told[T.PROFILES][C.USER].ne(known)]
    told |= {T.PROFILES: pd.concat([more, others], ignore_index=True)}
    assert town.night(folder, told, hours=4).published
    state = SafetyLedger.of(folder).now()
    assert (stopped(state, known), stopped(state, newcomer)) == ({"hold"}, set())


def _without_memory(take: Callable[..., None]) -> Callable[..., None]:
    def taken(self: LedgerState, record: dict[str, str], keys: object) -> None:
        if record["kind"] != STOP_ROWS:
            take(self, record, keys)

    return taken


def test_dated_rows_of_stops_are_read_whatever_else_they_say() -> None:
    times = [AS_OF, AS_OF, pd.NaT, AS_OF + pd.Timedelta(hours=1), AS_OF]
    states = ["banned", "hold", "banned", "banned", "active"]
    rows = PROFILES.iloc[:5].assign(**{C.VALID_FROM: times, C.ACCOUNT_STATE: states, C.TZ: "Mars"})
    for given in (rows, rows.astype({C.ACCOUNT_STATE: "category"}), rows.drop(columns=C.TZ)):
        found = stop_rows(lambda given=given: given, AS_OF)
        assert found[[C.USER, C.ACCOUNT_STATE]].to_numpy().tolist() == [
            [*USERS[:1], "banned"],
            [USERS[1], "hold"],
        ]
    assert stop_rows(lambda: rows.drop(columns=C.VALID_FROM), AS_OF).empty
