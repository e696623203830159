"""Who may be shown at all: bans, holds, blocks and boundaries under other accounts, spellings and dates."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pandas as pd

from recsys.storage.load import load_population, load_tables
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.world import joined, last_row, meets, pair, town

SPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "blanks": lambda one: f" {one} ",
    "padded to CHAR(24)": lambda one: one.ljust(24),
    "capitals": str.upper,
    "full width": lambda one: "".join(chr(ord(letter) + 0xFEE0) for letter in one),
    "zero width": lambda one: f"{one[0]}\u200b{one[1:]}",
    "a byte order mark": lambda one: f"\ufeff{one}",
    "a null": lambda one: f"{one}\0",
    "a line break": lambda one: f"{one}\n",
}


def _apart(tables: dict[str, pd.DataFrame], what: str) -> Verdict:
    found = meets(tables)
    return Verdict.of(not found, f"{what}: the two {'still meet' if found else 'do not meet'}")


def _rows(door: str, spell: Callable[[str], str]) -> dict[str, pd.DataFrame]:
    a, b, as_of = *pair(), town()[1]
    named = spell(b)
    if door == "holds":
        return joined("holds", {"user_id": named, "ts": as_of, "state": "active"})
    if door == "events":
        event = {"event_id": "x-1", "ts": as_of, "actor": named, "target": a, "type": "block"}
        return joined("events", event)
    extra = {"category": "money"} if door == "reports" else {}
    return joined(door, {"actor": a, "target": named, "ts": as_of} | extra)


def _spelled(door: str, name: str) -> Verdict:
    return _apart(_rows(door, SPELLINGS[name]), f"{door}, id with {name}")


for _door in ("blocks", "reports", "holds", "events"):
    for _name in SPELLINGS:
        attack("eligibility", f"{_door}: an id with {_name}", partial(_spelled, _door, _name))

LATER: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "ban": ("profiles", {"account_state": "banned"}),
    "pause": ("profiles", {"account_state": "paused"}),
    "withdrawn proof": ("profiles", {"verification": "none"}),
    "no languages": ("profiles", {"languages": None}),
    "accepts nobody's household": ("profiles", {"accepts_household_status": []}),
    "channels withdrawn": ("boundaries", {"channels": []}),
    "hours withdrawn": ("boundaries", {"contact_windows": []}),
}


def _later(name: str, days: float) -> Verdict:
    table, changes = LATER[name]
    moment = town()[1] + pd.Timedelta(days=days)
    row = last_row(table, pair()[1], valid_from=moment, **changes)
    return _apart(joined(table, row), f"{name} dated {days:g} days ahead")


for _what in LATER:
    for _days in (0.04, 365.0):
        attack("eligibility", f"{_what} {_days:g} days ahead", partial(_later, _what, _days))


def _later_event(kind: str, **more: Any) -> Verdict:
    event = {
        "event_id": "x-1",
        "ts": town()[1] + pd.Timedelta(days=300),
        "actor": pair()[1],
        "target": pair()[0],
    }
    return _apart(joined("events", event | {"type": kind} | more), f"{kind} in the future")


for _kind, _more in (
    ("block", {}),
    ("hide", {}),
    ("report", {"detail": "money"}),
    ("end", {"detail": "unsafe"}),
):
    attack("eligibility", f"a {_kind} in the future", partial(_later_event, _kind, **_more))


def _later_proof(detail: str | None) -> Verdict:
    moment = town()[1] + pd.Timedelta(days=9)
    event = {"event_id": "x-1", "ts": moment, "actor": pair()[1], "type": "verified", "detail": detail}
    return _apart(joined("events", event), f"a proof that ends in the future, detail {detail}")


for _detail in ("none", "NONE ", "revoked", None):
    attack("eligibility", f"a proof that ends in the future, {_detail}", partial(_later_proof, _detail))


def _profile_spelled(spelling: str) -> Verdict:
    row = last_row("profiles", pair()[1], account_state="banned", valid_from=town()[1])
    return _apart(joined("profiles", row | {"user_id": SPELLINGS[spelling](row["user_id"])}), spelling)


for _name in ("blanks", "capitals", "full width", "a null"):
    attack("eligibility", f"a ban in a profile, an id with {_name}", partial(_profile_spelled, _name))


def _undated(state: str) -> Verdict:
    row = last_row("profiles", pair()[1], account_state=state, valid_from=pd.NaT)
    return _apart(joined("profiles", row), f"{state} without a date")


for _state in ("banned", "hold", "paused"):
    attack("eligibility", f"{_state} without a date", partial(_undated, _state))


def _changed_token() -> Verdict:
    """A banned person's account, and one of theirs that gives another token a week later."""
    old = last_row("profiles", pair()[1])
    token = f"hmac1:{7:064x}"
    banned = last_row("profiles", pair()[1], user_id="u-old", account_state="banned", person_token=token)
    before = old | {"person_token": token, "valid_from": town()[1] - pd.Timedelta(days=8)}
    after = old | {"person_token": f"hmac1:{8:064x}", "valid_from": town()[1]}
    return _apart(joined("profiles", banned, before, after), "an account that changes its token")


