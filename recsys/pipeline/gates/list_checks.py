"""Gates of the lists: size beside the last publication, lengths, overlap, and whether rows are sound."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.ids import IdIndex
from recsys.data.pair_keys import are_among
from recsys.pipeline.gates.distribution import usual_band
from recsys.pipeline.gates.over_nights import Decline, judged_over_nights
from recsys.pipeline.gates.proposal import GateResult, Level, Proposal, blocked_if_any, graded
from recsys.storage.publication import LISTS, read_coded_lists


def rows(proposal: Proposal) -> GateResult:
    """Grade the number of rows against the publication served now."""
    limits, last = proposal.limits, None
    if proposal.previous:
        last = proposal.previous.manifest.files[LISTS].rows
    share = _Share("rows", warn=limits.warn_below_rows, block=limits.block_below_rows)
    return share.graded(proposal, now=len(proposal.lists), last=last)


def people(proposal: Proposal) -> GateResult:
    """Grade the number of people with a list against what is served now, and the nights of four weeks."""
    limits, last = proposal.limits, None
    if proposal.previous:
        last = read_coded_lists(proposal.previous.folder / LISTS, [C.VIEWER])[C.VIEWER].nunique()
    share = _Share("people", warn=limits.warn_below_people, block=limits.block_below_people)
    now = int(proposal.lists[C.VIEWER].nunique())
    decline = Decline.of(proposal.lately, "people", "now", now, block=limits.block_below_people)
    return judged_over_nights(share.graded(proposal, now=now, last=last), {"now": decline})


def _rows_left(proposal: Proposal, n_before: int) -> GateResult:
    """Grade the number of rows that the safety ledger has left, of `n_before` that the night made.

    None left blocks, whatever the publication that is served holds: nobody would see anybody.
    """
    if len(proposal.lists) or not n_before or not proposal.limits.block_below_rows:
        return rows(proposal)
    message = f"the safety ledger leaves nobody in any list, of {n_before:,} suggestions"
    names = {"why": ("ledger",), "before": (f"{n_before:,}",)}
    return GateResult("rows", Level.BLOCK, message, {"now": 0}, names)


def judged_as_left(
    proposal: Proposal, gates: tuple[GateResult, ...], n_before: int
) -> tuple[GateResult, ...]:
    """Return the gates with those of numbers judged on the lists that the safety ledger has left.

    A ledger that empties the lists of a community, by accounts that became one or by holds that nobody
    lifted, is seen here. n_before: rows without the ledger.
    """
    again = {"rows": _rows_left(proposal, n_before), "people": people(proposal)}
    return tuple(again.get(one.gate, one) for one in gates)


@dataclass(frozen=True)
class _Share:
    """A count tonight as a share of the count last night, and where that warns and blocks."""

    gate: str
    warn: float
    block: float

    def graded(self, proposal: Proposal, *, now: int, last: int | None) -> GateResult:
        if proposal.previous_problem:
            message = f"the last publication cannot be compared with: {proposal.previous_problem}"
            names = {"problem": (proposal.previous_problem,)}
            return GateResult(self.gate, Level.WARN, message, {"now": now}, names)
        if not last:
            message = f"{now:,}, and no earlier night to compare with"
            return GateResult(self.gate, Level.PASS, message, {"now": now})
        share = now / last
        message = f"{now:,}, last night {last:,} ({share:.1%})"
        warn, block = share < self.warn, share < self.block
        return graded(self.gate, message, warn=warn, block=block, now=now, last=last)


def lengths(proposal: Proposal) -> GateResult:
    """Grade the share of listed people whose list is shorter than the floor."""
    n_listed = int(proposal.listed.sum())
    if n_listed == 0:
        return GateResult("lengths", Level.BLOCK, "nobody is listed", {"listed": 0})
    if proposal.lists.empty:
        message = f"every list is empty ({n_listed:,} people are listed)"
        return GateResult("lengths", Level.BLOCK, message, {"listed": n_listed})
    known = proposal.viewers[proposal.viewers >= 0]
    length = np.bincount(known, minlength=len(proposal.people))[proposal.listed]
    limits = proposal.limits
    short = float((length < limits.list_floor).mean())
    return graded(
        "lengths",
        f"{short:.1%} of {n_listed:,} lists hold fewer than {limits.list_floor}",
        warn=short > limits.warn_short_lists,
        block=short > limits.block_short_lists,
        short=short,
        empty=float((length == 0).mean()),
        mean=float(length.mean()),
        listed=n_listed,
    )


_LEAST_CHANGE: Final = 0.1


def overlap(proposal: Proposal) -> GateResult:
    """Grade which share of tonight's pairs stood in last night's lists, among viewers of both nights."""
    if proposal.previous is None:
        return GateResult("overlap", Level.PASS, "no earlier night to compare with")
    before = read_coded_lists(proposal.previous.folder / LISTS, [C.VIEWER, C.CANDIDATE])
    stayed = proposal.lists[C.VIEWER].isin(before[C.VIEWER].unique()).to_numpy(bool)
    if not stayed.any():
        return GateResult("overlap", Level.WARN, "no viewer of last night has a list", {"value": 0.0})
    value = float(_stood(proposal.lists[stayed], before).mean())
    limits = proposal.limits
    band = usual_band(proposal.past, "overlap", "value", limits, least=_LEAST_CHANGE)
    unusual = band is not None and not band.holds(value)
    shown = band.within(0.0, 1.0) if band else None
    return graded(
        "overlap",
        f"{value:.0%} of the pairs stood in last night's lists"
        + (f", usually {shown.low:.0%} to {shown.high:.0%}" if shown else ""),
        warn=value < limits.warn_below_overlap or unusual,
        block=value < limits.block_below_overlap,
        value=value,
        **({"low": shown.low, "high": shown.high} if shown else {}),
    )


def _stood(tonight: pd.DataFrame, before: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which of tonight's pairs stood in the lists before, `(n_tonight,)` bool."""
    ids = IdIndex(set(tonight[C.VIEWER].unique()).union(tonight[C.CANDIDATE].unique()))

    def numbered(lists: pd.DataFrame) -> npt.NDArray[np.int64]:
        viewer, candidate = (ids.find(lists[column]).astype(np.int64) for column in (C.VIEWER, C.CANDIDATE))
        return np.where((viewer >= 0) & (candidate >= 0), viewer * len(ids) + candidate, -1)

    return are_among(numbered(tonight), numbered(before))


