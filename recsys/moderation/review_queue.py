"""The review queue of moderators, gravest first. The engine flags; people decide."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.quarantine import TABLE, VALUES
from recsys.data.times import as_utc
from recsys.errors import PublicationError
from recsys.moderation.credibility import (
    GRAVITY,
    KIND,
    PERSON,
    REPORTER,
    accusation_weights,
    flags,
    is_accusation,
    mutual_accusations,
)
from recsys.moderation.report_events import REPORT, events_of_reports, refused_calls, rows_of_night
from recsys.moderation.review_policy import ReviewPolicy, load_policy
from recsys.safety.canonical import in_any_spelling, spelled_canonically
from recsys.safety.day_log import REFUSED, TABLES_CHANGED, DayEvent, StoreWithDay
from recsys.safety.day_tables import tables_of
from recsys.safety.store import SafetyStore, ask_safety
from recsys.storage.publication import read_publication

APPEALS: Final = ("asked", "upheld", "granted")
COLUMNS: Final = (
    PERSON,
    KIND,
    GRAVITY,
    "weight",
    "reporters",
    "mutual",
    "evidence",
    "since",
    "appeal",
    "policy",
)


@checked_arguments
def review_queue(
    events: Events,
    *,
    holds: pd.DataFrame | None = None,
    appeals: pd.DataFrame | None = None,
    as_of: str | pd.Timestamp | None = None,
    policy: ReviewPolicy | None = None,
) -> pd.DataFrame:
    """Return what to review, one row a person and kind, gravest first.

    holds: user_id, ts, state (the safety table). appeals: user_id, ts, state in asked, upheld, granted.
    Columns: user_id; kind and gravity, 1 to 4; weight of the credible reports; reporters, how many distinct
    people said so; mutual, whether the two accuse each other; evidence, the event ids; since; appeal, the
    last state or `none`; policy, the version of the rules. Reports without credibility are shown like all
    others and move nothing; many at once are a row of their own, `brigade`.

    >>> review_queue(Events.none()).empty
    True
    """
    rules = load_policy() if policy is None else policy
    known = events.until(None if as_of is None else as_utc(as_of)).without_erased()
    found = flags(known, rules)
    weighed = accusation_weights(found, known, as_of, rules)
    found = found.assign(
        weight=weighed["weight"].reindex(found.index).fillna(0.0),
        mutual=mutual_accusations(found, rules) & is_accusation(found, rules),
    )
    rows = [_grouped(found, rules), _holds(holds, as_of, rules), _brigades(weighed, rules)]
    queue = pd.concat([part for part in rows if len(part)] or [_grouped(found, rules)], ignore_index=True)
    queue["appeal"] = _appeals(queue[PERSON], appeals, as_of)
    queue["policy"] = rules.version
    order = [GRAVITY, "weight", "since", PERSON, KIND]
    ordered = queue.sort_values(order, ascending=[False, False, True, True, True], kind="stable")
    return ordered[list(COLUMNS)].reset_index(drop=True)


def _grouped(found: pd.DataFrame, policy: ReviewPolicy) -> pd.DataFrame:
    """Return one row a person and kind; each reporter's weight counts once."""
    grouped = found.groupby([PERSON, KIND], sort=True)
    rows = grouped.agg(
        reporters=(REPORTER, "nunique"),
        mutual=("mutual", "any"),
        evidence=(C.EVENT, tuple),
        since=(C.TS, "min"),
    ).reset_index()
    once = found.groupby([PERSON, KIND, REPORTER])["weight"].max().groupby(level=[0, 1]).sum()
    rows["weight"] = once.to_numpy(float)
    rows[GRAVITY] = [policy.kinds[kind].gravity for kind in rows[KIND]]
    return rows


def _holds(
    holds: pd.DataFrame | None, as_of: str | pd.Timestamp | None, policy: ReviewPolicy
) -> pd.DataFrame:
    if holds is None or holds.empty:
        return pd.DataFrame()
    known = holds if as_of is None else holds[~(holds[C.TS] > as_utc(as_of))]
    last = known.sort_values(C.TS, kind="stable", na_position="first").groupby(C.USER).tail(1)
    held = last[last[C.STATE] == "active"]
    return pd.DataFrame(
        {
            PERSON: held[C.USER].to_numpy(object),
            KIND: "hold",
            GRAVITY: policy.kinds["hold"].gravity,
            "weight": 0.0,
            "reporters": 0,
            "mutual": False,
            "evidence": [(f"hold:{user}",) for user in held[C.USER]],
            "since": held[C.TS].to_numpy(),
        }
    ).astype({"since": "datetime64[us, UTC]"})


