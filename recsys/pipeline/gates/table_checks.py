"""Gates of the tables behind a night: whole tables refused, safety tables that shrink, the time they tell."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.restriction_counts import ERASED, KEPT, MET, RESTRICTING
from recsys.data.safety_rows import AHEAD, FACTS, FIRST_AHEAD, UNKNOWN_TYPE
from recsys.data.unknown_words import may_restrict, repeated
from recsys.pipeline.gates.over_nights import (
    NIGHTS,
    Decline,
    Found,
    judged_over_nights,
    nights_together,
    of_erased,
    without_erased,
)
from recsys.pipeline.gates.proposal import GateResult, Level, Numbers, Proposal
from recsys.pipeline.gates.restricting_events import events_over_nights

SAFETY: Final = (T.BLOCKS, T.REPORTS, T.HOLDS)
_FEW: Final = 5
"""Rows of a safety table, and people with a wish, of which fewer are a warning and no more: as rows that name
nobody, or wishes that are gone."""
_SEVERAL: Final = 3
"""People whose wishes do not all go in one night by their own will, or who do not all make up an id."""
_MANY_MEMBERS: Final = 0.001
"""The share of members who do not all make up an id between two nights, where that is five or more."""
_NAMING: Final = (*SAFETY, T.EVENTS)
_FEW_TOKENS: Final = 20
"""Person tokens that may change in any night, however few people there are."""
_SAID: Final = {
    "misspelled": "new rows name nobody, by ids of a form that no member's id has: {tables}",
    "nobody": "rows that name nobody: {tables}",
    "": "{tables}: shrunk, gone or naming nobody",
}


def tables(proposal: Proposal) -> GateResult:
    """Block when most rows of any table were refused: such a table is not what it was taken for."""
    counts, limits = proposal.row_counts, proposal.limits
    if counts is None:
        return GateResult("tables", Level.PASS, "the tables were not counted", {"count": 0})
    share = {name: of["refused"] / of["rows"] for name, of in counts.items() if of["rows"]}
    refused = tuple(name for name, part in share.items() if part > limits.block_refused_rows)
    many = tuple(name for name, part in share.items() if part > limits.warn_refused_rows)
    level = Level.BLOCK if refused else Level.WARN if many else Level.PASS
    return _named("tables", level, refused or many, "rows of {tables} were refused", "few rows were refused")


def safety_tables(proposal: Proposal) -> GateResult:
    """Block when a safety table vanished, shrank by much, or names nobody who is here.

    Block when rows have come since the last published night whose ids have a form that no person's id has:
    such an id is not that of somebody who left, so somebody's block is lost. One is enough of those that no
    member can have written. A member may name whom they like, so that rows in which the other's id alone is
    of such a form block where they are by many, or by three and most of their table. Warn of others, of those
    that stood there before, and when more rows name nobody than in that night. Each is counted in every
    night. A table that loses few rows a night is judged by the published nights of four weeks. Rows of people
    who were erased are no loss, whether they still come, and are left out, or are gone.

    Events that restrict somebody are held against those of the last published night: a log that was cut
    short has lost hides and passes. Over weeks each type is, but for its first month: a service may send
    those of some months alone.

    Nothing ends because a row is missing: what earlier nights read stays in the safety ledger. But a table
    that lost rows has lost those of today as well.
    """
    counts = proposal.row_counts
    if counts is None:
        return GateResult("safety_tables", Level.PASS, "the tables were not counted", {"count": 0})
    block = proposal.limits.block_below_safety_rows
    declines = {
        number: Decline.of(
            proposal.lately, "safety_tables", number, rows, block=block, erased=gone.get(of_erased(number), 0)
        )
        for name in SAFETY
        for gone in [_erased(counts, name)]
        for number, rows in _sizes(counts, name).items()
    }
    of_events, kept = events_over_nights(proposal)
    result = _safety_tables_tonight(proposal, counts)
    result = replace(result, numbers={**result.numbers, **kept})
    return judged_over_nights(result, declines | of_events)


def _sizes(counts: Mapping[str, Mapping[str, int]], name: str) -> dict[str, int]:
    """Return how many rows a safety table has, and how many where those that stand twice count once.

    Of events it is how many restrict. Rows that went because they name somebody erased are among them.
    """
    of = counts.get(name, {})
    if name == T.EVENTS:
        return {f"{name}_{RESTRICTING}": of[RESTRICTING]} if RESTRICTING in of else {}
    return {f"{name}_rows": of.get("rows", 0)} | ({f"{name}_{FACTS}": of[FACTS]} if FACTS in of else {})


def _erased(counts: Mapping[str, Mapping[str, int]], name: str) -> dict[str, int]:
    """Return how many of these the engine left out, since they name somebody erased."""
    of, named = counts.get(name, {}), ("rows", FACTS, RESTRICTING)
    return {of_erased(f"{name}_{one}"): n for one in named if (n := of.get(f"{ERASED}{one}"))}


def _safety_tables_tonight(proposal: Proposal, counts: Mapping[str, Mapping[str, int]]) -> GateResult:
    """Compare the safety tables with those of the last published night alone."""
    rows = {name: counts.get(name, {}).get("rows", 0) for name in SAFETY}
    nobody = {name: counts.get(name, {}).get("nobody", 0) for name in _NAMING}
    misspelled = {name: counts.get(name, {}).get("misspelled", 0) for name in _NAMING}
    last = proposal.past[-1].get("safety_tables", {}) if proposal.past else None
    before = last or {}
    sizes = {name: of for name in _NAMING if (of := _sizes(counts, name))}
    erased = {number: n for name in _NAMING for number, n in _erased(counts, name).items()}
    gone = {
        name: max(
            _shrunk(
                now,
                without_erased(
                    [float(before.get(number, 0))],
                    [float(before.get(of_erased(number), 0))],
                    erased.get(of_erased(number), 0),
                )[0],
                proposal,
            )
            for number, now in of.items()
        )
        for name, of in sizes.items()
    }
    of_nobody = {name: _of_nobody(rows[name], counts.get(name, {}), proposal) for name in SAFETY}
    lost = {}
    for name in _NAMING:
        new = misspelled[name] - int(before.get(f"{name}_misspelled", 0))
        more = last is not None and nobody[name] > int(before.get(f"{name}_nobody", 0))
        if misspelled[name] or more:
            of_nobody[name] = max(of_nobody.get(name, Level.PASS), Level.WARN)
        if last is not None and _are_lost(name, counts.get(name, {}), before, proposal):
            lost[name] = new
            of_nobody[name] = Level.BLOCK
    level = max(*gone.values(), *of_nobody.values())
    numbers = {number: now for of in sizes.values() for number, now in of.items()} | erased
    numbers |= {f"{name}_nobody": count for name, count in nobody.items() if count}
    numbers |= {f"{name}_misspelled": count for name, count in misspelled.items() if count}
    for number in (_BY_MEMBERS, _MEMBERS):
        numbers |= {f"{name}_{number}": counts[name].get(number, 0) for name, n in misspelled.items() if n}
    if level is Level.PASS:
        good = f"as many as before, {sum(nobody.values())} rows name nobody"
        return GateResult("safety_tables", level, good, {"count": 0, **numbers})
    shrunk = [name for name, of in gone.items() if of is not Level.PASS]
    strange = [name for name, of in of_nobody.items() if of is not Level.PASS]
    if lost:
        why, named = "misspelled", tuple(f"{name} {count:,}" for name, count in lost.items())
    elif shrunk:
        why, named = "", tuple(dict.fromkeys((*shrunk, *strange)))
    else:
        why, named = "nobody", tuple(f"{name} {nobody[name]:,}" for name in strange)
    names = {"tables": named} | ({"why": (why,)} if why else {})
    message = _SAID[why].format(tables=", ".join(named))
    return GateResult("safety_tables", level, message, {"count": len(named), **numbers}, names)


def event_types(proposal: Proposal) -> GateResult:
    """Warn of types of events that are not of the table and count as restrictions, for what they may mean.

    They are named, so that somebody who is out by a guess is not so in silence, and so are those that
    restrict nobody, since no vocabulary is whole.
    """
    of_events = (proposal.row_counts or {}).get(T.EVENTS, {})
    counts = {
        name.removeprefix(UNKNOWN_TYPE): n for name, n in of_events.items() if name.startswith(UNKNOWN_TYPE)
    }
    said = {True: Counter[str](), False: Counter[str]()}
    for word, n in counts.items():
        said[may_restrict(word)][repeated(word)] += n
    restricting, others = (tuple(f"{word} {n:,}" for word, n in said[bad].items()) for bad in (True, False))
    if not restricting:
        known = f"unknown types restrict nobody: {', '.join(others)}" if others else "all types are known"
        names = {"others": others, "why": ("nobody",)} if others else {}
        return GateResult("event_types", Level.PASS, known, {"count": 0}, names)
    bad, good = "types of events that are not of the table restrict: {tables}", ""
    result = _named("event_types", Level.WARN, restricting, bad, good)
    if not others:
        return result
    message = f"{result.message}; others restrict nobody: {', '.join(others)}"
    return replace(result, message=message, names={**result.names, "others": others, "why": ("both",)})


def wishes(proposal: Proposal) -> GateResult:
    """Block when values that keep people apart vanished from tables whose rows are all there; warn of a few.

    They are tokens, people's own and those of whom somebody does not want to meet, by namespace, and wishes
    that are open where nothing is said. Where a column was renamed in the source, or a key within it,
    everybody seems to wish nothing; where it is read another way, everybody may accept one word more, so
    those are counted as well who leave out each word. People who have one are counted for each accepted
    person of profiles, and compared with the last published night, and with those of four weeks.
    """
    counts = proposal.row_counts
    if counts is None:
        return GateResult("wishes", Level.PASS, "the tables were not counted", {"count": 0})
    people = counts.get(T.PROFILES, {}).get("accepted", 0)
    values = {
        f"{table}.{name.removeprefix(KEPT)}": float(n)
        for table, found in counts.items()
        for name, n in found.items()
        if name.startswith(KEPT)
    }
    block = proposal.limits.block_below_safety_rows
    past = [_counted_alike(night) for night in proposal.lately]
    of_nights = {name for night in past for name in night["wishes"] if "." in name}
    declines = {
        name: Decline.of(
            past,
            "wishes",
            name,
            values.get(name, 0.0),
            block=_limit(name, block),
            per=("people", float(people)),
        )
        for name in sorted(of_nights | set(values))
    }
    declines = {name: one for name, one in declines.items() if not _is_word_of_nobody(name, values)}
    before = past[-1]["wishes"] if past else {}
    result = _wishes_tonight(before, people, values, block)
    return judged_over_nights(result, declines) if declines else result


_MET: Final = f"_{MET}"
_MOST_MET: Final = 0.5
_LEAVE_OUT: Final = "leave_out"
"""The number that says that a night counted, of wishes and ages, those alone that leave somebody out (1), and
of required answers too (2)."""
_OF_ANSWERS: Final = f"{T.ANSWERS}_{C.MANDATORY}"
_ONE_WORD: Final = tuple(
    f"{T.PROFILES}.{column}_" for column in (C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS, C.ACCEPTS_HOUSEHOLD_STATUS)
)
_PARTS: Final = (f"{T.ANSWERS}.{C.MANDATORY}_", *_ONE_WORD)
"""Wishes of one question, or that leave out one word."""
_COUNTED_ANEW: Final = tuple(
    f"{T.PROFILES}_{column}"
    for column in (C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS, C.MIN_AGE_YEARS, C.MAX_AGE_YEARS)
)


def _counted_alike(night: Numbers) -> dict[str, Found]:
    """Return what a night counted of wishes; of one of an earlier version, what still means the same."""
    found = night.get("wishes", {})
    anew = [
        *(() if _LEAVE_OUT in found else _COUNTED_ANEW),
        *(() if float(found.get(_LEAVE_OUT, 0)) > 1 else (_OF_ANSWERS,)),
    ]
    if anew:
        kept = (name for name in found if not name.replace(".", "_").startswith(tuple(anew)))
        found = {name: found[name] for name in kept}
    return {"wishes": found}


def _wishes_tonight(before: Found, people: int, values: Mapping[str, float], block: float) -> GateResult:
    """Compare the people who have a wish, by column, with those of the last published night alone."""
    then = float(before.get("people", 0.0))
    lost = {
        name: _lost_wishes(float(was), values.get(name, 0.0), is_part=name.startswith(_PARTS))
        for name, was in before.items()
        if "." in name
        and not _is_word_of_nobody(name, values)
        and values.get(name, 0.0) * then < _limit(name, block) * float(was) * min(people, then)
        and not (name.endswith(_MET) and float(was) < _FEW)
    }
    numbers = {"people": float(people), _LEAVE_OUT: 2.0, **values}
    if not lost:
        return GateResult("wishes", Level.PASS, "as many wishes as before", {"count": 0, **numbers})
    message = f"far fewer values than in the last night: {', '.join(lost)}"
    level = max(lost.values())
    return GateResult("wishes", level, message, {"count": len(lost), **numbers}, {"tables": tuple(lost)})


def _is_word_of_nobody(name: str, values: Mapping[str, float]) -> bool:
    """Say whether a number is of wishes without a word that nobody has tonight, and nobody wishes for."""
    return name.startswith(_ONE_WORD) and name not in values


def _limit(name: str, block: float) -> float:
    """Return the share of a number of people below which it blocks.

    With one of two colleagues, who leaves or moves, both are gone of those whose token means somebody else; a
    column gone wrong leaves hardly anybody.
    """
    return min(block, _MOST_MET) if name.endswith(_MET) else block


def _lost_wishes(was: float, now: float, *, is_part: bool) -> Level:
    """Return how grave it is that of `was` people with a wish `now` are left.

    is_part: of one question of many, of which some always have few people: as many have to be gone.
    """
    many = was - now >= _FEW if is_part else was >= _FEW
    return Level.BLOCK if many or (was >= _SEVERAL and not now) else Level.WARN


def person_tokens(proposal: Proposal) -> GateResult:
    """Block when many accounts have another person token than in what is served, or none; warn of some.

    Accounts that ever had a token in common are one person's for good, so a column gone wrong for one
    published night would make strangers one person. A few may change at any time, but not in every night:
    the published nights of four weeks are counted together, since the last that went beyond the limits.
    """
    changed, had = proposal.changed_tokens or (0, 0)
    over = min(changed + _changed_lately(proposal), max(changed, had))
    numbers = {"count": changed, "had": had, "over": over}
    message = f"{changed:,} of {had:,} accounts have another person token than in what is served, or none"
    limits, level = proposal.limits, Level.PASS
    if changed > _FEW and changed > limits.warn_changed_tokens * had:
        level = Level.BLOCK if _are_many_tokens(changed, had, limits.block_changed_tokens) else Level.WARN
    of_nights = Level.PASS
    if changed and _are_many_tokens(2 * over, had, limits.block_changed_tokens):
        of_nights = Level.BLOCK if _are_many_tokens(over, had, limits.block_changed_tokens) else Level.WARN
    if of_nights <= level:
        return GateResult("person_tokens", level, message, numbers)
    message = f"{message}; {over:,} in the nights of four weeks"
    return GateResult("person_tokens", of_nights, message, numbers, NIGHTS)


def _are_many_tokens(changed: int, had: int, share: float) -> bool:
    return changed > _FEW_TOKENS and changed > share * had


def _changed_lately(proposal: Proposal) -> int:
    """Return how many tokens changed in the published nights before that are judged with tonight."""
    share = proposal.limits.block_changed_tokens

    def is_meant(found: Found) -> bool:
        changed, had, over = (int(found.get(name, 0)) for name in ("count", "had", "over"))
        return _are_many_tokens(max(changed, over), had, share)

    _, since = nights_together(proposal.lately, "person_tokens", is_meant)
    return sum(int(found.get("count", 0)) for found in since)


def clock(proposal: Proposal) -> GateResult:
    """Block a night beyond the clock; warn of such rows, of one before the last, or without new events.

    Warn of bans and holds that count though later rows stand above them, see `backdated_stops`.
    """
    as_of = proposal.people.as_of
    now = pd.Timestamp(proposal.clock).tz_convert("UTC") if proposal.clock is not None else None
    last = None if proposal.previous is None else pd.Timestamp(proposal.previous.manifest.data_as_of)
    before = None if proposal.previous is None else proposal.previous.manifest.events
    level, why, told = Level.PASS, "", "the night is of its time"
    late = proposal.backdated_stops
    ahead = {name: of for name, of in (proposal.row_counts or {}).items() if of.get(AHEAD)}
    rows = tuple(f"{name} {of[AHEAD]:,} ({of[FIRST_AHEAD]:,})" for name, of in sorted(ahead.items()))
    if now is not None and as_of > now + timedelta(hours=proposal.limits.clock_tolerance_hours):
        level, why = Level.BLOCK, "ahead"
        told = "the night is dated after the clock: a row of a later time, or a wrong clock"
    elif late:
        level, why = Level.WARN, "late"
        told = f"{late:,} bans or holds came after the night of their date, under later rows: they count"
    elif rows:
        level, why = Level.WARN, "rows"
        told = f"rows are dated after the clock, by table with the first from 0: {', '.join(rows)}"
    elif last is not None and as_of < last:
        level, why, told = Level.WARN, "behind", "the night is dated before the last publication"
    elif last is not None and as_of > last and before is not None and before == proposal.events:
        level, why, told = Level.WARN, "no_events", "no event was added since the last publication"
    names: dict[str, tuple[str, ...]] = {"tables": rows} if why == "rows" else {}
    names |= {} if level is Level.PASS else {"why": (why,), "as_of": (as_of.isoformat(),)}
    numbers = {"count": int(level)} | ({"late": late} if late else {})
    return GateResult("clock", level, f"{told} ({as_of.isoformat()})", numbers, names)


_BY_MEMBERS: Final = "misspelled_by_members"
_MEMBERS: Final = "misspelled_members"


def _are_lost(name: str, of: Mapping[str, int], before: Found, proposal: Proposal) -> bool:
    """Say whether new rows of a table with ids of a strange form are more than members would make up.

    of: what was counted of the table. before: the numbers of the last published night.
    """
    rows, then = of.get("misspelled", 0), int(before.get(f"{name}_misspelled", 0))
    if rows <= then or not proposal.limits.block_misspelled_rows:
        return False
    of_others = rows - of.get(_BY_MEMBERS, 0)
    if of_others > then - int(before.get(f"{name}_{_BY_MEMBERS}", 0)):
        return True
    new = of.get(_MEMBERS, 0) - int(before.get(f"{name}_{_MEMBERS}", then))
    are_most = 2 * rows > of.get(RESTRICTING if name == T.EVENTS else "rows", 0)
    return new >= max(_FEW, _MANY_MEMBERS * len(proposal.people)) or (are_most and new >= _SEVERAL)


def _of_nobody(rows: int, of: Mapping[str, int], proposal: Proposal) -> Level:
    nobody = of.get("nobody", 0)
    if rows and nobody == rows:
        are_of_few = nobody == of.get("nobody_by_members", 0) and of["nobody_members"] < _SEVERAL
        return Level.BLOCK if rows >= _FEW and not are_of_few else Level.WARN
    return Level.WARN if nobody > proposal.limits.warn_nobody * max(rows, 1) else Level.PASS


def _shrunk(now: int, before: float, proposal: Proposal) -> Level:
    if before <= 0:
        return Level.PASS
    share = now / before
    if share < proposal.limits.block_below_safety_rows:
        return Level.BLOCK
    return Level.WARN if share < proposal.limits.warn_below_safety_rows else Level.PASS


def _named(gate: str, level: Level, names: tuple[str, ...], bad: str, good: str) -> GateResult:
    if level is Level.PASS:
        return GateResult(gate, level, good, {"count": 0})
    message = bad.format(tables=", ".join(names))
    return GateResult(gate, level, message, {"count": len(names)}, {"tables": names})
