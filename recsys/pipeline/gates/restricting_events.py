"""Events that restrict somebody, by type and month, beside those of the published nights of four weeks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from recsys.catalogue.columns import Tables as T
from recsys.data.restriction_counts import ERASED, RESTRICTING_IN
from recsys.pipeline.gates.over_nights import Decline, Found, nights_together, without_erased
from recsys.pipeline.gates.proposal import Proposal

_PEOPLE: Final = "people"
_GATE: Final = "safety_tables"
_IN: Final = "_in_"
_ERASED_IN: Final = "_erased_"
"""Between a type and a month in the numbers of the gate: all events, and those of people who were erased."""
ByMonth = Mapping[str, Counter[str]]
"""How many events, by type and by month, such as `2026-01`."""


def events_over_nights(proposal: Proposal) -> tuple[dict[str, Decline], dict[str, float]]:
    """Compare the events that restrict, type by type; return the comparisons, and what later nights need.

    A service may send the events of some months alone. So the first month of a type is not compared: those
    of all later ones are, as many as still may be there where people have left.
    """
    counts, year = proposal.row_counts or {}, proposal.people.as_of.year
    if not any(name.startswith(RESTRICTING_IN) for name in counts.get(T.EVENTS, {})) and not proposal.lately:
        return {}, {}
    people = float(counts.get(T.PROFILES, {}).get("accepted", 0))
    tonight = _by_type(_of_counts(counts.get(T.EVENTS, {})), year)
    erased = _by_type(_of_counts(counts.get(T.EVENTS, {}), f"{ERASED}{RESTRICTING_IN}"), year)
    past = [
        tuple(_by_type(_of_numbers(night.get(_GATE, {}), between), year) for between in (_IN, _ERASED_IN))
        for night in proposal.lately
    ]
    declines = {
        f"{T.EVENTS}_{kind}": _decline(proposal, kind, (tonight, erased), past, people)
        for kind in sorted({*tonight, *(kind for rows, _ in past for kind in rows)})
    }
    kept = {_PEOPLE: people} if declines else {}
    for found, between in ((tonight, _IN), (erased, _ERASED_IN)):
        kept |= {
            f"{T.EVENTS}_{kind}{between}{month}": float(n)
            for kind, of in found.items()
            for month, n in of.items()
        }
    return declines, kept | {f"{name}_rows": decline.now for name, decline in declines.items()}


def _decline(
    proposal: Proposal,
    kind: str,
    tonight: tuple[ByMonth, ...],
    past: Sequence[tuple[ByMonth, ...]],
    people: float,
) -> Decline:
    """Compare the events of one type; a night that was published beyond the limit was meant to be.

    tonight, past: all, and those among them of people who were erased, of which no fewer are a loss.
    """
    name, block = f"{T.EVENTS}_{kind}", proposal.limits.block_below_safety_rows
    rows, erased = (of.get(kind, Counter()) for of in tonight)
    first = min(rows, default="")

    def is_meant(found: Found) -> bool:
        most = float(found.get(f"{name}_most", 0.0))
        return Decline(float(found.get(f"{name}_rows", 0.0)), most, block).is_beyond

    start, since = nights_together(proposal.lately, _GATE, is_meant)
    judged = len(since) + (start is not None)
    now, at_most, gone = _later(rows, first), list[float](), list[float]()
    for nights, numbers in zip(past[-judged:] if judged else (), proposal.lately[-judged:], strict=True):
        then = float(numbers.get(_GATE, {}).get(_PEOPLE, 0.0))
        share = min(1.0, people / then) if then else 0.0
        of_night, of_erased = (_later(of.get(kind, Counter()), first) for of in nights)
        at_most.append(share * of_night)
        gone.append(of_erased)
    most = max([now, *without_erased(at_most, gone, _later(erased, first))])
    return Decline(now, most, block)


def _later(of_month: Counter[str], first: str) -> float:
    return float(sum(n for month, n in of_month.items() if month > first))


def _by_type(rows: Mapping[tuple[str, str], float], year: int) -> ByMonth:
    """Return events by type and month; of years before the last one, by year."""
    found: dict[str, Counter[str]] = {}
    for (kind, month), n in rows.items():
        span = month if int(month[:4]) >= year - 1 else month[:4]
        found.setdefault(kind, Counter())[span] += int(n)
    return found


def _of_numbers(found: Found, between: str) -> dict[tuple[str, str], float]:
    named = ((name.removeprefix(f"{T.EVENTS}_").partition(between), n) for name, n in found.items())
    return {(kind, month): float(n) for (kind, is_month, month), n in named if is_month}


def _of_counts(of_events: Mapping[str, int], before: str = RESTRICTING_IN) -> dict[tuple[str, str], float]:
    named = {name: n for name, n in of_events.items() if name.startswith(before)}
    told = ((name.removeprefix(before).partition(":"), n) for name, n in named.items())
    return {(kind, month): float(n) for (kind, _, month), n in told}