def calls_since_the_night(published: Path, safety: SafetyStore) -> list[DayEvent]:
    """Return what came in since the data of what is served and asks for somebody to look, newest first.

    Reports, requests for money or to leave the app, and answers of feeling pressured or unsafe: what the next
    queue is made of. Nothing without a day log in the store.
    """
    try:
        since = datetime.fromisoformat(read_publication(published).manifest.data_as_of)
    except PublicationError:
        since = datetime.min
    zoned = since if since.tzinfo else since.replace(tzinfo=UTC)
    events = ask_safety(lambda: safety.day.events(zoned)) if isinstance(safety, StoreWithDay) else []
    found = [told for one in events for told in (_reports_of(one) if one.type == TABLES_CHANGED else (one,))]
    return [one for one in found[::-1] if one.calls_for_review]


def _reports_of(changed: DayEvent) -> Iterable[DayEvent]:
    """Yield the reports in somebody's own tables of today."""
    rows = pd.DataFrame(tables_of(changed).get(T.REPORTS, ()), columns=[C.ACTOR, C.TARGET, C.TS, C.CATEGORY])
    for row in events_of_reports(rows, pd.Timestamp(changed.at)).to_dict("records"):
        name, actor, target, category = (str(row[c]) for c in (C.EVENT, C.ACTOR, C.TARGET, C.DETAIL))
        yield DayEvent(name, row[C.TS].to_pydatetime(), actor, target, REPORT, category)


def flagged_in_night(
    tables: Path, users: Collection[str], refused: Path | None = None
) -> dict[str, set[str]]:
    """Return what of a night's copied tables asks for somebody to look at any of some people.

    By event, or report of the table, the two people whom it names. refused: the file of the night's refused
    rows, in which they are meant in whatever spelling; `REFUSED` stands before no id.
    """
    found = {} if refused is None else _flagged_in_refused(refused, users)
    return found | _flagged_in_tables(tables, users)


def _flagged_in_refused(refused: Path, users: Collection[str]) -> dict[str, set[str]]:
    if not refused.is_file():
        return {}
    spelled = {in_any_spelling(user): user for user in users}

    def whom(given: object) -> str | None:
        one = spelled_canonically(given)
        return None if one is None else spelled.get(in_any_spelling(one), one)

    calls = refused_calls(pd.read_parquet(refused, columns=[TABLE, VALUES]), whom)
    of_users = calls[calls[C.ACTOR].isin(users) | calls[C.TARGET].isin(users)]
    people = zip(of_users[C.ACTOR], of_users[C.TARGET], strict=True)
    names = (name.removeprefix(REFUSED) for name in of_users[C.EVENT])
    return {name: {*both} for name, both in zip(names, people, strict=True)}


def _flagged_in_tables(tables: Path, users: Collection[str]) -> dict[str, set[str]]:
    parts = [rows_of_night(tables, column, users) for column in (C.ACTOR, C.TARGET)]
    rows = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    if rows.empty:
        return {}
    found = flags(Events.of(rows.drop_duplicates(C.EVENT)), load_policy())
    people = zip(found[PERSON].astype(str), found[REPORTER].astype(str), strict=True)
    return {event: {*both} for event, both in zip(found[C.EVENT], people, strict=True)}


def _brigades(weighed: pd.DataFrame, policy: ReviewPolicy) -> pd.DataFrame:
    """Return people of whom many without credibility said something within a few days."""
    doubtful = weighed[~weighed["credible"]] if len(weighed) else weighed
    rows = []
    for person, reports in doubtful.groupby(PERSON, sort=True):
        window = reports[reports[C.TS] >= reports[C.TS].max() - pd.Timedelta(days=policy.brigade_days)]
        if window[REPORTER].nunique() >= policy.brigade:
            rows.append(
                {
                    PERSON: person,
                    KIND: "brigade",
                    GRAVITY: policy.kinds["brigade"].gravity,
                    "weight": 0.0,
                    "reporters": window[REPORTER].nunique(),
                    "mutual": False,
                    "evidence": tuple(window[C.EVENT]),
                    "since": window[C.TS].min(),
                }
            )
    return pd.DataFrame(rows)


def _appeals(people: pd.Series, appeals: pd.DataFrame | None, as_of: str | pd.Timestamp | None) -> pd.Series:
    if appeals is None or appeals.empty:
        return pd.Series("none", index=people.index, dtype=object)
    known = appeals if as_of is None else appeals[appeals[C.TS] <= as_utc(as_of)]
    last = known.sort_values(C.TS, kind="stable").groupby(C.USER)[C.STATE].last()
    return people.map(last).fillna("none").astype(object)
