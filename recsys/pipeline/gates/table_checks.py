"""Gates of the tables behind a night: whole tables refused, safety tables that shrink, the time they tell."""

from datetime import timedelta
from typing import Final

import pandas as pd

from recsys.catalogue.columns import Tables as T
from recsys.pipeline.gates.proposal import GateResult, Level, Proposal

SAFETY: Final = (T.BLOCKS, T.REPORTS, T.HOLDS)
_FEW: Final = 5
"""Rows of a safety table below which one that names nobody is a warning and no more."""


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

    Warn when a row names an id of characters that no person's id has, since that is not somebody who left,
    and when more rows name nobody than in the last published night. Each is counted in every night.

    Nothing ends because a row is missing: what earlier nights read stays in the safety ledger. But a table
    that lost rows has lost those of today as well.
    """
    counts = proposal.row_counts
    if counts is None:
        return GateResult("safety_tables", Level.PASS, "the tables were not counted", {"count": 0})
    rows = {name: counts.get(name, {}).get("rows", 0) for name in SAFETY}
    nobody = {name: counts.get(name, {}).get("nobody", 0) for name in (*SAFETY, T.EVENTS)}
    misspelled = {name: counts.get(name, {}).get("misspelled", 0) for name in (*SAFETY, T.EVENTS)}
    last = proposal.past[-1].get("safety_tables", {}) if proposal.past else None
    before = {name: int((last or {}).get(f"{name}_rows", 0)) for name in SAFETY}
    worst, levels = [], [Level.PASS]
    for name in SAFETY:
        level = _shrunk(rows[name], before.get(name, 0), proposal)
        if rows[name] and nobody[name] == rows[name]:
            level = max(level, Level.BLOCK if rows[name] >= _FEW else Level.WARN)
        elif nobody[name] > proposal.limits.warn_nobody * max(rows[name], 1):
            level = max(level, Level.WARN)
        levels.append(level)
        if level is not Level.PASS:
            worst.append(name)
    odd = [
        name
        for name, count in nobody.items()
        if misspelled[name] or (last is not None and count > int(last.get(f"{name}_nobody", 0)))
    ]
    levels += [Level.WARN for _ in odd]
    worst += [name for name in odd if name not in worst]
    found = {f"{name}_rows": rows[name] for name in SAFETY}
    found |= {f"{name}_nobody": count for name, count in nobody.items() if count}
    found |= {f"{name}_misspelled": count for name, count in misspelled.items() if count}
    result = _named(
        "safety_tables",
        max(levels),
        tuple(worst),
        "{tables}: shrunk, gone or naming nobody",
        f"as many as before, {sum(nobody.values())} rows name nobody",
    )
    return GateResult(result.gate, result.level, result.message, {**result.numbers, **found}, result.names)


def clock(proposal: Proposal) -> GateResult:
    """Block a night beyond the clock; warn of one before the last publication, or without new events."""
    as_of = proposal.people.as_of
    now = pd.Timestamp(proposal.clock).tz_convert("UTC") if proposal.clock is not None else None
    last = None if proposal.previous is None else pd.Timestamp(proposal.previous.manifest.data_as_of)
    before = None if proposal.previous is None else proposal.previous.manifest.events
    level, why, told = Level.PASS, "", "the night is of its time"
    if now is not None and as_of > now + timedelta(hours=proposal.limits.clock_tolerance_hours):
        level, why = Level.BLOCK, "ahead"
        told = "the night is dated after the clock: a row of a later time, or a wrong clock"
    elif last is not None and as_of < last:
        level, why, told = Level.WARN, "behind", "the night is dated before the last publication"
    elif last is not None and as_of > last and before is not None and before == proposal.events:
        level, why, told = Level.WARN, "no_events", "no event was added since the last publication"
    names = {} if level is Level.PASS else {"why": (why,), "as_of": (as_of.isoformat(),)}
    return GateResult("clock", level, f"{told} ({as_of.isoformat()})", {"count": int(level)}, names)


def _shrunk(now: int, before: int, proposal: Proposal) -> Level:
    if not before:
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