def no_self(proposal: Proposal) -> GateResult:
    """Block when somebody stands in their own list."""
    count = int((proposal.lists[C.VIEWER] == proposal.lists[C.CANDIDATE]).sum())
    return blocked_if_any(
        "no_self", count, good="nobody is in their own list", bad="{count:,} people are in their own list"
    )


def no_duplicates(proposal: Proposal) -> GateResult:
    """Block when a list holds somebody twice."""
    count = int(proposal.lists.duplicated([C.VIEWER, C.CANDIDATE]).sum())
    return blocked_if_any(
        "no_duplicates", count, good="no pair stands twice", bad="{count:,} pairs stand twice"
    )


def ranks(proposal: Proposal) -> GateResult:
    """Block when the ranks of a list are not 1, 2, 3 and so on."""
    viewer, rank = pd.factorize(proposal.lists[C.VIEWER])[0], proposal.lists[C.RANK].to_numpy()
    goes_on = viewer[1:] == viewer[:-1]
    if not (np.where(goes_on, rank[1:] >= rank[:-1], viewer[1:] > viewer[:-1])).all():
        order = np.lexsort((rank, viewer))
        viewer, rank = viewer[order], rank[order]
        goes_on = viewer[1:] == viewer[:-1]
    at = np.arange(len(rank))
    begun = np.maximum.accumulate(np.where(np.append(True, ~goes_on)[: len(rank)], at, 0))
    count = int((rank != at - begun + 1).sum())
    return blocked_if_any(
        "ranks", count, good="every list counts from 1", bad="{count:,} ranks are out of order"
    )


def scores(proposal: Proposal) -> GateResult:
    """Block when a score or propensity is missing, infinite, below 0 or above 1, or a propensity is 0."""
    table = proposal.lists[[C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL]]
    good = ((table >= 0.0) & (table <= 1.0)).all(axis=1)  # comparisons with NaN are false
    if C.PROPENSITY in proposal.lists:
        good &= proposal.lists[C.PROPENSITY].between(0.0, 1.0, inclusive="right")
    return blocked_if_any(
        "scores",
        int((~good).sum()),
        good="every score is a probability",
        bad="{count:,} pairs carry a score that is no probability",
    )