def _unblocked(by_actor: bool) -> Verdict:
    """Whoever blocked takes it back; the other cannot."""
    (a, b), as_of = pair(), town()[1]
    actor, target = (a, b) if by_actor else (b, a)
    rows = [
        {
            "event_id": f"x-{kind}",
            "ts": as_of - pd.Timedelta(days=days),
            "actor": x,
            "target": y,
            "type": kind,
        }
        for kind, days, x, y in (("block", 5, a, b), ("unblock", 3, actor, target))
    ]
    found = meets(joined("events", *rows))
    return Verdict.of(found == by_actor, f"unblocked by {'their own' if by_actor else 'the other'}: {found}")


attack("eligibility", "an account that changes its token", _changed_token)
attack("eligibility", "an unblock by whoever was blocked", partial(_unblocked, False))
attack("eligibility", "an unblock by whoever blocked", partial(_unblocked, True))


def _later_hold() -> Verdict:
    return _apart(
        joined("holds", {"user_id": pair()[0], "ts": town()[1] + pd.Timedelta(days=9), "state": "active"}),
        "a hold in the future",
    )


def _repeated(kind: str) -> Verdict:
    a, b = pair()
    known = town()[0]["events"].event_id.iloc[0]
    event = {"event_id": known, "ts": town()[1], "actor": a, "target": b, "type": kind}
    return _apart(joined("events", event), f"a {kind} under an event id that was used")


def _unknown(kind: str) -> Verdict:
    event = {"event_id": "x-1", "ts": town()[1], "actor": pair()[0], "target": pair()[1], "type": kind}
    return _apart(joined("events", event), f"event of the unknown type {kind!r}")


attack("eligibility", "a hold in the future", _later_hold)
for _kind in ("block", "hide"):
    attack("eligibility", f"a {_kind} under a used event id", partial(_repeated, _kind))
for _kind in ("blocked", "BLOCK_USER", "ブロック", "reprot", "通報", "harassment", "mute"):
    attack("eligibility", f"unknown type {_kind}", partial(_unknown, _kind))


def _unknown_state() -> Verdict:
    row = {"user_id": pair()[0], "ts": town()[1], "state": "frozen"}
    return _apart(joined("holds", row), "a hold of an unknown state")


def _two_holds() -> Verdict:
    rows = [
        {"user_id": pair()[0], "ts": town()[1] - pd.Timedelta(days=at), "state": state, "owner": owner}
        for at, state, owner in ((3, "active", "a"), (3, "active", "b"), (1, "lifted", "a"))
    ]
    return _apart(joined("holds", *rows), "two holds and one lift")


def _undated_ban() -> Verdict:
    row = last_row("profiles", pair()[0], valid_from=None, account_state="banned")
    return _apart(joined("profiles", row), "an undated ban beside a dated row")


def _second_account() -> Verdict:
    a, b = pair()
    token = last_row("profiles", a)["person_token"]
    new = last_row("profiles", a, user_id="new-account-of-a", person_token=token)
    bounds = last_row("boundaries", a, user_id="new-account-of-a")
    tables = joined("profiles", new) | {"boundaries": joined("boundaries", bounds)["boundaries"]}
    block = pd.DataFrame([{"actor": b, "target": a, "ts": town()[1]}])
    tables["blocks"] = pd.concat([tables["blocks"], block], ignore_index=True)
    found = meets(tables, "new-account-of-a", b)
    return Verdict.of(not found, "a blocked person under a second account with the same token")


def _nobody_counted() -> Verdict:
    rows = [{"actor": f"nobody-{at}", "target": f"no-one-{at}", "ts": town()[1]} for at in range(9)]
    counted = load_tables(joined("blocks", *rows), town()[1]).nobody["blocks"].rows
    return Verdict.of(counted == 9, f"{counted} of 9 blocks that name nobody are counted")


def _without_terms() -> Verdict:
    tables = town()[0]
    events = tables["events"]
    left = events[~(events.type.eq("terms_accepted") & events.actor.eq(pair()[1]))]
    found = meets(tables | {"events": left.reset_index(drop=True)})
    return Verdict.of(not found, "somebody without the event terms_accepted")


def _past_is_past() -> Verdict:
    row = last_row("profiles", pair()[1], valid_from=town()[1] + pd.Timedelta(days=9), account_state="banned")
    people = load_population(joined("profiles", row), town()[1], past=True)
    active = people.is_word("account_state", "active")[people.ids.find([pair()[1]])[0]]
    return Verdict.of(active, "a later ban is not read into the past when the past is asked for")


for _name, _run in (
    ("a hold of an unknown state", _unknown_state),
    ("two holds, one lift", _two_holds),
    ("an undated ban", _undated_ban),
    ("a second account", _second_account),
    ("blocks that name nobody", _nobody_counted),
    ("no terms accepted", _without_terms),
    ("the past stays the past", _past_is_past),
):
    attack("eligibility", _name, _run)
